"""What the solutions give: the stubs with their gaps, and the catalogue of misconceptions."""
