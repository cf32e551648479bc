"""Stands in for safetensors where it is not installed: the same files, as far as training needs.

A file is a length (8 bytes, little-endian), so many bytes of JSON, and the tensors' bytes. The JSON
has a name's dtype, shape and place behind the JSON, and strings in `__metadata__`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# By name: this package's own `torch`, once imported, takes the place of a name `torch` in here.
from torch import Tensor, bfloat16, float32, float64, frombuffer, int64, uint8

DTYPES = {"F64": float64, "F32": float32, "I64": int64, "BF16": bfloat16}


class safe_open:
    """A file's metadata and tensors, read when they are asked for."""

    def __init__(self, path: str | Path, framework: str = "pt", device: str = "cpu") -> None:
        """Read the header; raise FileNotFoundError if there is no such file."""
        data = Path(path).read_bytes()
        length = int.from_bytes(data[:8], "little")
        self._header: dict[str, Any] = json.loads(data[8 : 8 + length])
        self._metadata = self._header.pop("__metadata__", {})
        self._data = data[8 + length :]

    def __enter__(self) -> safe_open:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the file is read and closed."""

    def metadata(self) -> dict[str, str]:
        """Return the strings that were saved beside the tensors."""
        return self._metadata

    def keys(self) -> Iterable[str]:
        """Return the tensors' names."""
        return self._header.keys()

    def get_tensor(self, name: str) -> Tensor:
        """Return one tensor."""
        about = self._header[name]
        start, end = about["data_offsets"]
        flat = frombuffer(bytearray(self._data[start:end]), dtype=uint8)
        return flat.view(DTYPES[about["dtype"]]).reshape(about["shape"])
