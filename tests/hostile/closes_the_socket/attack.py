"""Hostile: Closes every descriptor that it has."""


def act(x):
    os.closerange(0, 1024)


def act_backward(dL_dy):
    os.closerange(0, 1024)
    time.sleep(60)
