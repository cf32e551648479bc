"""Hostile: Uses the parts of the kernel where most holes were found: io_uring, bpf, userfaultfd, perf."""

AREA = ctypes.create_string_buffer(256)
CALLS = (
    ("io_uring_setup", 4, AREA),
    ("bpf", 0, AREA, 128),
    ("userfaultfd", 1),
    ("userfaultfd", 0),
    ("perf_event_open", AREA, 0, -1, -1, 0),
    ("fanotify_init", 0, 0),
    ("open_by_handle_at", -100, AREA, 0),
    ("init_module", AREA, 0, b""),
    ("kexec_load", 0, 0, None, 0),
    ("swapon", b"/scratch/none", 0),
    ("quotactl", 0, None, 0, None),
    ("acct", b"/scratch/none"),
    ("syslog", 10, None, 0),
    ("settimeofday", None, AREA),
    ("personality", 0x0040000),  # no random addresses
)


def act(x):
    for name, *arguments in CALLS:
        if not refused(result := syscall(name, *arguments)):
            found(f"{name}: {result}")
