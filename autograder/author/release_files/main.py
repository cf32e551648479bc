"""`python -m autograder`: the students' command line, which check.py calls."""

from autograder.students.command_line import main

if __name__ == "__main__":
    main()
