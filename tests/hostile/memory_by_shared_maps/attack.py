"""Hostile: Takes 1 GB by mapping shared anonymous memory and filling /dev/shm."""

import mmap


def act(x):
    block = os.urandom(1 << 20)
    kept = [mmap.mmap(-1, 64 << 20) for _ in range(16)]
    for area in kept:
        for _ in range(64):
            area.write(block)
    time.sleep(0.3)
    raise OSError("1 GB was taken")
