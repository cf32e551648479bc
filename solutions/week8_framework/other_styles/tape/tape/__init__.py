"""A framework without classes: nodes and layers are dicts, ordered by their age."""
