"""Drivers for trained networks: building one with the weights of a run, asking it for logits."""

from __future__ import annotations

from typing import Any

import numpy as np

MODEL = "model."
"""How the names of the network's tensors begin in a checkpoint."""


def network(build: Any, device: str, checkpoint: str) -> Any:
    """Build a network in evaluation mode, with the weights of a checkpoint unless that is ""."""
    from safetensors.torch import load_file

    model = build()
    if checkpoint:
        saved = load_file(checkpoint)
        state = {name[len(MODEL) :]: value for name, value in saved.items() if name[:6] == MODEL}
        model.load_state_dict(state)
    return model.to(device).eval()


def logits(model: Any, normalise: Any, images: np.ndarray, device: str) -> np.ndarray:
    """Return the logits, float32 (N, classes), of images: uint8 (N, 3, H, W)."""
    import torch

    with torch.no_grad():
        x = normalise(torch.from_numpy(images.copy())).to(device)
        return model(x).detach().float().cpu().numpy()


PROJECT_DRIVERS = {"network": network, "logits": logits}
