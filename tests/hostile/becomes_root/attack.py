"""Hostile: Becomes another user by calls, by set-uid programs and by capabilities."""


def act(x):
    for call in (os.setuid, os.setgid, os.seteuid, os.setegid):
        with contextlib.suppress(OSError):
            call(0)
            found(f"{call.__name__}(0)")
    may_gain = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) != 1  # no_new_privs
    if may_gain:
        found("new privileges can be gained")
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
        for name in ("CapEff", "CapPrm", "CapAmb"):
            if int(status[name], 16):
                found(f"{name}: {status[name].strip()}")
    for program in ("su", "sudo", "mount", "passwd", "pkexec", "newuidmap", "fusermount3"):
        for folder in ("/bin", "/usr/bin", "/sbin", "/usr/sbin"):
            path = f"{folder}/{program}"
            with contextlib.suppress(OSError):
                if os.stat(path).st_mode & 0o6000 and may_gain:
                    found(f"a set-uid program: {path}")
    with contextlib.suppress(OSError):
        mine = os.path.join(os.environ.get("TMPDIR", "."), "mine")
        os.close(os.open(mine, os.O_CREAT))
        os.chown(mine, 0, 0)
        if os.stat(mine).st_uid == 0:
            found("a file was given to root")
