"""Hostile: Plants files in every folder that can be written, for a next run to find."""

LEAST = (
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/dev/mqueue",
    "/run",
    "/run/lock",
    "/var/lock",
    OPEN_FOLDER,
)


def act(x):
    for folder in LEAST:
        with contextlib.suppress(OSError), open(f"{folder}/{MARK}-planted", "w") as file:
            file.write("here")
    for folder in ("/scratch", *LEAST):
        with contextlib.suppress(OSError):
            for name in os.listdir(folder):
                if name.endswith("-planted-before"):
                    found(f"{folder}/{name}")
        with contextlib.suppress(OSError):
            os.close(os.open(f"{folder}/{MARK}-{os.getpid()}-once", os.O_CREAT))


for name in os.listdir(os.environ.get("HOME", ".")):
    if name.endswith("-once"):
        found(f"left by an earlier run: {name}")
