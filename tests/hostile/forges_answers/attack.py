"""Hostile: Writes answers with guessed numbers to every socket that it has."""


def act(x):
    for number in range(64):
        send(frame(packed([number, True, 0.0])))
