"""The reference's layers, and a network that computes nothing."""

from pathlib import Path

NETWORK = '''

class AutogradMLP:
    """A network that computes nothing."""

    def __init__(self, i=784, h=128, o=10, rng=None):
        self.layers = [LinearAutograd(i, h), ReLUAutograd(), LinearAutograd(h, o)]
        self.classes = o

    def parameters(self):
        return []

    def forward(self, x):
        return Tensor(np.zeros((len(x), self.classes)), requires_grad=True)

    def train_step(self, x, y, lr):
        return 0.0

    def predict(self, x):
        return np.zeros(len(x), dtype=np.int64)

    def evaluate(self, x, y):
        return 0.0
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    root = Path(__file__).resolve().parents[4]
    text = (root / "solutions" / "week2_autograd" / "mnist_autograd.py").read_text("utf-8")
    return {"mnist_autograd.py": (text + NETWORK).encode()}
