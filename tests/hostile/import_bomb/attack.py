"""Hostile: Makes gigabytes out of a few constants while it is imported."""

TEXT = "x" * 4096 * 4096 * 128
NUMBER = 1 << (1 << 33)
