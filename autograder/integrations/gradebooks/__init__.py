"""Gradebooks of Canvas and Moodle: points filled into the files that they export."""
