"""Hostile: Runs machine code that was never a file: native code in a string."""

import mmap
import platform

CODE = {"x86_64": "b82a000000c3", "aarch64": "40058052c0035fd6"}


def act(x):
    code = bytes.fromhex(CODE.get(platform.machine(), ""))
    if not code:
        return None
    area = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    area.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(area))
    return float(ctypes.CFUNCTYPE(ctypes.c_int)(address)())
