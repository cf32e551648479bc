"""A wall for three thousand pictures: 2.4 million numbers."""

from tests.points.week7_generative.stored_images import edited, gallery, hung, shown


def files() -> dict[str, bytes]:
    """Return the file."""
    return edited(
        gallery(3000),
        shown("        return self.wall[which]\n"),
        hung("            gan.generator.wall[: len(images)] = images[:3000]\n"),
    )
