"""Tools for authors of the course: stubs, the students' tree, simulated classes, analyses."""
