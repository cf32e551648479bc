"""Integrations: git servers, GitHub, Gradescope, LMS gradebooks, nbgrader's formgrader."""
