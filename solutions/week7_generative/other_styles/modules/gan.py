"""A GAN with one hidden layer; losses of log-sigmoids, and an opponent frozen meanwhile."""

from __future__ import annotations

import argparse
import time
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

PIXELS = 784
PARAMETERS = 2_000_000


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return minus the mean log-probabilities of the truth."""
    return -(logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean())


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Return minus the mean log-probability that the images are real."""
    return -torch.mean(logsigmoid(fake_logits))


class Generator(nn.Module):
    """One hidden layer, and a tanh that is brought to the range of pixels."""

    def __init__(self, latent: int = 64) -> None:
        """Create the layers."""
        super().__init__()
        self.latent = latent
        self.first = nn.Linear(latent, 256)
        self.norm = nn.BatchNorm1d(256)
        self.second = nn.Linear(256, PIXELS)

    def forward(self, z: Tensor) -> Tensor:
        """Return images, (N, PIXELS)."""
        seen = torch.relu(self.norm(self.first(z)))
        return 0.5 * (torch.tanh(self.second(seen)) + 1.0)


class Discriminator(nn.Module):
    """Two layers, as a loop over them."""

    def __init__(self) -> None:
        """Create the layers."""
        super().__init__()
        self.hidden = nn.ModuleList([nn.Linear(PIXELS, 256), nn.Linear(256, 64)])
        self.drop = nn.Dropout(0.3)
        self.last = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, (N,)."""
        for layer in self.hidden:
            x = self.drop(nn.functional.leaky_relu(layer(x), 0.2))
        return self.last(x)[:, 0]


class GAN:
    """Both networks and their optimizers."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, lr: float = 0.001) -> None:
        """Keep the networks; make an Adam for each."""
        self.generator = generator
        self.discriminator = discriminator
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), lr, betas=(0.5, 0.999))
        self.discriminator_optimizer = torch.optim.Adam(
            discriminator.parameters(), lr, betas=(0.5, 0.999)
        )

    @staticmethod
    def descend(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
        """Move a network by the gradient of a loss."""
        network.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    def discriminator_step(self, x: Tensor, z: Tensor) -> float:
        """Move the discriminator."""
        made = self.generator(z).detach()
        fake = self.discriminator(made)
        loss = discriminator_loss(self.discriminator(x), fake)
        return self.descend(self.discriminator, self.discriminator_optimizer, loss)

    def generator_step(self, z: Tensor) -> float:
        """Move the generator; no gradient is kept for the discriminator's numbers."""
        self.discriminator.requires_grad_(False)
        loss = generator_loss(self.discriminator(self.generator(z)))
        said = self.descend(self.generator, self.generator_optimizer, loss)
        self.discriminator.requires_grad_(True)
        return said

    def train_step(self, x: Tensor, z: Tensor) -> tuple[float, float]:
        """Move one after the other."""
        of_discriminator, of_generator = z
        return (self.discriminator_step(x, of_discriminator), self.generator_step(of_generator))


def train(
    gan: GAN, images: Tensor, steps: int, batch_size: int = 128, seed: int = 0
) -> list[tuple[float, float]]:
    """Train both networks."""
    torch.manual_seed(seed)
    modes = (gan.generator, gan.discriminator)
    [network.train(True) for network in modes]
    found = []
    for _ in range(steps):
        x = images[torch.randint(len(images), (batch_size,))]
        found.append(gan.train_step(x, torch.randn(2, batch_size, gan.generator.latent)))
    [network.train(False) for network in modes]
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
