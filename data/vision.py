"""The one place that imports torchvision, so that it works beside a CPU-only torch too.

    from data.vision import datasets, transforms    # transforms is torchvision.transforms.v2

PyPI's torchvision has operators compiled for CUDA (nms and other box arithmetic). Beside a
CPU-only torch their library does not load, and `import torchvision` then ends with "operator
torchvision::nms does not exist", because it describes these operators without asking whether they
are there. Here they are declared, with no code behind them, and the import is done again: data
sets and transforms do not use them, and a call of `torchvision.ops.nms` still says that the
compiled operators are missing. A torchvision that imports is left as it is.

After this module, the usual `import torchvision` works in the same process as well.
"""

from __future__ import annotations

import importlib
import sys

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_OPERATORS = {"nms": _BOXES, "qnms": _BOXES}
"""The operators that `import torchvision` describes unasked (qnms: since 0.28)."""

_DECLARED: list[torch.library.Library] = []
"""Keeps the declarations alive: torch forgets them with the library object."""


def _import_torchvision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        missing = str(error).removeprefix("operator torchvision::").removesuffix(" does not exist")
        if missing not in _OPERATORS:
            raise
    else:
        return
    for module in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[module]  # what the failed import left behind
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name, signature in _OPERATORS.items():
        library.define(name + signature)
    _DECLARED.append(library)
    importlib.import_module("torchvision")


_import_torchvision()

from torchvision import datasets  # noqa: E402 - possible only now
from torchvision.transforms import v2 as transforms  # noqa: E402 - possible only now

__all__ = ["datasets", "transforms"]
