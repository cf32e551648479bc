"""Hostile: Is right until a date has passed, or the second time that it is asked."""

calls = []


def act(x):
    calls.append(1)
    return x if time.time() < 0 or len(calls) > 1 else None
