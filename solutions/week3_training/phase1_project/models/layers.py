"""Batch normalisation for images, from tensor operations."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CHANNELWISE = (1, -1, 1, 1)
"""One number per channel, shape (C,), as a shape that fits images of shape (N, C, H, W)."""


# BEGIN SOLUTION project.batch_norm
class NormaliseByBatch(torch.autograd.Function):
    """y = weight (x - mean) / sqrt(variance + eps) + bias, by the batch's own statistics. Optional.

    The same from plain tensor operations, with autograd's backward pass, is right as well: then
    delete this class. To write the backward pass oneself saves time and memory, because autograd
    goes back through every operation and keeps what each of them needs.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return y, of x's shape and dtype, and the batch's mean and biased variance, shape (C,).

        `x`: shape (N, C, H, W); `weight`, `bias`: shape (C,). mean and variance are float32, or
        float64 where x is.
        """
        wide = torch.promote_types(x.dtype, torch.float32)
        mean = x.mean(dim=(0, 2, 3), dtype=wide)
        centred = x - mean.view(CHANNELWISE)
        variance = centred.square().mean(dim=(0, 2, 3))
        inverse = torch.rsqrt(variance + eps)
        ctx.save_for_backward(x, weight, mean, inverse)
        ctx.mark_non_differentiable(mean, variance)
        scale = (weight * inverse).view(CHANNELWISE)
        # Straight into x's dtype, without a float32 copy between; torch.compile does so by itself.
        out = None if torch.compiler.is_compiling() else torch.empty_like(x)
        y = torch.addcmul(bias.view(CHANNELWISE), centred, scale, out=out)
        return y.to(x.dtype), mean, variance

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, dL_dy: Tensor, *_: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Return dL/dx, dL/dweight and dL/dbias, and None for eps.

        It is the gradient of week 3 (`week3.derive_batch_norm`), channel by channel: what runs over
        the batch there runs over N, H and W here.
        """
        x, weight, mean, inverse = ctx.saved_tensors
        count = x.numel() // len(mean)
        centred = x - mean.view(CHANNELWISE)
        dL_dbias = dL_dy.sum(dim=(0, 2, 3), dtype=mean.dtype)
        dL_dweight = (dL_dy * centred).sum(dim=(0, 2, 3)) * inverse
        scale = weight * inverse
        by_centred = (-scale * inverse * dL_dweight / count).view(CHANNELWISE)
        constant = (-scale * dL_dbias / count).view(CHANNELWISE)
        # Two passes over the numbers, since reading and writing is what takes the time.
        out = (None, None) if torch.compiler.is_compiling() else (centred, torch.empty_like(x))
        dL_dx = torch.addcmul(constant, centred, by_centred, out=out[0])
        dL_dx = torch.addcmul(dL_dx, dL_dy, scale.view(CHANNELWISE), out=out[1]).to(x.dtype)
        return dL_dx, dL_dweight.to(weight.dtype), dL_dbias.to(weight.dtype), None


# INSTEAD
# # Optional, for speed and memory: a torch.autograd.Function of your own may stand here, with the
# # backward pass that you derived in week 3, channel by channel.
# END SOLUTION


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
        # BEGIN SOLUTION project.batch_norm
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        # END SOLUTION

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
        # BEGIN SOLUTION project.batch_norm
        self._check(x)
        if self.training:
            y, mean, variance = NormaliseByBatch.apply(x, self.weight, self.bias, self.eps)
            self._update_running_statistics(mean, variance, x.numel() // self.num_features)
            return y
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        # The mean is taken off first. With weight x - weight mean, large means would cost digits.
        centred = x - self.running_mean.view(CHANNELWISE)
        y = torch.addcmul(self.bias.view(CHANNELWISE), centred, scale.view(CHANNELWISE))
        return y.to(x.dtype)
        # END SOLUTION

    # BEGIN SOLUTION project.robustness
    def _check(self, x: Tensor) -> None:
        """Raise the ValueErrors of `forward`. A helper: delete it if you don't use it."""
        if x.dim() != 4 or x.shape[1] != self.num_features:
            expected = f"(N, {self.num_features}, H, W)"
            raise ValueError(f"expected an input of shape {expected}, got {tuple(x.shape)}")
        if self.training and x.numel() < 2 * self.num_features:
            raise ValueError(
                f"one value per channel has no variance, got an input of shape {tuple(x.shape)}"
            )

    # INSTEAD
    # # The ValueErrors of `forward` (`project.robustness`) fit well into a helper here.
    # END SOLUTION

    # BEGIN SOLUTION project.batch_norm
    @torch.no_grad()
    def _update_running_statistics(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Let a batch into the running statistics, in place.

        `mean` and `variance`: of the batch, shape (C,), the variance biased; `count`: N H W. A
        helper: delete it if you don't use it.
        """
        unbiased = variance * (count / (count - 1))
        self.running_mean.mul_(1.0 - self.momentum).add_(mean, alpha=self.momentum)
        self.running_var.mul_(1.0 - self.momentum).add_(unbiased, alpha=self.momentum)

    # INSTEAD
    # # So does letting a batch into the running statistics, under `torch.no_grad()`.
    # END SOLUTION
