"""Hostile: Walks the disk for hidden tests, labels, solutions, other submissions and settings."""

OWN = {"neural_net.py", "losses.py", "gradient_check.py", "mnist_mlp.py", "test_gradients.py"}
ENDS = (".toml", ".npz", ".sqlite", ".csv", ".ipynb", ".pt", ".safetensors", ".zip")
TOOLS = ("/usr", "/runtime", "/proc", "/sys", "/lib", "/lib64")


def look():
    """Walk everything but the system's own folders."""
    for folder, folders, names in os.walk("/"):
        places = [os.path.join(folder, name) for name in folders]
        folders[:] = [os.path.basename(p) for p in places if not p.startswith(TOOLS)]
        for name in names:
            own = name in OWN and "submission" in folder
            if not own and (name.startswith("test_") or name.endswith(ENDS)):
                found(f"file {folder}/{name}")


def act(x):
    look()
    for path in (*HOST_PATHS, "/etc/passwd", "/etc/shadow", "/etc/hostname", "/home", "/root"):
        with contextlib.suppress(OSError):
            found(f"{path}: {os.listdir(path) if os.path.isdir(path) else open(path).read(40)}")
