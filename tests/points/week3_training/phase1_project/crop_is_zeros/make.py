"""A crop that gives black images."""

from tests.points.week3_training.phase1_project.cropping import loader_with


def files() -> dict[str, bytes]:
    """Return the submission."""
    return loader_with("return torch.zeros_like(images)")
