"""The gradebook: a database of submissions, plans, results and marks."""
