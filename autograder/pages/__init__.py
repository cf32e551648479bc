"""Markdown as pages for a browser: complete in themselves, with formulas, and without scripts."""
