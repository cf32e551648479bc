"""Grading on many machines: a pool of examiners whose nodes are workers of Dask."""
