"""Hostile: Ends the process while it is imported, after printing what a passed run prints."""

import os

print("===== 8 passed in 0.01s =====", flush=True)
os._exit(0)
