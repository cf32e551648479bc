"""Hostile: Never ends being imported."""

for _ in until(60):
    pass
