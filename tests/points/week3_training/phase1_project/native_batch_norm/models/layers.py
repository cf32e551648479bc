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
        return torch.ops.aten.native_batch_norm(
            x, weight, bias, mean, var, self.training, self.momentum, self.eps
        )[0]
