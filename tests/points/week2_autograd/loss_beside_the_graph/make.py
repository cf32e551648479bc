"""The reference's layers, and a loss that belongs to no graph."""

from pathlib import Path

LOSS = '''

def cross_entropy(logits, labels):
    """The loss, beside the graph."""
    z, y = logits.data, np.asarray(labels)
    if z.ndim != 2 or y.shape != (len(z),) or y.min() < 0 or y.max() >= z.shape[1]:
        raise ValueError("labels")
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    out = Tensor(-np.mean(log_p[np.arange(len(y)), y]), requires_grad=True)
    gradient = (np.exp(log_p) - np.eye(z.shape[1])[y]) / len(y)

    def put():
        logits.grad = (0 if logits.grad is None else logits.grad) + out.grad * gradient

    out._backward = put
    return out


class AutogradMLP:
    """None."""
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    root = Path(__file__).resolve().parents[4]
    text = (root / "solutions" / "week2_autograd" / "mnist_autograd.py").read_text("utf-8")
    return {"mnist_autograd.py": (text + LOSS).encode()}
