"""`python -m autograder`: the command line, which looks after Ctrl-C.

A students' tree has author/release_files/main.py in its place.
"""

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command line looks after Ctrl-C, and after it, nothing is there to be tidied up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from autograder.commands import stopping
from autograder.commands.app import main

if __name__ == "__main__":
    stopping.run(main)
