"""Two networks against each other (PyTorch): one makes images, the other tells them from real ones.

    python gan.py                    train for 3,000 steps, measure the images, and draw them
    python gan.py --help             all options

The first part of the file is yours to fill; the script below it is complete. Conventions:

- An image is a row of PIXELS numbers from 0 (background) to 1, so a batch has the shape (N, 784).
- The generator makes images of noise z, shape (N, L), drawn from the standard normal distribution.
- The discriminator gives a logit for each image: its sigmoid is the probability that it is real.
- In each step the discriminator moves first, then the generator, each with noise of its own. The
  discriminator is given real and generated images in batches of their own.
"""

from __future__ import annotations

import argparse
import time
from itertools import chain
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

PIXELS = 784
"""An image has 28 rows of 28 pixels, one after the other."""

PARAMETERS = 2_000_000
"""A generator has at most so many parameters."""


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return what the discriminator minimises: how wrong it is about both kinds of images.

    It is the sum of two means, each of minus the log-probability that the discriminator gives to
    the truth: of real images, to be real, and of generated ones, not to be.

    Args:
        real_logits: of real images, shape (N,), any float dtype, not changed. Any finite number
            may come: where a logit is 1,000 or -1,000, result and gradient are finite and right.
        fake_logits: of generated images, shape (M,), likewise. M need not be N.

    Returns:
        A tensor of shape () and the logits' dtype. Gradients flow to both.
    """
    # BEGIN SOLUTION week7.gan_losses
    return functional.softplus(-real_logits).mean() + functional.softplus(fake_logits).mean()
    # END SOLUTION


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Return what the generator minimises, in the form that does not saturate.

    It is the mean of minus the log-probability that the discriminator gives to generated images to
    be *real*: steep where the generator is worst.

    Args:
        fake_logits: of generated images, shape (N,), any float dtype, not changed. Any finite
            number may come, as above.

    Returns:
        A tensor of shape () and the logits' dtype. Gradients flow to the logits.
    """
    # BEGIN SOLUTION week7.gan_losses
    return functional.softplus(-fake_logits).mean()
    # END SOLUTION


class Generator(nn.Module):
    """A network of your own that makes images of noise.

    What is in it is yours to choose, with at most PARAMETERS parameters; all that it knows is in
    parameters and buffers. In evaluation mode an image depends on its own noise alone, so the same
    noise gives the same image, whatever else is in its batch.

    Attributes:
        latent: L, the number of coordinates of z.
    """

    latent: int

    def __init__(self, latent: int = 64) -> None:
        """Create the layers, for noise of `latent` numbers."""
        super().__init__()
        self.latent = latent
        # BEGIN SOLUTION week7.gan_step
        self.layers = nn.Sequential(
            nn.Linear(latent, 128),
            nn.BatchNorm1d(128),
            nn.ReLU(),
            nn.Linear(128, 256),
            nn.BatchNorm1d(256),
            nn.ReLU(),
            nn.Linear(256, PIXELS),
        )
        # END SOLUTION

    def forward(self, z: Tensor) -> Tensor:
        """Return images, shape (N, PIXELS), in the range of the data: 0 to 1.

        Args:
            z: noise, shape (N, L), not changed; N at least 2 in training mode.
        """
        # BEGIN SOLUTION week7.gan_step
        return torch.sigmoid(self.layers(z))
        # END SOLUTION


class Discriminator(nn.Module):
    """A network of your own that tells real images from generated ones.

    What is in it is yours to choose. In evaluation mode a logit depends on its own image alone.
    """

    def __init__(self) -> None:
        """Create the layers, for images of PIXELS numbers."""
        super().__init__()
        # BEGIN SOLUTION week7.gan_step
        self.layers = nn.Sequential(
            nn.Linear(PIXELS, 256),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),  # against an opponent that is sure of itself too soon
            nn.Linear(256, 128),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(128, 1),
        )
        # END SOLUTION

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of "real", shape (N,): numbers of both signs, and no probabilities.

        Args:
            x: pixels from 0 to 1, shape (N, PIXELS), not changed.
        """
        # BEGIN SOLUTION week7.gan_step
        return self.layers(x).squeeze(1)
        # END SOLUTION


class GAN:
    """A generator, a discriminator, and an optimizer for each.

    The steps work with any two networks of the right shapes, and with any optimizers of PyTorch
    that are put into the attributes.

    Attributes:
        generator: makes images (N, PIXELS) of noise (N, L); `generator.latent` is L.
        discriminator: makes logits (N,) of images.
        generator_optimizer: moves the generator's parameters, and no others.
        discriminator_optimizer: moves the discriminator's parameters, and no others.
    """

    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer

    def __init__(self, generator: nn.Module, discriminator: nn.Module, lr: float = 0.0005) -> None:
        """Keep the networks; create an optimizer of your choice, with the rate lr, for each.

        Grading takes the rate that stands here: change it if your networks want another.
        """
        self.generator = generator
        self.discriminator = discriminator
        # BEGIN SOLUTION week7.gan_step
        betas = (0.5, 0.999)  # a shorter memory than usual: the other network moves as well
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), lr, betas)
        self.discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), lr, betas)
        # END SOLUTION

    def discriminator_step(self, x: Tensor, z: Tensor) -> float:
        """Take one step of the discriminator; return its loss before the step.

        The step goes by the gradients of discriminator_loss for real images and for those made of
        z, which are given to the discriminator in two batches, and by nothing else: not by
        gradients that were there before. No parameter of the generator changes, and no gradient of
        this loss gets to the generator. You may smooth labels: real images then count as real with
        a share of 0.9, say, and as generated with the rest.

        Args:
            x: real images, pixels from 0 to 1, shape (N, PIXELS), not changed.
            z: noise, shape (N, L), not changed.
        """
        # BEGIN SOLUTION week7.gan_step
        fake = self.generator(z).detach()
        real_logits, fake_logits = self.discriminator(x), self.discriminator(fake)
        loss = discriminator_loss(real_logits, fake_logits)
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        self.discriminator_optimizer.step()
        return loss.item()
        # END SOLUTION

    def generator_step(self, z: Tensor) -> float:
        """Take one step of the generator; return its loss before the step.

        The step goes by the gradients of generator_loss for the images made of z, which reach the
        generator through the discriminator, and by nothing else. No parameter of the discriminator
        changes, and nothing of this loss is in its later steps.

        Args:
            z: noise, shape (N, L), not changed.
        """
        # BEGIN SOLUTION week7.gan_step
        loss = generator_loss(self.discriminator(self.generator(z)))
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        return loss.item()
        # END SOLUTION

    def train_step(self, x: Tensor, z: Tensor) -> tuple[float, float]:
        """Take a step of the discriminator, then one of the generator; return both losses.

        Args:
            x: real images, pixels from 0 to 1, shape (N, PIXELS), not changed.
            z: noise, shape (2, N, L), not changed: z[0] is the discriminator's, z[1] the
                generator's.

        Returns:
            The losses of the discriminator and of the generator, each before its own step.
        """
        # BEGIN SOLUTION week7.gan_step
        return self.discriminator_step(x, z[0]), self.generator_step(z[1])
        # END SOLUTION


def train(
    gan: GAN, images: Tensor, steps: int, batch_size: int = 128, seed: int = 0
) -> list[tuple[float, float]]:
    """Train both networks; return what train_step returned in each step.

    Each step calls gan.train_step with a batch of images, which is drawn anew, and with new noise
    of gan.generator.latent coordinates. Both networks are in training mode meanwhile, and in
    evaluation mode afterwards. The same seed, with the same networks, gives the same result, as far
    as they draw nothing themselves.

    Args:
        gan: is changed.
        images: pixels from 0 to 1, float32, shape (M, PIXELS), not changed.
        steps: how many.
        batch_size: images in one batch, and generated images in another; M is no less.
        seed: decides the batches and the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    # BEGIN SOLUTION week7.samples
    losses = []
    gan.generator.train()
    gan.discriminator.train()
    for _ in range(steps):
        rows = torch.randint(len(images), (batch_size,), generator=generator)
        z = torch.randn(2, batch_size, gan.generator.latent, generator=generator)
        losses.append(gan.train_step(images[rows], z))
    gan.generator.eval()
    gan.discriminator.eval()
    return losses
    # END SOLUTION


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
