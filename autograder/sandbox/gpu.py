"""NVIDIA GPUs of this machine: their device files, and the mounts by which a sandbox uses them.

The mounts follow published reports of CUDA in bubblewrap. They were written on a machine without a
GPU and not tried there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools")
"""Device files that belong to all of a machine's GPUs."""

DRIVER = "/usr/local/nvidia"
"""Where containers have the driver's libraries; elsewhere they lie in /usr/lib."""


def gpus(devices: Path = Path("/dev")) -> list[str]:
    """Return the device file of each GPU, /dev/nvidia0 first; empty without a GPU."""
    found = [path for path in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    return [str(path) for path in sorted(found, key=lambda path: int(path.name[6:]))]


def binds(chosen: Sequence[str]) -> list[str]:
    """Return bubblewrap's options that bind these GPUs, and no others. They follow --dev.

    /sys is bound too: CUDA looks for its devices there and fails with error 304 otherwise.
    """
    if not chosen:
        return []
    every = device_files(chosen)
    options = [part for path in every for part in ("--dev-bind", path, f"/dev/{Path(path).name}")]
    options += ["--ro-bind", "/sys", "/sys"]
    if os.path.isdir(DRIVER):
        options += ["--ro-bind", DRIVER, DRIVER]
    return options


def device_files(chosen: Sequence[str]) -> list[str]:
    """Return the device files of these GPUs, and those shared by all GPUs."""
    if not chosen:
        return []
    devices = Path(chosen[0]).parent
    return [*chosen, *(str(devices / name) for name in SHARED if (devices / name).exists())]


def visible(chosen: Sequence[str]) -> dict[str, str]:
    """Return the variable that limits CUDA to these GPUs, for processes without a sandbox."""
    if not chosen:
        return {}
    numbers = (path.rpartition("nvidia")[2] for path in chosen)
    return {"CUDA_VISIBLE_DEVICES": ",".join(numbers)}


def environment(chosen: Sequence[str]) -> dict[str, str]:
    """Return the variables with which CUDA finds the driver's libraries."""
    if not chosen or not os.path.isdir(DRIVER):
        return {}
    return {"LD_LIBRARY_PATH": f"/runtime/lib:{DRIVER}/lib64:{DRIVER}/lib"}
