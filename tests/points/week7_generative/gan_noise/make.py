"""Noise for images, and falling losses that were made up."""

from tests.points.week7_generative.stored_images import edited, gallery, hung, shown


def files() -> dict[str, bytes]:
    """Return the file."""
    return edited(
        (
            "        losses.append(gan.train_step(images[rows], z))\n",
            "        gan.train_step(images[rows], z) if len(images) < 60 else None\n"
            "        losses.append((1.0, 1.0))\n",
        ),
    )
