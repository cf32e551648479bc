"""Notebooks: made from percent sources, and read when students hand them in."""
