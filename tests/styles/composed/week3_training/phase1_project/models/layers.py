"""Batch normalisation of images out of two moments, with parameters of shape (1, C, 1, 1)."""

import torch
from torch import nn

AXES = (0, 2, 3)


class BatchNorm2d(nn.Module):
    """gamma (x - mean) / sqrt(variance + eps) + beta, channel by channel."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        shape = (1, num_features, 1, 1)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("running_mean", torch.zeros(shape))
        self.register_buffer("running_var", torch.ones(shape))

    def forward(self, x):
        """Return the normalised images."""
        if x.dim() != 4 or x.size(1) != self.num_features:
            raise ValueError(f"expected (N, {self.num_features}, H, W), got {tuple(x.shape)}")
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        mean, var = self.running_mean, self.running_var
        if self.training:
            count = x.numel() // max(x.size(1), 1)
            if count < 2:
                raise ValueError(f"{count} value per channel has no variance")
            mean = wide.mean(AXES, keepdim=True)
            var = (wide - mean).pow(2).mean(AXES, keepdim=True)
            self._gather(mean.detach(), var.detach() * count / (count - 1))
        scale = self.gamma * torch.rsqrt(var + self.eps)
        return (scale * (wide - mean) + self.beta).to(x.dtype)

    def _gather(self, mean, var):
        for running, new in ((self.running_mean, mean), (self.running_var, var)):
            running.mul_(1 - self.momentum).add_(new, alpha=self.momentum)
