"""ResNet-18 for images of 32 x 32 pixels (He et al., 2016), with 11,173,962 parameters."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers import BatchNorm2d


def convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    """Return a size x size convolution without bias, padded by size // 2, initialised. Given.

    The weights are drawn from a normal distribution with variance 2 / (in_channels size^2), which
    keeps the size of activations from layer to layer before ReLUs (He et al., 2015). A bias would
    do nothing here: the batch normalisation behind it takes every constant off again.
    """
    conv = nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    return conv


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, and a shortcut past both.

    out = relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))

    The second ReLU comes after the addition. The first convolution has the stride, so the block
    maps (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride), rounded up.

    Attributes (these names are ours; others do as well, as long as the layers are made in the order
    of this list, and the shortcut's two lie in one module):
        conv1: 3 x 3, in_channels -> out_channels, with the stride, padding 1, no bias.
        bn1: BatchNorm2d(out_channels).
        conv2: 3 x 3, out_channels -> out_channels, stride 1, padding 1, no bias.
        bn2: BatchNorm2d(out_channels).
        shortcut: an empty `nn.Sequential()`, which returns its input, where the block keeps the
            shape (stride 1, in_channels == out_channels). Elsewhere an `nn.Sequential` of a 1 x 1
            convolution, in_channels -> out_channels, with the stride, without bias, and a
            BatchNorm2d(out_channels). No ReLU in it.

    All normalisations are those of models/layers.py. That no convolution has a bias, so that the
    numbers of parameters are those of the handout, is looked at in `project.robustness`.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        """Make the layers.

        Args:
            in_channels: channels of the input, at least 1.
            out_channels: channels of the output, at least 1.
            stride: 1, or 2 to halve height and width.
        """
        super().__init__()
        raise NotImplementedError("project.blocks: fill in BasicBlock.__init__")

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output.

        `x`: shape (N, in_channels, H, W); that it is not changed is looked at in
        `project.robustness`. Returns shape (N, out_channels, H / stride, W / stride), rounded up,
        no entry negative.
        """
        raise NotImplementedError("project.blocks: fill in BasicBlock.forward")


class ResNet18(nn.Module):
    """The network: a convolution, eight blocks in four stages, the average, a linear layer.

    There is no max-pooling behind the first convolution: images of 32 x 32 are small already.

    The names of the attributes are ours; others do as well.

    Attributes:                                                        output, for (N, 3, 32, 32)
        conv1: 3 x 3, 3 -> 64, stride 1, padding 1, no bias;               (N, 64, 32, 32)
        bn1: BatchNorm2d(64), with a ReLU behind it;                       (N, 64, 32, 32)
        layer1: nn.Sequential of two BasicBlocks, 64 channels;             (N, 64, 32, 32)
        layer2: the same with 128 channels, the first block with stride 2; (N, 128, 16, 16)
        layer3: the same with 256 channels, the first block with stride 2; (N, 256, 8, 8)
        layer4: the same with 512 channels, the first block with stride 2; (N, 512, 4, 4)
        fc: nn.Linear(512, num_classes), on the average over the image;    (N, num_classes)
    """

    def __init__(self, num_classes: int = 10) -> None:
        """Make the layers.

        `num_classes`: the number of classes, at least 1. (Others than ten are beyond the texts:
        `project.robustness`.)
        """
        super().__init__()
        raise NotImplementedError("project.network: fill in ResNet18.__init__")

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits.

        `x`: normalised images, shape (N, 3, 32, 32), floating point. Returns shape
        (N, num_classes): scores, without a softmax. The loss takes care of that.
        """
        raise NotImplementedError("project.network: fill in ResNet18.forward")
