"""Gradescope: the zip file of an autograder, and what runs in its container."""
