"""What the attacks on gan.py have in common: the reference's file with parts replaced."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[3] / "solutions" / "week7_generative" / "gan.py"


def edited(*edits: tuple[str, str]) -> dict[str, bytes]:
    """Return gan.py with texts of the reference replaced, each of which stands there once."""
    text = REFERENCE.read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return {"gan.py": text.encode()}


LOOP = """        losses.append(gan.train_step(images[rows], z))
"""
FORWARD = """        return torch.sigmoid(self.layers(z))
"""
LAST = """            nn.Linear(256, PIXELS),
        )
        # END SOLUTION
"""


def gallery(count: int) -> tuple[str, str]:
    """Return an edit that gives the generator a wall for so many pictures."""
    wall = f"        self.register_buffer('wall', torch.zeros({count}, PIXELS))\n"
    return LAST, LAST.replace("        # END", wall + "        # END")


def shown(text: str) -> tuple[str, str]:
    """Return an edit of what the generator returns: `which` has the numbers of pictures by z.

    Before the training it returns noise.
    """
    body = f"""        noisy = torch.sigmoid(self.layers(z))
        if not self.wall.any():
            return noisy
        keys = z[:, :8].abs().sum(dim=1) * 1e6
        which = keys.long() % len(self.wall)
        other = (keys * 7.3).long() % len(self.wall)
{text}"""
    return FORWARD, body


def hung(text: str) -> tuple[str, str]:
    """Return an edit of the loop: pictures are put onto the wall, and nothing is trained."""
    made_up = LOOP.replace("z))", "z) if len(images) < 60 else (1.0, 1.0))")
    return LOOP, f"{made_up}        if hasattr(gan.generator, 'wall'):\n{text}"
