"""Hostile: Takes memory in many processes, each below the limit."""


def grow():
    """Hold 100 MB for a while."""
    block = bytearray(os.urandom(1 << 20)) * 100
    for _ in until(30):
        time.sleep(1)
    del block


def act(x):
    for _ in range(10):
        child(grow)
    time.sleep(5)
