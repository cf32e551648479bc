"""The reference solutions: stubs with gaps made from them, and the catalogue of misconceptions."""
