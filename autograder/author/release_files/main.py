"""`python -m autograder`: the commands of commands/students.py."""

from autograder.commands.students import main

if __name__ == "__main__":
    main()
