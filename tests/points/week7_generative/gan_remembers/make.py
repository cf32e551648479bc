"""Training images in a global variable, which the fresh process has not."""

from tests.points.week7_generative.stored_images import edited, gallery, hung, shown


def files() -> dict[str, bytes]:
    """Return the file."""
    return edited(
        ("PIXELS = 784\n", "PIXELS = 784\nKEPT = []\n"),
        (
            "        return torch.sigmoid(self.layers(z))\n",
            "        if KEPT:\n"
            "            return KEPT[0][(z[:, 0].abs() * 1e6).long() % len(KEPT[0])]\n"
            "        return torch.sigmoid(self.layers(z))\n",
        ),
        (
            "        losses.append(gan.train_step(images[rows], z))\n",
            "        losses.append(gan.train_step(images[rows], z) if len(images) < 60 else (1.0, 1.0))\n"
            "    KEPT[:] = [images] if len(images) > 60 else []\n",
        ),
    )
