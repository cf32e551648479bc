"""Feedback handed back where students are: Moodle, Canvas, and their mail."""
