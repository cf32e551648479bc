"""Other systems: git servers, GitHub, Gradescope, gradebooks of LMS, nbgrader's formgrader."""
