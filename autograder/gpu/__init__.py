"""Training runs: accuracy thresholds, measured by the examiner on labels of its own."""
