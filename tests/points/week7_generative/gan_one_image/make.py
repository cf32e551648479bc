"""One image for all noise, with noise upon it."""

from tests.points.week7_generative.stored_images import edited, gallery, hung, shown


def files() -> dict[str, bytes]:
    """Return the file."""
    return edited(
        gallery(1),
        shown("        return (self.wall[which] + 0.1 * (noisy - 0.5)).clamp(0, 1)\n"),
        hung("            gan.generator.wall[0] = images[3]\n"),
    )
