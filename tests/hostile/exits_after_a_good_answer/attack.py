"""Hostile: Answers the first call rightly and ends the process with status 0 in the second."""


def act(x):
    sys.stdout.write("14 passed in 0.02s\n")
    sys.stdout.flush()
    threading.Timer(0.02, os._exit, [0]).start()
