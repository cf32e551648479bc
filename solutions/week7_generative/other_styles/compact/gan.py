"""A GAN with cross-entropies of labels, a smoothed one among them, and shuffled epochs."""

from __future__ import annotations

import argparse
import time
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

PIXELS = 784
PARAMETERS = 2_000_000


def labelled(logits: Tensor, label: float) -> Tensor:
    """Return the mean cross-entropy of logits with one label for all."""
    return cross_entropy(logits, torch.full_like(logits, label))


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return the cross-entropies of both kinds of images, added up."""
    return labelled(real_logits, 1.0) + labelled(fake_logits, 0.0)


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Return the cross-entropy of generated images that pose as real ones."""
    return labelled(fake_logits, 1.0)


class Generator(nn.Sequential):
    """Two hidden layers in a row."""

    def __init__(self, latent: int = 64) -> None:
        """Create the layers."""
        super().__init__(
            nn.Linear(latent, 192),
            nn.BatchNorm1d(192),
            nn.LeakyReLU(0.1),
            nn.Linear(192, 256),
            nn.BatchNorm1d(256),
            nn.LeakyReLU(0.1),
            nn.Linear(256, PIXELS),
            nn.Sigmoid(),
        )
        self.latent = latent


class Discriminator(nn.Sequential):
    """Two hidden layers with dropout."""

    def __init__(self) -> None:
        """Create the layers."""
        super().__init__(
            nn.Dropout(0.1),
            nn.Linear(PIXELS, 256),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(256, 128),
            nn.LeakyReLU(0.2),
            nn.Linear(128, 1),
            nn.Flatten(0),
        )


class GAN:
    """Both networks and their optimizers."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, lr: float = 0.0005) -> None:
        """Keep the networks; make an AdamW for each."""
        self.generator, self.discriminator = generator, discriminator
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.AdamW(network.parameters(), lr=lr, betas=(0.5, 0.99), weight_decay=0.0)
            for network in (generator, discriminator)
        )

    def discriminator_step(self, x: Tensor, z: Tensor) -> float:
        """Move the discriminator, with real labels of 0.9."""
        with torch.no_grad():
            fake = self.generator(z)
        self.discriminator_optimizer.zero_grad()
        real = labelled(self.discriminator(x), 0.9)
        false = labelled(self.discriminator(fake), 0.0)
        real.backward()
        false.backward()
        self.discriminator_optimizer.step()
        return float(real.detach() + false.detach())

    def generator_step(self, z: Tensor) -> float:
        """Move the generator; the discriminator needs no gradients meanwhile."""
        loss = generator_loss(self.discriminator(self.generator(z)))
        numbers = [one for one in self.generator.parameters() if one.requires_grad]
        for number, slope in zip(numbers, torch.autograd.grad(loss, numbers), strict=True):
            number.grad = slope
        self.generator_optimizer.step()
        return float(loss.detach())

    def train_step(self, x: Tensor, z: Tensor) -> tuple[float, float]:
        """Move one after the other."""
        first = self.discriminator_step(x, z[0])
        return first, self.generator_step(z[1])


def train(
    gan: GAN, images: Tensor, steps: int, batch_size: int = 128, seed: int = 0
) -> list[tuple[float, float]]:
    """Train with shuffled epochs, whose incomplete last batches are left out."""
    drawn = torch.Generator().manual_seed(seed)
    for network in (gan.generator, gan.discriminator):
        network.train()
    found: list[tuple[float, float]] = []
    while len(found) < steps:
        for rows in torch.randperm(len(images), generator=drawn).split(batch_size):
            if len(rows) < batch_size or len(found) == steps:
                continue
            noise = [torch.randn(batch_size, gan.generator.latent, generator=drawn) for _ in "DG"]
            found.append(gan.train_step(images[rows], torch.stack(noise)))
    for network in (gan.generator, gan.discriminator):
        network.eval()
    return found


def generate(generator: nn.Module, count: int, latent: int, seed: int = 0) -> Tensor:
    """Return generated images, in evaluation mode: shape (count, PIXELS). Given."""
    z = torch.randn(count, latent, generator=torch.Generator().manual_seed(seed))
    generator.eval()
    with torch.no_grad():
        return generator(z)


def main() -> None:
    """Train in five parts, draw the same noise after each, and measure the last images. Given."""
    parser = argparse.ArgumentParser(description="Train a generative adversarial network.")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--latent", type=int, default=64, help="coordinates of the noise")
    parser.add_argument("--lr", type=float, default=0.0005)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="a folder")
    options = parser.parse_args()
    import image_data
    import measures
    import pictures

    torch.manual_seed(options.seed)
    found = image_data.load_images()
    gan = GAN(Generator(options.latent), Discriminator(), options.lr)
    print(f"{found.name}: {len(found.x_train)} images")
    begun, parts, seen = time.process_time(), [], []
    for part in range(5):
        steps = (part + 1) * options.steps // 5 - part * options.steps // 5
        parts.append(train(gan, found.x_train, steps, seed=options.seed + part))
        seen.append(generate(gan.generator, 10, options.latent, options.seed))
        means = torch.tensor(parts[-1]).reshape(-1, 2).mean(dim=0).tolist()
        print(f"part {part + 1} of 5: discriminator {means[0]:.2f}, generator {means[1]:.2f}")
    print(f"{time.process_time() - begun:.0f} s of CPU; now a classifier to judge by")
    judge = measures.trained_judge(found.x_train, found.y_train, seed=options.seed)
    tried, real = measures.two_real_sets(found.x_test)
    images = generate(gan.generator, len(tried), options.latent, options.seed)
    for name, judged in (("real", tried), ("generated", images)):
        print(f"{name}: {measures.measured(judge, judged, real)}")
    copied = measures.copies(images, found.x_train, real)
    print(f"copies of training images: {copied:.1%}")
    pictures.draw_images(torch.cat(seen), 10, options.figures / "gan_in_training.png")
    pictures.draw_images(images[:100], 10, options.figures / "gan_samples.png")
    losses = list(chain.from_iterable(parts))
    pictures.draw_losses(losses, ("discriminator", "generator"), options.figures / "gan_losses.png")


if __name__ == "__main__":
    main()
