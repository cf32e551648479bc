"""The pictures of week 7's handout: two drawn by hand, and what a trained VAE makes of digits."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from handout_pictures.svg import Picture

WEEK7 = "week7_generative"
SOLUTION = Path(__file__).resolve().parents[2] / "solutions" / WEEK7
STEPS, RATE, SHADES = 700, 0.002, 16


def autoencoder() -> str:
    """Draw an image's way through the encoder, a code and the decoder, and both terms."""
    p = Picture(520, 236, "A variational autoencoder, and the two terms of its loss")
    p.text(34, 100, "x", "strong")
    p.arrow([(46, 96), (74, 96)])
    p.box(76, 70, 88, 52, colour="blue")
    p.text(120, 101, "encoder", "strong", colour="blue")
    for y, name in ((72, "mu"), (120, "logvar")):
        p.arrow([(166, 96), (196, y)], "blue")
        p.text(226, y + 5, name, "code", colour="blue")
        p.arrow([(256, y), (284, 96)], "blue")
    p.text(300, 40, "eps", "code", colour="green")
    p.arrow([(300, 48), (300, 78)], "green")
    p.text(300, 101, "z", "strong")
    p.arrow([(318, 96), (346, 96)], "orange")
    p.box(348, 70, 88, 52, colour="orange")
    p.text(392, 101, "decoder", "strong", colour="orange")
    p.arrow([(438, 96), (466, 96)], "orange")
    p.text(490, 100, "logits", "code", colour="orange")
    p.line([(226, 132), (226, 178)], "text", dash="4 3")
    p.text(226, 196, "how far from the prior", "small")
    p.text(226, 214, "kl_to_standard_normal", "code")
    p.line([(484, 110), (440, 178)], "text", dash="4 3")
    p.line([(34, 110), (34, 160), (380, 178)], "text", dash="4 3")
    p.text(420, 196, "how probable x is", "small")
    p.text(420, 214, "bernoulli_nll", "code")
    return p.svg()


def noise_outside() -> str:
    """Draw the same draw twice: as a node that stops gradients, and with the noise outside."""
    p = Picture(520, 190, "A draw inside the graph, and noise from outside")
    for left, title, colour in (
        (20, "drawn inside", "orange"),
        (280, "noise from outside", "blue"),
    ):
        p.text(left + 110, 28, title, "strong")
        p.text(left + 30, 108, "mu, logvar", "code")
        p.box(left + 90, 84, 46, 40, colour=colour)
        p.text(left + 196, 108, "loss", "small")
        p.arrow([(left + 138, 98), (left + 178, 98)])
        p.arrow([(left + 178, 114), (left + 138, 114)], colour, dash="5 4")
    p.text(133, 109, "draw", "small")
    p.text(393, 109, "z", "strong")
    p.arrow([(72, 98), (108, 98)])
    p.arrow([(332, 98), (368, 98)])
    p.arrow([(368, 114), (332, 114)], "blue", dash="5 4")
    p.text(90, 140, "no slope", "small", colour="orange")
    p.text(393, 56, "eps", "code", colour="green")
    p.arrow([(393, 62), (393, 82)], "green")
    p.text(260, 176, "dashed: the gradient on its way back", "small soft")
    return p.svg()


def _modules() -> tuple[Any, Any]:
    """Return this week's vae and image_data."""
    if str(SOLUTION) not in sys.path:
        sys.path.insert(0, str(SOLUTION))
    import image_data
    import vae

    return vae, image_data


@cache
def _trained(latent: int) -> tuple[Any, Any, Any]:
    """Train on the digits; return the model, the test images and their labels."""
    import torch

    vae, image_data = _modules()
    sys.path.append(str(SOLUTION.parents[1]))
    import data

    found = data.load("digits")
    learn, test = (
        image_data.binarise(torch.from_numpy(x.reshape(len(x), -1).astype(np.float32) / 255.0))
        for x in (found.x_train, found.x_test)
    )
    torch.manual_seed(0)
    model = vae.VAE(latent)
    vae.train(model, learn, STEPS, lr=RATE)
    return model, test, torch.from_numpy(found.y_test.astype(np.int64))


def _png(images: Any, columns: int) -> bytes:
    """Return a sheet of images in a few shades, dark on light."""
    from PIL import Image

    pixels = images.detach().numpy().reshape(-1, columns, 28, 28)
    sheet = np.pad(pixels, ((0, 0), (0, 0), (1, 1), (1, 1)))
    sheet = sheet.transpose(0, 2, 1, 3).reshape(len(pixels) * 30, columns * 30)
    shades = np.round((1.0 - sheet) * (SHADES - 1)).astype(np.uint8)
    picture = Image.fromarray(shades, mode="P")
    greys = np.linspace(0, 255, SHADES).round().astype(np.uint8)
    picture.putpalette(np.repeat(greys, 3).tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def samples() -> bytes:
    """Draw 60 new images."""
    import torch

    model, _, _ = _trained(20)
    z = torch.randn(60, 20, generator=torch.Generator().manual_seed(1))
    return _png(model.sample(z), 15)


def reconstructed() -> bytes:
    """Draw ten test images, one of each digit, above their reconstructions."""
    import torch

    model, test, labels = _trained(20)
    ten = torch.stack([test[labels == digit][0] for digit in range(10)])
    return _png(torch.cat([ten, model.reconstruct(ten)]), 10)


def between() -> bytes:
    """Draw the way from a 4 to a 9, from a 3 to a 5 and from a 0 to a 6, by their codes."""
    import torch

    vae, _ = _modules()
    model, test, labels = _trained(20)
    ten = torch.stack([test[labels == digit][0] for digit in range(10)])
    codes, _ = model.encode(ten)
    ways = [vae.between(codes[a], codes[b], 12) for a, b in ((4, 9), (3, 5), (0, 6))]
    return _png(model.sample(torch.cat(ways)), 12)


def latent_map() -> bytes:
    """Draw what codes of two coordinates mean, in equal steps of probability."""
    vae, _ = _modules()
    model, test, _ = _trained(2)
    return _png(model.sample(vae.map_of_codes(model, test, 14)), 14)


PICTURES: dict[tuple[str, str], Callable[[], str | bytes]] = {
    (WEEK7, "autoencoder.svg"): autoencoder,
    (WEEK7, "noise_outside.svg"): noise_outside,
    (WEEK7, "vae_samples.png"): samples,
    (WEEK7, "vae_reconstructed.png"): reconstructed,
    (WEEK7, "vae_between.png"): between,
    (WEEK7, "vae_map.png"): latent_map,
}
