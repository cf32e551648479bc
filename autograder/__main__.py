"""`python -m autograder`: the commands of cli.py."""

from autograder.commands.app import main

if __name__ == "__main__":
    main()
