"""ResNet-18 as lists of layers that are gone through in loops."""

import torch
from torch import nn

from models.layers import BatchNorm2d


def convolution(in_channels, out_channels, size, stride=1):
    """Return a convolution without bias with He's weights."""
    conv = nn.Conv2d(in_channels, out_channels, size, stride, padding=(size - 1) // 2, bias=False)
    deviation = (2 / (in_channels * size * size)) ** 0.5
    with torch.no_grad():
        conv.weight.copy_(torch.randn_like(conv.weight) * deviation)
    return conv


class Past(nn.Module):
    """The way past a block: nothing, or a convolution with its normalisation."""

    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.steps = nn.ModuleList()
        if stride != 1 or in_channels != out_channels:
            self.steps.append(convolution(in_channels, out_channels, 1, stride))
            self.steps.append(BatchNorm2d(out_channels))

    def forward(self, x):
        """Go through the steps."""
        for step in self.steps:
            x = step(x)
        return x


class BasicBlock(nn.Module):
    """Two convolutions and a way past."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.main = nn.ModuleList(
            [
                convolution(in_channels, out_channels, 3, stride),
                BatchNorm2d(out_channels),
                convolution(out_channels, out_channels, 3),
                BatchNorm2d(out_channels),
            ]
        )
        self.past = Past(in_channels, out_channels, stride)

    def forward(self, x):
        """Return relu(main + past)."""
        first, norm1, second, norm2 = self.main
        inner = norm1(first(x)).clamp_min(0)
        return torch.relu(self.past(x) + norm2(second(inner)))


class ResNet18(nn.Module):
    """Stem, eight blocks, average, linear."""

    def __init__(self, num_classes=10):
        super().__init__()
        self.stem, self.norm = convolution(3, 64, 3), BatchNorm2d(64)
        self.blocks = nn.ModuleList()
        channels = 64
        for width in (64, 128, 256, 512):
            for number in (1, 2):
                stride = 2 if number == 1 and width > 64 else 1
                self.blocks.append(BasicBlock(channels, width, stride))
                channels = width
        self.head = nn.Linear(channels, num_classes)

    def forward(self, x):
        """Return the logits."""
        x = torch.relu(self.norm(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x.flatten(2).mean(dim=2))
