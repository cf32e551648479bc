"""What students run: the public suites checked, a hand-in packed, their CI."""
