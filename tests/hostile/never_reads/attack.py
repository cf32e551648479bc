"""Hostile: Stops to read requests after it has answered one."""


def act(x):
    threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGSTOP]).start()


def act_backward(dL_dy):
    act(dL_dy)
