"""What week 4's hidden suites expect, against PyTorch's convolution and pooling."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
functional = torch.nn.functional

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "assignments/week4_cnn/hidden/formulas.py"
SETTINGS = [(3, 2, 1, 0), (3, 3, 2, 1), (2, 1, 3, 0), (4, 3, 2, 2), (1, 1, 2, 1)]
"""Rows and columns of the window, stride, padding."""


@pytest.fixture(scope="module")
def formulas():
    spec = importlib.util.spec_from_file_location("week4_formulas", FILE)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def tensor(x):
    """Return images as PyTorch has them, ready for gradients."""
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))).requires_grad_()


def array(x):
    """Return PyTorch's images as ours."""
    return x.detach().numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize("setting", SETTINGS)
def test_convolution(formulas, setting):
    kh, kw, stride, padding = setting
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(size=(2, 9, 7, 3)), rng.normal(size=(kh, kw, 3, 4))
    theirs, weight = tensor(x), torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
    weight.requires_grad_()
    y = functional.conv2d(theirs, weight, stride=stride, padding=padding)
    assert np.allclose(formulas.conv2d(x, kernel, stride, padding), array(y))
    grad = rng.normal(size=array(y).shape)
    y.backward(torch.from_numpy(grad.transpose(0, 3, 1, 2).copy()))
    dx, dkernel = formulas.conv2d_backward(grad, x, kernel, stride, padding)
    assert np.allclose(dx, array(theirs.grad))
    assert np.allclose(dkernel, weight.grad.numpy().transpose(2, 3, 1, 0))


@pytest.mark.parametrize("setting", SETTINGS)
def test_columns(formulas, setting):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 9, 7, 3))
    columns = formulas.im2col(x, *setting)
    kernel = rng.normal(size=(*setting[:2], 3, 4))
    y = formulas.conv2d(x, kernel, *setting[2:])
    assert np.allclose(columns @ kernel.reshape(-1, 4), y.reshape(-1, 4))
    other = rng.normal(size=columns.shape)
    back = formulas.col2im(other, x.shape, *setting)
    assert np.isclose(np.sum(columns * other), np.sum(x * back))


@pytest.mark.parametrize(("size", "stride", "padding"), [(2, None, 0), (3, 2, 1), (2, 3, 0)])
def test_pooling(formulas, size, stride, padding):
    rng = np.random.default_rng(3)
    x = rng.integers(-3, 0, size=(2, 8, 7, 3)).astype(np.float64)
    theirs = tensor(x)
    y = functional.max_pool2d(theirs, size, stride, padding)
    assert np.array_equal(formulas.max_pool2d(x, size, stride, padding), array(y))
    grad = rng.normal(size=array(y).shape)
    y.backward(torch.from_numpy(grad.transpose(0, 3, 1, 2).copy()))
    received = formulas.max_pool2d_backward(grad, x, size, stride, padding)
    assert np.allclose(received, array(theirs.grad))
