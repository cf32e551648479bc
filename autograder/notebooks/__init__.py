"""Notebooks: written from Python sources, and read when students hand them in."""
