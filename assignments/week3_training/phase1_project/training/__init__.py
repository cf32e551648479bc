"""Training: the loop and what it writes down."""
