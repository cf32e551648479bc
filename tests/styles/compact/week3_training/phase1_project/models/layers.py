"""Batch normalisation in another correct style: torch.var_mean, and autograd finds the gradient."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

LOW_PRECISION = (torch.float16, torch.bfloat16)


class Moments(NamedTuple):
    """Mean and biased variance of every channel, shape (1, C, 1, 1)."""

    mean: Tensor
    var: Tensor


class BatchNorm2d(nn.Module):
    """Normalises the channels of images; lets the biased variance into the running one."""

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        """Start as the identity on data of mean 0 and variance 1."""
        super().__init__()
        self.channels = num_features
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.empty(num_features).fill_(1.0))
        self.bias = nn.Parameter(torch.empty(num_features).fill_(0.0))
        for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((num_features,), value))

    def extra_repr(self) -> str:
        """Return what print(layer) shows in the brackets."""
        return f"{self.channels}, eps={self.eps}, momentum={self.momentum}"

    def forward(self, x: Tensor) -> Tensor:
        """Return x (N, C, H, W) normalised, in its own dtype; ValueError if it does not fit."""
        self._complain(x)
        wide = x.float() if x.dtype in LOW_PRECISION else x
        moments = self._of_batch(wide) if self.training else self._of_running()
        normal = (wide - moments.mean) / torch.sqrt(moments.var + self.eps)
        return (normal * self._image(self.weight) + self._image(self.bias)).type_as(x)

    def _complain(self, x: Tensor) -> None:
        if x.ndim != 4:
            raise ValueError(f"four dimensions are needed, not {x.ndim}")
        n, c, h, w = x.shape
        if c != self.channels:
            raise ValueError(f"this layer has {self.channels} channels, the input has {c}")
        if self.training and n * h * w <= 1:
            raise ValueError("a batch of one value per channel can't be normalised")

    def _of_batch(self, x: Tensor) -> Moments:
        """Measure a batch, and move the running statistics towards it."""
        var, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0, keepdim=True)
        with torch.no_grad():
            self.running_mean.lerp_(mean.flatten().to(self.running_mean), self.momentum)
            self.running_var.lerp_(var.flatten().to(self.running_var), self.momentum)
        return Moments(mean, var)

    def _of_running(self) -> Moments:
        return Moments(self._image(self.running_mean), self._image(self.running_var))

    @staticmethod
    def _image(channelwise: Tensor) -> Tensor:
        """Return (C,) as (1, C, 1, 1)."""
        return channelwise[None, :, None, None]
