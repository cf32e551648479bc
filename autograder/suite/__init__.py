"""What suites are written with (`expect`), and what runs them (`session`)."""
