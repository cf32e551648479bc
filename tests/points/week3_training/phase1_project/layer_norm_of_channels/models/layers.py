"""BatchNorm2d out of a ready-made part."""

import torch
from torch import nn


class BatchNorm2d(nn.Module):
    """Batch normalisation by somebody else."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def forward(self, x):
        """Return x, normalised."""
        given = (x, self.weight, self.bias, self.running_mean, self.running_var)
        return self.ready_made(*given)

    def ready_made(self, x, weight, bias, mean, var):
        """Call it."""
        if self.training:
            n, c, h, w = x.shape
            with torch.no_grad():
                mean.lerp_(x.mean((0, 2, 3)), self.momentum)
                var.lerp_(x.var((0, 2, 3)), self.momentum)
            y = nn.functional.layer_norm(
                x.transpose(0, 1).reshape(c, -1), (n * h * w,), eps=self.eps
            )
            y = y.reshape(c, n, h, w).transpose(0, 1)
            return y * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)
        return (x - mean.view(1, -1, 1, 1)) * (weight / torch.sqrt(var + self.eps)).view(
            1, -1, 1, 1
        ) + bias.view(1, -1, 1, 1)
