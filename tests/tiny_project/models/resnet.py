"""A network that learns digits in a second: what a training job needs, and no more."""

import torch
from torch import nn


class ResNet18(nn.Module):
    """Linear on 8 x 8 averages: (N, 3, 32, 32) -> logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        small = torch.nn.functional.avg_pool2d(x.mean(dim=1, keepdim=True), 4)
        return self.fc(small.flatten(1))
