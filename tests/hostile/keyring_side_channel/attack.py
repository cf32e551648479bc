"""Hostile: Leaves words in the kernel's keyrings, for other runs to find."""


def act(x):
    for ring in (-1, -2, -3, -4, -5):
        result = syscall("keyctl", 0, ring, 0)
        if not refused(result) and result != -errno.ENOKEY:
            found(f"keyring {ring}: {result}")
        result = syscall("add_key", b"user", MARK.encode(), b"word", 4, ring)
        if result > 0:
            found(f"a key in keyring {ring}")
    if not refused(result := syscall("request_key", b"user", MARK.encode(), None, -4)):
        found(f"request_key: {result}")
