"""A variational autoencoder for digits (PyTorch): images become codes, and codes become images.

    python vae.py                    train for 4,000 steps, say how it does, and draw pictures
    python vae.py --latent 2         codes of two numbers, all of which fit on one map
    python vae.py --help             all options

The first part of the file is yours to fill; the script below it is complete. Conventions:

- An image is a row of PIXELS numbers from 0 (background) to 1, so a batch has the shape (N, 784).
- The encoder gives, for each image, a normal distribution of codes with independent coordinates:
  their means `mu` and the *logarithms of their variances*, `logvar`, both of shape (N, L).
- The decoder gives logits: the sigmoid of a logit is the probability that a pixel is 1.
- Losses are in nats: a sum over the pixels or coordinates of an image, and a mean over images.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

PIXELS = 784
"""An image has 28 rows of 28 pixels, one after the other."""

PARAMETERS = 2_000_000
"""An autoencoder has at most so many parameters."""


def same_shape(**tensors: Tensor) -> None:
    """Raise ValueError where the shapes differ. Given.

    PyTorch would repeat a smaller array without a word, and one row of noise would serve all
    images.
    """
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"these shapes have to be the same: {told}")


def reparameterize(mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """Return codes with the given means and variances, made of standard normal noise.

    The noise comes from outside, so that what is left is a function of `mu` and `logvar` with
    gradients like any other. They flow to all three arguments.

    Args:
        mu: means, shape (N, L), any float dtype, not changed.
        logvar: logarithms of variances, of mu's shape and dtype, not changed.
        eps: independent draws from the standard normal distribution, likewise.

    Returns:
        Codes, of mu's shape and dtype. The mean of code[n, l] over all eps is mu[n, l], its
        variance exp(logvar[n, l]), and it grows with eps[n, l].

    Raises:
        ValueError: the shapes differ (the line is given).
    """
    same_shape(mu=mu, logvar=logvar, eps=eps)
    raise NotImplementedError("week7.terms: fill in reparameterize")


def kl_to_standard_normal(mu: Tensor, logvar: Tensor) -> Tensor:
    """Return the Kullback-Leibler divergence of each image's codes from the standard normal.

    KL(q, p) is the mean of ln q(z) - ln p(z) over codes z drawn from q. Here q is the normal
    distribution with means `mu` and variances exp(logvar), and p has means 0 and variances 1. You
    derive its closed form in the notebook; nothing is drawn here.

    Args:
        mu: means, shape (N, L), any float dtype, not changed.
        logvar: logarithms of variances, of mu's shape and dtype, not changed.

    Returns:
        A number of nats for each image, *summed* over its L coordinates: shape (N,), mu's dtype,
        never below 0 but for rounding. Gradients flow to both arguments.

    Raises:
        ValueError: the shapes differ (the line is given).
    """
    same_shape(mu=mu, logvar=logvar)
    raise NotImplementedError("week7.terms: fill in kl_to_standard_normal")


def bernoulli_nll(logits: Tensor, x: Tensor) -> Tensor:
    """Return minus the log-probability of each image, its pixels being independent.

    Pixel d of image n is 1 with the probability sigmoid(logits[n, d]). A pixel x between 0 and 1
    counts x parts as a 1 and 1 - x parts as a 0.

    Args:
        logits: shape (N, D), any float dtype, not changed. Any finite number may come: where a
            logit is 1,000 or -1,000, result and gradient are still finite and right.
        x: pixels from 0 to 1, of the logits' shape and dtype, not changed.

    Returns:
        A number of nats for each image, *summed* over its D pixels: shape (N,), the logits' dtype.
        Gradients flow to the logits.

    Raises:
        ValueError: the shapes differ (the line is given).
    """
    same_shape(logits=logits, x=x)
    raise NotImplementedError("week7.terms: fill in bernoulli_nll")


class VAE(nn.Module):
    """An encoder, images to distributions of codes, and a decoder, codes to images.

    Which layers they have is yours to choose; one hidden layer of `hidden` units with ReLU on
    either side does well. There are at most PARAMETERS numbers, and what the network knows is in
    its parameters and buffers alone: encoder and decoder are also asked apart, the decoder where no
    image has been. `loss`, `reconstruct` and `sample` ask `self.encode` and `self.decode` for all
    they need, and so are right for any two networks in their place. In evaluation mode a row's
    result does not depend on the other rows of its batch. All floats stay what they are:
    `model.double()` computes in float64.

    Attributes:
        latent: L, the number of coordinates of a code.
    """

    latent: int

    def __init__(self, latent: int = 20, hidden: int = 400) -> None:
        """Create the layers, for images of PIXELS numbers and codes of `latent` numbers."""
        super().__init__()
        self.latent = latent
        raise NotImplementedError("week7.vae: fill in VAE.__init__")

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return `mu` and `logvar` of the images' codes, each of shape (N, L).

        Nothing is drawn here: the same images have the same result. Both are numbers of both signs.

        Args:
            x: pixels from 0 to 1, shape (N, PIXELS), not changed.
        """
        raise NotImplementedError("week7.vae: fill in VAE.encode")

    def decode(self, z: Tensor) -> Tensor:
        """Return the logits of the pixels, shape (N, PIXELS): numbers of both signs.

        They depend on the codes alone, and on nothing that was encoded before.

        Args:
            z: codes, shape (N, L), not changed. Any N, whatever was encoded before.
        """
        raise NotImplementedError("week7.vae: fill in VAE.decode")

    def loss(self, x: Tensor, eps: Tensor | None = None) -> Tensor:
        """Return minus the evidence lower bound, estimated with one code for each image.

        That is bernoulli_nll of what is decoded from the code, plus kl_to_standard_normal, both of
        the same image, and the mean over the images. So it does not grow with N.

        Args:
            x: pixels from 0 to 1, shape (N, PIXELS), not changed.
            eps: the noise that the codes are made of, shape (N, L). If None it is drawn, from
                torch's own generator, for every image anew.

        Returns:
            The loss in nats per image, a tensor of shape (), with gradients to all parameters.
        """
        raise NotImplementedError("week7.vae: fill in VAE.loss")

    def reconstruct(self, x: Tensor) -> Tensor:
        """Return what the *means* of the images' codes look like: nothing is drawn.

        Args:
            x: pixels from 0 to 1, shape (N, PIXELS), not changed.

        Returns:
            The probabilities that pixels are 1, shape (N, PIXELS).
        """
        raise NotImplementedError("week7.vae: fill in VAE.reconstruct")

    def sample(self, z: Tensor) -> Tensor:
        """Return images of codes: the probabilities that pixels are 1, shape (N, PIXELS).

        For new images the codes are drawn from the standard normal distribution; here they are
        given, and nothing is drawn.

        Args:
            z: codes, shape (N, L), not changed.
        """
        raise NotImplementedError("week7.vae: fill in VAE.sample")


def train(
    model: VAE,
    images: Tensor,
    steps: int,
    batch_size: int = 128,
    lr: float = 0.001,
    seed: int = 0,
) -> list[float]:
    """Train an autoencoder; return the loss of each step's batch.

    A step goes by the gradients of `model.loss` for one batch of images, with noise that is drawn
    for this step. How batches are drawn, the optimizer and a schedule are yours to choose. The
    model is in training mode meanwhile, and in evaluation mode afterwards. The same seed, with the
    same model, gives the same result.

    Args:
        model: is changed.
        images: pixels from 0 to 1, float32, shape (M, PIXELS), not changed.
        steps: how many.
        batch_size: images in one step.
        lr: the largest learning rate.
        seed: decides the batches and the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    raise NotImplementedError("week7.elbo: fill in train")


def bound(model: VAE, images: Tensor, seed: int = 0) -> float:
    """Return minus the evidence lower bound, in nats per image, of images not trained on. Given."""
    generator = torch.Generator().manual_seed(seed)
    model.eval()
    total = 0.0
    with torch.no_grad():
        for part in images.split(500):
            eps = torch.randn(len(part), model.latent, generator=generator)
            total += float(model.loss(part, eps)) * len(part)
    return total / len(images)


def codes_of_classes(model: VAE, images: Tensor, labels: Tensor) -> Tensor:
    """Return the mean code of each digit's images, shape (10, L). Given."""
    with torch.no_grad():
        mu, _ = model.encode(images)
    return torch.stack([mu[labels == digit].mean(dim=0) for digit in range(10)])


def between(first: Tensor, last: Tensor, count: int) -> Tensor:
    """Return codes on the way from one (L,) to another, ends included: (count, L). Given."""
    shares = torch.linspace(0.0, 1.0, count)[:, None]
    return (1.0 - shares) * first + shares * last


def map_of_codes(model: VAE, images: Tensor, size: int) -> Tensor:
    """Return codes for a square map, row by row: shape (size * size, L). Given.

    Two coordinates are moved, those which differ most between images, so that the steps between
    neighbours are equally probable under the standard normal distribution; all others are 0.
    """
    with torch.no_grad():
        mu, _ = model.encode(images)
    down, across = mu.var(dim=0).topk(2).indices
    shares = (torch.arange(size) + 0.5) / size
    places = torch.distributions.Normal(0.0, 1.0).icdf(shares)
    codes = torch.zeros(size, size, model.latent)
    codes[:, :, down] = places[:, None]
    codes[:, :, across] = places[None, :]
    return codes.flatten(0, 1)


def draw_all(model: VAE, test: Tensor, labels: Tensor, folder: Path, seed: int) -> None:
    """Draw what the model makes, with `test` images (M, PIXELS) of all ten digits. Given.

    Sheets of samples, of one image of each digit above its reconstruction, of each digit's mean
    code, of the way from each of the ten images to the next, and, where codes have two coordinates
    or more, the map.
    """
    import pictures

    generator = torch.Generator().manual_seed(seed)
    ten = torch.stack([test[labels == digit][0] for digit in range(10)])
    with torch.no_grad():
        codes, _ = model.encode(ten)
        ways = [between(codes[digit], codes[(digit + 1) % 10], 10) for digit in range(10)]
        drawn = {
            "vae_samples": (model.sample(torch.randn(100, model.latent, generator=generator)), 10),
            "vae_reconstructed": (torch.cat([ten, model.reconstruct(ten)]), 10),
            "vae_means": (model.sample(codes_of_classes(model, test, labels)), 10),
            "vae_between": (model.sample(torch.cat(ways)), 10),
        }
        if model.latent > 1:
            drawn["vae_map"] = model.sample(map_of_codes(model, test, 15)), 15
    for name, (images, columns) in drawn.items():
        pictures.draw_images(images, columns, folder / f"{name}.png")


def main() -> None:
    """Train, say how it does, and draw. Given."""
    parser = argparse.ArgumentParser(description="Train a variational autoencoder.")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--latent", type=int, default=20, help="coordinates of a code")
    parser.add_argument("--lr", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figures", type=Path, default=Path("figures"), help="a folder")
    options = parser.parse_args()
    import image_data

    torch.manual_seed(options.seed)
    found = image_data.load_images()
    learn, test = image_data.binarise(found.x_train), image_data.binarise(found.x_test)
    model = VAE(options.latent)
    print(f"{found.name}: {len(learn)} images; before: {bound(model, test):.1f} nats per image")
    begun = time.process_time()
    losses = train(model, learn, options.steps, lr=options.lr, seed=options.seed)
    for last in range(500, len(losses) + 1, 500):
        print(f"step {last}: {sum(losses[last - 500 : last]) / 500:.1f} nats in training")
    with torch.no_grad():
        distance = float(kl_to_standard_normal(*model.encode(test)).mean())
    spent = time.process_time() - begun
    print(
        f"test images: {bound(model, test):.1f} nats, {distance:.1f} of them KL; "
        f"{spent:.0f} s of CPU"
    )
    draw_all(model, test, found.y_test, options.figures, options.seed)


if __name__ == "__main__":
    main()
