"""Hostile: Writes answers while it is imported, before anything was asked."""

send(b"ready" + frame(packed([0, True, None])))


def act(x):
    send(frame(packed([0, True, None])))
