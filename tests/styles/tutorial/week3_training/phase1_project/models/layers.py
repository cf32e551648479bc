"""The layers: batch normalisation, a convolution with it, and the residual block."""

import torch
from torch import nn


class BatchNorm2d(nn.Module):
    """Batch normalisation with parameters of shape (1, C, 1, 1)."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        shape = (1, num_features, 1, 1)
        self.eps, self.momentum = eps, momentum
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.register_buffer("running_mean", torch.zeros(shape))
        self.register_buffer("running_var", torch.ones(shape))

    def forward(self, x):
        """Normalise x."""
        if not self.training:
            return self._affine((x - self.running_mean) / (self.running_var + self.eps).sqrt())
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
        self.running_mean += self.momentum * (mean.detach() - self.running_mean)
        self.running_var += self.momentum * (var.detach() - self.running_var)
        return self._affine((x - mean) / (var + self.eps).sqrt())

    def _affine(self, x_hat):
        return self.gamma * x_hat + self.beta


def conv_bn(in_channels, out_channels, kernel_size, stride=1):
    """Return a convolution and its normalisation."""
    padding = (kernel_size - 1) // 2
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding)
    return nn.Sequential(conv, BatchNorm2d(out_channels))


class BasicBlock(nn.Module):
    """A residual block."""

    expansion = 1

    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.downsample = None
        if stride != 1 or inplanes != planes * self.expansion:
            self.downsample = conv_bn(inplanes, planes * self.expansion, 1, stride)
        self.residual = nn.Sequential(
            conv_bn(inplanes, planes, 3, stride),
            nn.ReLU(inplace=True),
            conv_bn(planes, planes * self.expansion, 3),
        )
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        """Return relu(residual(x) + identity)."""
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu(self.residual(x) + identity)
