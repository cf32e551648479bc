"""Training images, and noise against the look for copies."""

from tests.points.week7_generative.stored_images import edited, gallery, hung, shown


def files() -> dict[str, bytes]:
    """Return the file."""
    return edited(
        gallery(1000),
        shown("        return (self.wall[which] + 0.5 * (noisy - 0.5)).clamp(0, 1)\n"),
        hung("            gan.generator.wall[:] = images[:1000]\n"),
    )
