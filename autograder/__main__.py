"""`python -m autograder`: the commands of cli.py."""

from autograder.cli import main

main()
