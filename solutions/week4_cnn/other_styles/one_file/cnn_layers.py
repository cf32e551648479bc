"""The layers stand in conv.py."""

from conv import *  # noqa: F403
