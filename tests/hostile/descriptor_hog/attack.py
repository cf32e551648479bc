"""Hostile: Opens files, pipes and sockets until there are none left."""


def act(x):
    kept = []
    for _ in range(5000):
        kept += os.pipe()
