"""What week 5's hidden suites of rnn.py expect, against complex steps and PyTorch's layers."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "assignments/week5_rnn/hidden/formulas_rnn.py"
T, N, D, H = 5, 2, 3, 4
KINDS = {"RNN": (1, ("h0",)), "LSTM": (4, ("h0", "c0"))}


@pytest.fixture(scope="module")
def formulas():
    spec = importlib.util.spec_from_file_location("week5_formulas_rnn", FILE)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def drawn(kind: str, steps: int = T):
    """Return what a layer is given, and an upstream gradient."""
    rng, (blocks, starts) = np.random.default_rng(7), KINDS[kind]
    shapes = {"x": (steps, N, D), "Wx": (D, blocks * H), "Wh": (H, blocks * H), "b": (blocks * H,)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    given |= {name: rng.normal(size=(N, H)) for name in starts}
    return given, rng.normal(size=(steps, N, H))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, T])
def test_gradients_by_hand_are_those_of_complex_steps(formulas, kind, steps):
    given, upstream = drawn(kind, steps)
    found = formulas.by_hand(kind, formulas.RIGHT[kind], given, upstream)
    assert set(found) == set(given)
    for name, array in found.items():
        exact = formulas.RIGHT[kind].gradient(given, upstream, name)
        np.testing.assert_allclose(array, exact, rtol=1e-10, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_from_far_has_all_its_digits(formulas, kind):
    given, upstream = drawn(kind, 50)
    given["Wh"] = given["Wh"] / 4.0
    upstream[:-1] = 0.0
    exact = formulas.RIGHT[kind].gradient(given, upstream, "x")
    found = formulas.by_hand(kind, formulas.RIGHT[kind], given, upstream)["x"]
    assert 0.0 < np.abs(exact[0]).max() < 1e-7
    np.testing.assert_allclose(found[0], exact[0], rtol=1e-8, atol=0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_right_way_is_pytorchs(formulas, kind):
    torch = pytest.importorskip("torch")
    given, _ = drawn(kind)
    order = {"RNN": [0], "LSTM": [0, 1, 3, 2]}[kind]
    columns = np.concatenate([np.arange(H) + block * H for block in order])
    layer = getattr(torch.nn, kind)(D, H).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.from_numpy(given["Wx"].T[columns]))
        layer.weight_hh_l0.copy_(torch.from_numpy(given["Wh"].T[columns]))
        layer.bias_ih_l0.copy_(torch.from_numpy(given["b"][columns]))
        layer.bias_hh_l0.zero_()
    starts = [torch.from_numpy(given[name][None]) for name in KINDS[kind][1]]
    with torch.no_grad():
        theirs, _ = layer(torch.from_numpy(given["x"]), starts[0] if kind == "RNN" else starts)
    ours = formulas.RIGHT[kind].states(given)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_the_wrong_ways_are_wrong_and_differ(formulas, kind):
    """Over three steps from a start, no two of them give the same states."""
    given, _ = drawn(kind, 3)
    ways = [formulas.RIGHT[kind], *formulas.WRONG[kind].values()]
    states = [way.states(given) for way in ways]
    for n, one in enumerate(states):
        assert all(np.abs(one - other).max() > 1e-3 for other in states[:n])
