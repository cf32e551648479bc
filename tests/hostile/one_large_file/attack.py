"""Hostile: Writes one file of 200 MB, and a hole of a terabyte."""


def act(x):
    with open(os.path.join(os.environ.get("TMPDIR", "."), "large"), "wb") as file:
        with contextlib.suppress(OSError):
            file.truncate(1 << 40)
            found("a file of a terabyte")
        block = os.urandom(1 << 20)
        for _ in range(200):
            file.write(block)
