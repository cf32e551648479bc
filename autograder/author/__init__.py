"""What authors of the course run: stubs, the students' tree, simulated classes, analyses."""
