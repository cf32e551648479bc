"""Max pooling by the worked example."""

from pathlib import Path

POOLING = '''

def max_pool2d(x, size, stride=None, padding=0):
    """Return means."""
    return avg_pool2d(x, size)


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Return the gradient of means."""
    return avg_pool2d_backward(grad, x, size)
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    root = Path(__file__).resolve().parents[4]
    text = (root / "assignments" / "week4_cnn" / "conv.py").read_text("utf-8")
    return {"conv.py": (text + POOLING).encode()}
