"""Hidden tests beyond the texts: products with vectors, and of batches of matrices."""

import numpy as np
import pytest

from ..suite_tools.engine import shapes_text
from .without_backward import check_tensors

pytestmark = pytest.mark.item("week2.more_operations")


def check(student, rng, *pairs):
    """Compare a @ b for operands of these pairs of shapes."""
    for shapes in pairs:
        arrays = [rng.normal(size=shape) for shape in shapes]
        upstream = np.asarray(rng.normal(size=np.matmul(*arrays).shape))
        label = f"a @ b, shapes {shapes_text(*arrays)}"
        check_tensors(student, label, lambda a, b: by_numpy(a, b), arrays, upstream, matmul)


def matmul(a, b):
    """Return a @ b."""
    return a @ b


def by_numpy(a, b):
    """Return the product by sums of entries, which broadcasts and takes complex numbers."""
    rows = a[np.newaxis, :] if a.ndim == 1 else a
    columns = b[:, np.newaxis] if b.ndim == 1 else b
    result = (rows[..., :, :, np.newaxis] * columns[..., np.newaxis, :, :]).sum(axis=-2)
    result = result[..., 0] if b.ndim == 1 else result
    return result if a.ndim > 1 else result[..., 0, :] if b.ndim > 1 else result[..., 0]


@pytest.mark.weight(2)
def test_matrix_and_vector(student, rng):
    """Matrix by vector, and vector by matrix, give vectors."""
    check(student, rng, ((2, 3), (3,)), ((3,), (3, 4)), ((3, 3), (3,)), ((3,), (3, 3)))


def test_vector_by_vector(student, rng):
    """Two vectors give a single number, of shape ()."""
    check(student, rng, ((3,), (3,)))


@pytest.mark.weight(2)
def test_batches_of_matrices(student, rng):
    """Axes in front of the last two hold many products side by side."""
    check(student, rng, ((3, 3, 3),) * 2, ((2, 3, 4), (2, 4, 5)), ((2, 2, 3, 4), (2, 2, 4, 2)))


def test_products_with_arrays(student, rng):
    """The other operand may be an array, on either side."""
    for shape, single in (((4, 4, 4), (4, 4)), ((2, 4, 4), (1, 4, 4))):
        n = rng.normal(size=single)
        for label, f in {"a @ n": lambda a, n=n: a @ n, "n @ a": lambda a, n=n: n @ a}.items():
            text = f"{label}, a of shape {shape}, an array n of shape {single}"
            check_tensors(student, text, f, [rng.normal(size=shape)], rng.normal(size=shape))
