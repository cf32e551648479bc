"""Stands in for safetensors.torch: writing and reading all of a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import DTYPES, safe_open

NAMES = {dtype: name for name, dtype in DTYPES.items()}


def save_file(
    tensors: Mapping[str, Tensor], path: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write contiguous tensors, on the CPU, and strings."""
    header: dict[str, Any] = {"__metadata__": dict(metadata or {})}
    at, parts = 0, []
    for name, tensor in tensors.items():
        flat = tensor.contiguous().reshape(-1).view(torch.uint8)
        end = at + len(flat)
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [at, end],
        }
        parts.append(flat.numpy())
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with Path(path).open("wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for part in parts:
            file.write(part.data)


def load_file(path: str | Path, device: str = "cpu") -> dict[str, Tensor]:
    """Return all tensors of a file, on a device."""
    with safe_open(path) as file:
        return {name: file.get_tensor(name).to(device) for name in file.keys()}  # noqa: SIM118
