"""The reference's loader with another body for random_crop."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
LOADER = "data/cifar10_loader.py"
FIRST, NEXT = "def random_crop(", "\n\n\ndef "


def loader_with(body: str) -> dict[str, bytes]:
    """Return a submission's loader, whose random_crop has this one line in it."""
    text = (ROOT / "solutions" / "week3_training" / "phase1_project" / LOADER).read_text("utf-8")
    before, _, rest = text.partition(FIRST)
    head, docstring, _ = rest.partition(NEXT)[0].split('"""')
    made = f'{FIRST}{head}"""{docstring}"""\n    {body}'
    return {LOADER: f"{before}{made}{NEXT}{rest.partition(NEXT)[2]}".encode()}
