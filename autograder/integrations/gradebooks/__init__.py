"""Gradebooks of other systems, filled in: Canvas and Moodle."""
