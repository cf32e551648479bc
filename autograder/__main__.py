"""`python -m autograder`: the commands of cli.py."""

from autograder.cli import main

if __name__ == "__main__":
    main()
