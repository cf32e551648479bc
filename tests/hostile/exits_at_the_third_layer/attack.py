"""Hostile: Ends the process once enough tests were seen, so that fewer are counted."""

layers = []


def act(x):
    layers.append(1)
    if len(layers) > 1:
        os.kill(os.getpid(), signal.SIGKILL)


def act_backward(dL_dy):
    os.kill(os.getpid(), signal.SIGTERM)
