"""What only those who grade have: sandboxes for submissions, and what hidden suites need more."""
