"""NVIDIA's GPUs of this machine: their device files, and what a sandbox needs to use them.

The bindings follow reports of what works with CUDA in bubblewrap. They could not be tried where
this was written: that machine has no GPU.
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
    """Return the device file of each GPU, /dev/nvidia0 first; empty where there is none."""
    found = [path for path in devices.glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    return [str(path) for path in sorted(found, key=lambda path: int(path.name[6:]))]


def binds(chosen: Sequence[str]) -> list[str]:
    """Return bubblewrap's options that bind these GPUs, and no others; to come after --dev.

    CUDA looks for its devices in /sys too, and fails with error 304 without it.
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
    """Return these GPUs' device files, and those that belong to all."""
    if not chosen:
        return []
    devices = Path(chosen[0]).parent
    return [*chosen, *(str(devices / name) for name in SHARED if (devices / name).exists())]


def visible(chosen: Sequence[str]) -> dict[str, str]:
    """Return the variable that shows CUDA these GPUs alone: what a sandbox does by binding them."""
    if not chosen:
        return {}
    numbers = (path.rpartition("nvidia")[2] for path in chosen)
    return {"CUDA_VISIBLE_DEVICES": ",".join(numbers)}


def environment(chosen: Sequence[str]) -> dict[str, str]:
    """Return the variables with which CUDA finds the driver's libraries."""
    if not chosen or not os.path.isdir(DRIVER):
        return {}
    return {"LD_LIBRARY_PATH": f"/runtime/lib:{DRIVER}/lib64:{DRIVER}/lib"}
