"""Hostile: Becomes another user by calls, by set-uid programs and by capabilities."""


def act(x):
    for call in (os.setuid, os.setgid, os.seteuid, os.setegid):
        with contextlib.suppress(OSError):
            call(0)
            found(f"{call.__name__}(0)")
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    if status["NoNewPrivs"].strip() != "1":
        found("new privileges can be gained")
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        if name != "CapBnd" and int(status[name], 16):
            found(f"{name}: {status[name].strip()}")
    for program in ("su", "sudo", "mount", "passwd", "pkexec", "newuidmap", "fusermount3"):
        for folder in ("/bin", "/usr/bin", "/sbin", "/usr/sbin"):
            path = f"{folder}/{program}"
            with contextlib.suppress(OSError):
                if os.stat(path).st_mode & 0o6000 and status["NoNewPrivs"].strip() != "1":
                    found(f"a set-uid program: {path}")
    with contextlib.suppress(OSError):
        mine = os.path.join(os.environ.get("TMPDIR", "."), "mine")
        os.close(os.open(mine, os.O_CREAT))
        os.chown(mine, 0, 0)
        found("a file was given to root")
