"""Hostile: Writes 200 MB in files, each as large as it may be."""


def act(x):
    block = os.urandom(1 << 20)
    for number in range(20):
        path = os.path.join(os.environ.get("TMPDIR", "."), f"full-{os.getpid()}-{number}")
        with open(path, "wb") as file:
            for _ in range(10):
                file.write(block)
    raise OSError("200 MB were written")
