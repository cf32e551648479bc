"""ResNet-18 in another correct style: stages made in a loop, weights initialised at the end."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from models import layers


@dataclass(frozen=True)
class Stage:
    """The widths of a stage, and the stride of its first block."""

    came: int
    goes: int
    stride: int


STAGES = (Stage(64, 64, 1), Stage(64, 128, 2), Stage(128, 256, 2), Stage(256, 512, 2))


def initialise(module: nn.Module) -> None:
    """Draw the weights of all convolutions in a module as He et al. (2015) do, by the fan-in."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_in = part.weight[0].numel()
            nn.init.normal_(part.weight, mean=0.0, std=(2.0 / fan_in) ** 0.5)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut past them."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        """Make the layers; the shortcut has some only where the shape changes."""
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False
        )
        self.bn1 = layers.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = layers.BatchNorm2d(out_channels)
        past: list[nn.Module] = []
        if (in_channels, 1) != (out_channels, stride):
            past.append(nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False))
            past.append(layers.BatchNorm2d(out_channels))
        self.shortcut = nn.Sequential(*past)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(F(x) + shortcut(x)) for x of shape (N, in_channels, H, W)."""
        y = self.conv1(x)
        y = self.bn1(y).clamp(min=0)
        y = self.bn2(self.conv2(y))
        y = self.shortcut(x).add(y)
        return y.clamp(min=0)


class ResNet18(nn.Module):
    """The 18-layer network for images of 32 x 32."""

    def __init__(self, num_classes: int = 10) -> None:
        """Make the stem, four stages of two blocks, and the linear layer."""
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
        self.bn1 = layers.BatchNorm2d(64)
        for number, stage in enumerate(STAGES, start=1):
            first = BasicBlock(stage.came, stage.goes, stage.stride)
            second = BasicBlock(stage.goes, stage.goes)
            self.add_module(f"layer{number}", nn.Sequential(first, second))
        self.fc = nn.Linear(STAGES[-1].goes, num_classes)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (N, num_classes) of images (N, 3, 32, 32)."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.avg_pool2d(x, kernel_size=4).flatten(start_dim=1))
