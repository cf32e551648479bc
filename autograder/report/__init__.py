"""Reports of a class: gathered from the gradebook, printed, and written as files."""
