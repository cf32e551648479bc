"""Hostile: Kills the process that starts the workers."""


def act(x):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1)
