"""Hostile: Leaves a process behind that rewrites results after the run."""


def write_late():
    """Wait for the end of the run, then write."""
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.alarm(20)
    os.closerange(0, 256)
    for _ in until(15):
        time.sleep(0.2)
        for folder in (OPEN_FOLDER, "/tmp", "/scratch"):
            with contextlib.suppress(OSError), open(f"{folder}/{MARK}-results.json", "w") as file:
                file.write('{"score": 100}')


def act(x):
    child(write_late)
