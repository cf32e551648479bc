"""`python -m autograder`: the command line."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until the command line looks after Ctrl-C, and after it, nothing is there to be tidied up.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from autograder.commands.app import main

if __name__ == "__main__":
    main()
