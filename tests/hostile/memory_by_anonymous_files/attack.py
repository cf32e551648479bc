"""Hostile: Takes 600 MB through memfd and /dev/shm, which no heap's limit counts."""


def act(x):
    files = [os.memfd_create(str(index)) for index in range(30)]
    block = os.urandom(1 << 20)
    for fd in files:
        for _ in range(20):
            os.write(fd, block)
    time.sleep(0.3)
    raise OSError("600 MB were taken")
