"""Hostile: Makes 20,000 empty files and folders."""


def act(x):
    folder = os.path.join(os.environ.get("TMPDIR", "."), f"many-{os.getpid()}")
    os.mkdir(folder)
    for number in range(20_000):
        os.close(os.open(f"{folder}/{number}", os.O_CREAT | os.O_WRONLY))
