"""Hostile: Forks 200 processes as fast as it can."""


def act(x):
    for _ in range(200):
        child(lambda: time.sleep(30))
