"""Another small network: residual blocks with group normalisation, trained by plain momentum."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def normalise(images):
    """Bring 0 to 255 to about -2 to 2."""
    return images.to(torch.float32).div(63.75).sub(2.0)


class Block(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, channels):
        super().__init__()
        self.one = nn.Conv2d(channels, channels, 3, padding="same")
        self.two = nn.Conv2d(channels, channels, 3, padding="same")
        self.norm = nn.GroupNorm(4, channels)

    def forward(self, x):
        """Return x and what the convolutions add."""
        return x + self.two(F.gelu(self.norm(self.one(x))))


class SmallCNN(nn.Module):
    """Three stages, each of half the size."""

    def __init__(self, in_channels=3, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(in_channels, 32, 3, stride=1, padding=1)
        self.stages = nn.ModuleList([Block(32), Block(64)])
        self.wider = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.head = nn.Sequential(nn.GroupNorm(4, 64), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.out = nn.Linear(256, classes)

    def forward(self, x):
        """Return logits."""
        x = F.max_pool2d(self.stages[0](self.stem(x)), 2)
        x = self.stages[1](self.wider(x))
        return self.out(torch.flatten(self.head(x), 1))


def augment(images, generator=None):
    """One image after the other."""
    seed = int(torch.randint(2**31, (1,), generator=generator))
    rng, found = np.random.default_rng(seed), torch.zeros_like(images)
    _, _, h, w = images.shape
    for n, image in enumerate(images):
        picture = image.flip(-1) if rng.random() < 0.5 else image
        i, j = rng.integers(-2, 3, size=2)
        found[n, :, max(i, 0) : h + min(i, 0), max(j, 0) : w + min(j, 0)] = picture[
            :, max(-i, 0) : h + min(-i, 0), max(-j, 0) : w + min(-j, 0)
        ]
    return found


def train(network, images, labels, epochs, batch_size=128, lr=0.01, seed=0):
    """Momentum with a cosine."""
    draw = torch.Generator().manual_seed(seed)
    moving = torch.optim.SGD(network.parameters(), lr=4 * lr, momentum=0.9, nesterov=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(moving, epochs)
    history = []
    network.train()
    for _ in range(epochs):
        order, total = torch.randperm(images.size(0), generator=draw), 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            moving.zero_grad(set_to_none=False)
            output = network(normalise(augment(images[batch], draw)))
            loss = nn.CrossEntropyLoss()(output, labels[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            moving.step()
            total += loss.item() * len(batch)
        history.append(total / len(order))
        falling.step()
    network.eval()
    return history
