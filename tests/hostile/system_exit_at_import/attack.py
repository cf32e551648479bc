"""Hostile: Raises SystemExit(0) while it is imported."""

sys.exit(0)
