"""The parts of suites for grading only: hosts in sandboxes, and fixtures of hidden suites."""
