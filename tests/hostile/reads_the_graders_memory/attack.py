"""Hostile: Reads and traces other processes: parent, first process, the canary outside."""


def read_memory(pid):
    """Try both roads into another process's memory."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb", buffering=0):
        found(f"/proc/{pid}/mem can be opened")
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(ctypes.create_string_buffer(8)), 8)
    remote = (ctypes.c_uint64 * 2)(0x400000, 8)
    result = syscall("process_vm_readv", pid, local, 1, remote, 1, 0)
    if not refused(result) and result != -errno.ESRCH:
        found(f"process_vm_readv({pid}) = {result}")


def act(x):
    for pid in (1, CANARY):
        read_memory(pid)
        for request in (16, 0x4206):  # ATTACH, SEIZE
            result = syscall("ptrace", request, pid, 0, 0)
            if not refused(result) and result != -errno.ESRCH:
                found(f"ptrace({request}, {pid}) = {result}")
        handle = syscall("pidfd_open", pid, 0)
        if handle >= 0 and pid == CANARY:
            found("a pidfd of a process outside")
        if handle >= 0 and (stolen := syscall("pidfd_getfd", handle, 0, 0)) >= 0:
            found(f"descriptor 0 of {pid} is {stolen} here")
    if not refused(result := syscall("ptrace", 0, 0, 0, 0)):
        found(f"ptrace itself: {result}")
