"""The reference engine of week 2 against torch in float64: values and gradients to 1e-10."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "solutions" / "week2_autograd"
TOLERANCE = 1e-10
ROWS = np.array([2, 0, 2, 1])
COLUMNS = np.array([0, 3, 0, 0])
MASK = np.array([[True, False, True, False], [False] * 4, [True, True, False, True]])

# Each row: what is computed, and the shapes of what it is computed from. The same expression is
# given to both engines; where they name things differently, a function below stands between.
TABLE = [
    ("x + y", [(3, 4), (3, 4)]),
    ("x + y", [(3, 4), (4,)]),
    ("x + y", [(3, 1), (1, 4)]),
    ("x + y", [(), (2, 3)]),
    ("x + y", [(1,), ()]),
    ("x + y", [(1, 1), (5,)]),
    ("x - y", [(2, 3, 4), (3, 1)]),
    ("x - y", [(4,), (3, 4)]),
    ("x * y", [(3, 3), (3, 3)]),
    ("x * y", [(1, 3), (3, 1)]),
    ("x * y", [(1, 4, 1), (2, 1, 3)]),
    ("x * y", [(), ()]),
    ("x / y", [(3, 3), (1, 3)]),
    ("x / y", [(3,), (3, 3)]),
    ("x / y", [(2, 1, 2), (2, 2, 2)]),
    ("-x", [(2, 3)]),
    ("2.5 + x * 3", [(2, 3)]),
    ("1.5 - x / 4.0", [(2, 3)]),
    ("2.0 / x", [(2, 3)]),
    ("x ** 2", [(2, 3)]),
    ("x ** 3.0", [()]),
    ("x ** -1.5", [(2, 3)]),
    ("x ** 0", [(2, 3)]),
    ("x ** y", [(2, 3), (2, 3)]),
    ("x ** y", [(3, 1), (4,)]),
    ("2.0 ** x", [(4,)]),
    ("(x - 1.5).relu()", [(3, 4)]),
    ("x.exp()", [(3, 4)]),
    ("x.log()", [(3, 4)]),
    ("(x - 1.0).tanh()", [(3, 4)]),
    ("x @ y", [(2, 3), (3, 4)]),
    ("x @ y", [(3, 3), (3, 3)]),
    ("x @ y", [(2, 3), (3,)]),
    ("x @ y", [(3,), (3, 4)]),
    ("x @ y", [(3,), (3,)]),
    ("x @ y", [(1, 1), (1,)]),
    ("x @ y", [(5, 2, 3), (5, 3, 4)]),
    ("x @ y", [(5, 2, 3), (3, 4)]),
    ("x @ y", [(2, 3), (5, 3, 4)]),
    ("x @ y", [(5, 1, 2, 3), (4, 3, 2)]),
    ("x @ y", [(1, 2, 3), (4, 3, 1)]),
    ("x @ y", [(5, 2, 3), (3,)]),
    ("x @ y", [(3,), (5, 3, 4)]),
    ("x @ y", [(2, 5, 2, 3), (3,)]),
    ("x @ x.T", [(3, 2)]),
    ("x @ x", [(3, 3)]),
    ("x.sum()", [(2, 3)]),
    ("x.sum()", [()]),
    ("x.sum(axis=0)", [(2, 3)]),
    ("x.sum(axis=-1)", [(2, 3, 4)]),
    ("x.sum(axis=1, keepdims=True)", [(2, 3, 4)]),
    ("x.sum(axis=(0, -1))", [(2, 3, 4)]),
    ("x.sum(axis=(-3, 1), keepdims=True)", [(2, 3, 4)]),
    ("x.sum(axis=0)", [(3,)]),
    ("x.mean()", [(2, 3)]),
    ("x.mean(axis=-2)", [(2, 3, 4)]),
    ("x.mean(axis=(0, 2))", [(2, 3, 4)]),
    ("x.mean(axis=(1, -1), keepdims=True)", [(2, 3, 4)]),
    ("largest(x)", [(2, 3)]),
    ("largest(x, axis=0)", [(3, 4)]),
    ("largest(x, axis=-1, keepdims=True)", [(2, 3, 4)]),
    ("largest(x, axis=(0, -1))", [(2, 3, 4)]),
    ("largest(coarse(x), axis=1)", [(4, 6)]),
    ("largest(coarse(x))", [(4, 6)]),
    ("x.reshape(3, 4)", [(2, 6)]),
    ("x.reshape((4, -1))", [(2, 6)]),
    ("x.reshape(-1)", [(2, 3, 2)]),
    ("x.reshape(1, 1)", [()]),
    ("x.T", [(2, 3)]),
    ("axes(x, 2, 0, 1)", [(2, 3, 4)]),
    ("axes(x, -1, 0, 1)", [(2, 3, 4)]),
    ("axes(x, 1, 0, 3, 2)", [(2, 3, 4, 5)]),
    ("x[1]", [(3, 4)]),
    ("x[-1, 2]", [(3, 4)]),
    ("x[1:, ::2]", [(3, 4)]),
    ("x[..., 0]", [(2, 3, 4)]),
    ("x[:, None]", [(3, 4)]),
    ("x[ROWS]", [(3, 4)]),
    ("x[ROWS, COLUMNS]", [(3, 4)]),
    ("x[MASK]", [(3, 4)]),
    ("x[1:, ROWS]", [(3, 4)]),
    ("cross_entropy(x, ROWS)", [(4, 3)]),
    ("cross_entropy(300.0 * x, ROWS)", [(4, 3)]),
    ("x * x + x", [(2, 3)]),
    ("(x * y).sum() * x", [(2, 3), (3,)]),
    ("cross_entropy((x @ y.T + z).tanh() @ w, ROWS)", [(4, 5), (6, 5), (6,), (6, 3)]),
    (
        "((x - x.mean(axis=0)) / ((x - x.mean(axis=0)) ** 2).mean(axis=0) ** 0.5) * y",
        [(5, 3), (3,)],
    ),
]


@pytest.fixture(scope="module")
def engine():
    """The modules of the reference, by name."""
    names = ("autograd", "mnist_autograd")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in names:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in names}
        for name in names:
            del sys.modules[name]


def ours(engine: dict[str, ModuleType]) -> dict[str, object]:
    """What the table's expressions may use, for the reference."""
    return {
        "largest": lambda x, **options: x.max(**options),
        "axes": lambda x, *order: x.transpose(*order),
        "coarse": lambda x: coarse(x, engine["autograd"].Tensor),
        "cross_entropy": engine["mnist_autograd"].cross_entropy,
        **common(),
    }


def theirs() -> dict[str, object]:
    """The same for torch. Its `amax` shares the gradient among ties, its `max` over an axis not."""
    return {
        "largest": lambda x, **options: torch.amax(x, **options),
        "axes": lambda x, *order: x.permute(*order),
        "coarse": lambda x: coarse(x, torch.tensor),
        "cross_entropy": lambda x, labels: torch.nn.functional.cross_entropy(
            x, torch.tensor(labels)
        ),
        **common(),
    }


def common() -> dict[str, object]:
    return {"ROWS": ROWS, "COLUMNS": COLUMNS, "MASK": MASK}


def coarse(x, constant):
    """x, moved to whole numbers by constants: many entries are then equal, and slopes stay 1."""
    numbers = x.data if isinstance(x.data, np.ndarray) else x.detach().numpy()
    return x + constant(np.floor(2 * numbers) - numbers)


def leaves(shapes, seed: int) -> dict[str, np.ndarray]:
    """Numbers from 0.5 to 2.5: within the domain of every function of the table."""
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(0.5, 2.5, shape) for name, shape in zip("xyzw", shapes, strict=False)}


def agree(mine: np.ndarray, torchs) -> None:
    expected = torchs.detach().numpy()
    assert isinstance(mine, np.ndarray)
    assert mine.shape == expected.shape
    assert mine.dtype == np.float64
    np.testing.assert_allclose(mine, expected, rtol=TOLERANCE, atol=TOLERANCE)


@pytest.mark.parametrize(("expression", "shapes"), TABLE)
def test_the_same_as_torch(engine, expression, shapes):
    numbers = leaves(shapes, seed=len(expression))
    mine = {k: engine["autograd"].Tensor(v, requires_grad=True) for k, v in numbers.items()}
    torchs = {k: torch.tensor(v, requires_grad=True) for k, v in numbers.items()}
    result = eval(expression, ours(engine), mine)
    expected = eval(expression, theirs(), torchs)
    agree(result.data, expected)
    upstream = np.random.default_rng(1).normal(size=result.shape)
    result.backward(upstream)
    expected.backward(torch.tensor(upstream))
    for name, leaf in mine.items():
        agree(leaf.grad, torchs[name].grad)
    before = {name: leaf.grad.copy() for name, leaf in mine.items()}
    result.backward(upstream)
    for name, leaf in mine.items():
        np.testing.assert_allclose(leaf.grad, 2 * before[name], rtol=1e-12)
        np.testing.assert_array_equal(leaf.data, numbers[name])


def test_one_operand_alone_may_require_a_gradient(engine):
    """The other's is left out, and the one's is the same as with both."""
    for expression, shapes in TABLE:
        numbers = leaves(shapes, seed=3)
        if not {"x", "y"} <= set(numbers):
            continue
        gradients = []
        for wanted in ("xy", "x", "y"):
            given = {
                k: engine["autograd"].Tensor(v, requires_grad=k in wanted)
                for k, v in numbers.items()
            }
            result = eval(expression, ours(engine), given)
            result.backward(np.linspace(-1, 1, result.size).reshape(result.shape))
            gradients.append({k: t.grad for k, t in given.items()})
        both, first, second = gradients
        np.testing.assert_allclose(first["x"], both["x"], rtol=1e-12)
        np.testing.assert_allclose(second["y"], both["y"], rtol=1e-12)
        assert first["y"] is None
        assert second["x"] is None


def random_graph(constant, leaves: list, rng: np.random.Generator):
    """Return the last of 30 results, each of which joins two random earlier ones."""
    nodes = list(leaves)
    for _ in range(30):
        x, y = (nodes[rng.integers(max(0, len(nodes) - 8), len(nodes))] for _ in range(2))
        kind = rng.integers(6)
        if kind == 0:
            nodes.append(x + y)
        elif kind == 1:
            nodes.append((x * y).tanh())
        elif kind == 2:
            nodes.append(x - 0.5 * y)
        elif kind == 3:
            nodes.append(x / (y * y + 1.0))
        elif kind == 4:
            nodes.append(x.tanh().exp() * y.tanh())
        else:
            nodes.append((x.relu() + 0.1) ** 1.5 - y.tanh())
    return nodes[-1] * constant


@pytest.mark.parametrize("seed", range(15))
def test_random_graphs_of_tensors(engine, seed):
    shapes = [(3, 4), (4,), (3, 1), ()]
    numbers = [np.random.default_rng(seed).normal(size=shape) for shape in shapes]
    mine = [engine["autograd"].Tensor(v, requires_grad=True) for v in numbers]
    torchs = [torch.tensor(v, requires_grad=True) for v in numbers]
    result = random_graph(0.7, mine, np.random.default_rng(seed))
    expected = random_graph(0.7, torchs, np.random.default_rng(seed))
    agree(result.data, expected)
    result.sum().backward()
    expected.sum().backward()
    for leaf, other in zip(mine, torchs, strict=True):
        assert (leaf.grad is None) == (other.grad is None)
        if leaf.grad is not None:
            agree(leaf.grad, other.grad)


@pytest.mark.parametrize("seed", range(15))
def test_random_graphs_of_values(engine, seed):
    numbers = np.random.default_rng(seed).normal(size=4)
    mine = [engine["autograd"].Value(v) for v in numbers]
    torchs = [torch.tensor(v, requires_grad=True) for v in numbers]
    result = random_graph(0.7, mine, np.random.default_rng(seed))
    expected = random_graph(0.7, torchs, np.random.default_rng(seed))
    assert result.data == pytest.approx(expected.item(), rel=TOLERANCE, abs=TOLERANCE)
    result.backward()
    expected.backward()
    for leaf, other in zip(mine, torchs, strict=True):
        slope = 0.0 if other.grad is None else other.grad.item()
        assert leaf.grad == pytest.approx(slope, rel=TOLERANCE, abs=TOLERANCE)


VALUES = [
    "x + y", "x - y", "x * y", "x / y", "x ** y", "x ** 3", "x ** -2", "x ** 0.5", "x ** 0", "-x",
    "2 + x", "2 - x", "2 * x", "2 / x", "2 ** x", "x + 2", "x - 2", "x * 2", "x / 2", "x * x",
    "x.relu()", "(-x).relu()", "x.exp()", "x.log()", "x.tanh()", "x.sigmoid()", "(-x).sigmoid()",
    "(700 * x).sigmoid()", "(-700 * x).sigmoid()", "(700 * x).tanh()", "(x - x).relu()",
]  # fmt: skip


@pytest.mark.parametrize("expression", VALUES)
def test_values(engine, expression):
    mine = {"x": engine["autograd"].Value(1.3), "y": engine["autograd"].Value(0.7)}
    torchs = {
        k: torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for k, v in mine.items()
    }
    result, expected = eval(expression, {}, mine), eval(expression, {}, torchs)
    assert type(result.data) is float
    assert result.data == pytest.approx(expected.item(), rel=TOLERANCE, abs=TOLERANCE)
    (result * 0.3).backward()
    expected.backward(torch.tensor(0.3, dtype=torch.float64))
    for name, leaf in mine.items():
        slope = 0.0 if torchs[name].grad is None else torchs[name].grad.item()
        assert type(leaf.grad) is float
        assert leaf.grad == pytest.approx(slope, rel=TOLERANCE, abs=TOLERANCE)
