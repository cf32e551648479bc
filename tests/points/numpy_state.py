"""A sigmoid whose value is right and whose exp overflows, in the reference of week 1.

Only numpy's warning tells; what hides that is up to each submission.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SIGMOID = """

{at_import}
_made = Sigmoid.__init__ if "__init__" in vars(Sigmoid) else (lambda self: None)


def _make(self):
    _made(self)
    {when_made}


def _forward(self, x):
    self.y = self.output = 1.0 / (1.0 + np.exp(-x))
    return self.y


def _backward(self, dL_dy):
    return dL_dy * self.y * (1.0 - self.y)


Sigmoid.__init__, Sigmoid.forward, Sigmoid.backward = _make, _forward, _backward
"""


def overflowing(at_import: str = "", when_made: str = "pass") -> dict[str, bytes]:
    """Return neural_net.py with that sigmoid, and lines that run at import and in each new one."""
    text = (ROOT / "solutions" / "week1_backprop" / "neural_net.py").read_text("utf-8")
    text += SIGMOID.format(at_import=at_import, when_made=when_made)
    return {"neural_net.py": text.encode()}
