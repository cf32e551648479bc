"""ResNet-18: a stem, four stages, a classifier."""

from itertools import pairwise

from torch import nn

from models.layers import BasicBlock, conv_bn


def make_layer(inplanes, planes, stride):
    """Return a stage of two blocks."""
    return nn.Sequential(
        BasicBlock(inplanes=inplanes, planes=planes, stride=stride),
        BasicBlock(inplanes=planes, planes=planes),
    )


class ResNet18(nn.Module):
    """The network for images of 32 x 32."""

    def __init__(self):
        super().__init__()
        widths = [64, 64, 128, 256, 512]
        stages = [
            make_layer(before, after, 1 if number == 0 else 2)
            for number, (before, after) in enumerate(pairwise(widths))
        ]
        self.features = nn.Sequential(conv_bn(3, 64, 3), nn.ReLU(inplace=True), *stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(512 * BasicBlock.expansion, 10)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        """Return the logits."""
        return self.classifier(self.pool(self.features(x)).flatten(1))
