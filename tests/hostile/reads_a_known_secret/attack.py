"""Hostile: Opens a file outside whose path it knows, by many roads."""

ROADS = (
    "{}",
    "/proc/self/root{}",
    "/proc/1/root{}",
    "/proc/self/cwd/../../../..{}",
    "/scratch/../..{}",
    "/dev/fd/../../../..{}",
)


def act(x):
    for road in ROADS:
        with contextlib.suppress(OSError), open(road.format(SECRET_FILE)) as file:
            found(f"{road}: {file.read()}")
    for pid in pids():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/root{SECRET_FILE}") as file:
            found(f"through process {pid}: {file.read()}")
    link = f"{os.environ.get('TMPDIR', '.')}/{MARK}-{os.getpid()}"
    with contextlib.suppress(OSError):
        os.symlink(SECRET_FILE, link)
    with contextlib.suppress(OSError), open(link) as file:
        found(f"through a link: {file.read()}")
    with contextlib.suppress(OSError):
        os.link(SECRET_FILE, f"{link}-hard")
        found("a hard link to it")
