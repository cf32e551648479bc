"""Measurements of the grader: `python -m benchmarks` runs them all."""
