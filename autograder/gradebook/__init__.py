"""The journal of everything that was handed in, planned, measured and marked."""
