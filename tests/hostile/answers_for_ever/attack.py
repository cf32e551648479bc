"""Hostile: Keeps writing answers from a process of its own."""


def act(x):
    ready = frame(packed([1, True, 0.0]))

    def write():
        for _ in until(20):
            send(ready)

    child(write, 20)
    time.sleep(0.2)
