"""What the training job asks for: the student's network with a run's weights, and its logits."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

MODEL = "model."
"""How the names of the network's tensors begin in a checkpoint."""


def network(device: str, checkpoint: str) -> Any:
    """Build the network in evaluation mode, with a checkpoint's weights unless that is ""."""
    model = importlib.import_module("models.resnet").ResNet18()
    if checkpoint:
        saved = load_file(checkpoint)
        state = {name[len(MODEL) :]: value for name, value in saved.items() if name[:6] == MODEL}
        model.load_state_dict(state)
    return model.to(device).eval()


def logits(model: Any, images: np.ndarray, device: str) -> np.ndarray:
    """Return the logits, float32 (N, classes), of images: uint8 (N, 3, H, W)."""
    normalise = importlib.import_module("data.cifar10_loader").normalise
    with torch.no_grad():
        x = normalise(torch.from_numpy(images.copy())).to(device)
        return model(x).detach().float().cpu().numpy()


DRIVERS: dict[str, Callable[..., Any]] = {"network": network, "logits": logits}
