"""Batch normalisation for images, from tensor operations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CHANNELWISE = (1, -1, 1, 1)
"""One number per channel, shape (C,), as a shape that fits images of shape (N, C, H, W)."""


# Optional, for speed and memory: a torch.autograd.Function of your own may stand here, with the
# backward pass that you derived in week 3, channel by channel.


class BatchNorm2d(nn.Module):
    """Normalises every channel over the batch and over the image, then scales and shifts it.

    y = weight (x - mean) / sqrt(variance + eps) + bias, with one number of each per channel.
    (Ioffe and Szegedy, 2015.)

    - In training mode, mean and variance are those of the batch, over N, H and W together, and the
      variance is the *biased* one: the sum of squares divided by N H W.
    - In evaluation mode they are `running_mean` and `running_var`, which stay as they are.

    In training mode each forward pass also lets the batch into the running statistics:
    running <- (1 - momentum) running + momentum batch. Here the batch's variance is the *unbiased*
    one, divided by N H W - 1, as in PyTorch. (The biased one is accepted as well, if it is used for
    every batch.) Nothing is to be differentiated through this update.

    The batch's mean and variance depend on x, so in training mode gradients must flow through them:
    no `detach`, no `torch.no_grad` around them.

    All of the four below may have the shape (1, C, 1, 1) as well, and the two parameters may be
    called gamma and beta.

    Attributes:
        weight: parameter, shape (C,), ones at first.
        bias: parameter, shape (C,), zeros at first.
        running_mean: buffer, shape (C,), zeros at first. A buffer is in `state_dict()` and moves
            with the module from device to device, but no optimizer changes it.
        running_var: buffer, shape (C,), ones at first.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        """Keep the settings, and make the parameters and buffers.

        Args:
            num_features: C, the number of channels.
            eps: added to the variance, under the root.
            momentum: the share of each batch in the running statistics, from 0 to 1.
        """
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        raise NotImplementedError("project.batch_norm: fill in BatchNorm2d.__init__")

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised, scaled and shifted x.

        Args:
            x: shape (N, C, H, W), floating point.

        Returns:
            A tensor of x's shape.

        Beyond the texts (`project.robustness`): x is not changed, and any order in memory is fine.
        The result has the dtype of x. In bfloat16 or float16 (autocast gives such inputs) the
        arithmetic is done in float32 all the same.

        Raises:
            ValueError: if `x` has not 4 dimensions, or another number of channels than
                `num_features`; in training mode also if N H W is below 2, since one value per
                channel has no variance (`project.robustness`).
        """
        raise NotImplementedError("project.batch_norm: fill in BatchNorm2d.forward")

    # The ValueErrors of `forward` (`project.robustness`) fit well into a helper here.

    # So does letting a batch into the running statistics, under `torch.no_grad()`.
