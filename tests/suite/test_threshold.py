"""The accuracy threshold: student code trains, the examiner measures on labels of its own.

The data is made up: images of class k have a bright k-th row. The students are small fakes.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from autograder.channel.faults import Fault, InfraError
from autograder.records import FULL_CREDIT, Verdict
from autograder.sandbox import Limits
from autograder.suite.expect import Wrong
from autograder.suite.hidden.local_host import Local
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.threshold import (
    SHAPES,
    Training,
    as_weights,
    initial_weights,
    train_two_layer,
    two_layer_accuracy,
)
from autograder.suite.session import SuiteSession
from autograder.suite.student import Student
from autograder.worker.drivers import train_epoch
from autograder.worker.modules import ModuleSpace


def made_up(count: int, rng: np.random.Generator):
    """Return images (count, 28, 28) uint8 and their labels (count,)."""
    y = np.arange(count) % 10
    x = rng.integers(0, 40, size=(count, 28, 28)).astype(np.uint8)
    x[np.arange(count), y] += 200
    order = rng.permutation(count)
    return x[order], y[order]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    (x_train, y_train), (x_test, y_test) = made_up(70, rng), made_up(50, rng)
    return SimpleNamespace(x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)


@pytest.fixture
def training(data):
    return Training(
        name="stripes",
        load=lambda: data,
        epochs=3,
        batch_size=20,
        lr=0.1,
        credit=lambda accuracy: round(FULL_CREDIT * accuracy),
        full_from=0.9,
    )


PERFECT = """
import numpy as np

class Layer:
    def __init__(self, *shape):
        self.W, self.b = np.zeros(shape), np.zeros(shape[0])

class TwoLayerMLP:
    def __init__(self):
        self.layer1, self.layer2 = Layer(128, 784), Layer(10, 128)
        self.calls = []

    def train_step(self, x, y, lr):
        self.calls.append((x, y, lr))
        self.began = self.layer1.W
        self.layer1, self.layer2 = Layer(128, 784), Layer(10, 128)
        for k in range(10):  # hidden unit k adds up row k of the image
            self.layer1.W[k, 28 * k : 28 * (k + 1)] = 1.0
            self.layer2.W[k, k] = 1.0
        return 0.5
"""
HOPELESS = PERFECT.replace("= 1.0", "= 0.0")


class Recorder:
    """A backend that notes what is sent to the other one."""

    def __init__(self, backend):
        self.backend, self.sent = backend, []

    def __call__(self, operation, *arguments):
        self.sent.append((operation, arguments))
        return self.backend(operation, *arguments)


def access(model):
    """Return the functions that write and read the weights of a fake student's network."""

    def write(weights):
        model.layer1.W, model.layer1.b = weights["W1"], weights["b1"]
        model.layer2.W, model.layer2.b = weights["W2"], weights["b2"]

    def read():
        first, second = model.layer1, model.layer2
        return {"W1": first.W, "b1": first.b, "W2": second.W, "b2": second.b}

    return write, read


def trained(source: str, training: Training, seed: int = 1):
    """Train a fake student; return the curve and what was sent to it."""
    space = ModuleSpace({"mnist_mlp.py": source.encode()})
    with space.active():
        recorder = Recorder(Local(space, seed=0))
        student = Student(recorder, {})
        model = student.mnist_mlp.TwoLayerMLP()
        return train_two_layer(student, model, training, seed, *access(model)), recorder.sent


def fault_of(source: str, training: Training) -> Fault:
    with pytest.raises(Fault) as caught:
        trained(source, training)
    return caught.value


# The measure


def test_accuracy_is_that_of_the_network_written_out():
    rng = np.random.default_rng(1)
    weights = {
        "W1": rng.normal(size=(6, 4)),
        "b1": rng.normal(size=6),
        "W2": rng.normal(size=(3, 6)),
        "b2": rng.normal(size=3),
    }
    x, y = rng.normal(size=(200, 4)), rng.integers(0, 3, size=200)
    right = 0
    for row, label in zip(x, y, strict=True):
        hidden = [
            max(0.0, float(w @ row + b)) for w, b in zip(weights["W1"], weights["b1"], strict=True)
        ]
        logits = [float(w @ hidden + b) for w, b in zip(weights["W2"], weights["b2"], strict=True)]
        right += logits.index(max(logits)) == label
    assert two_layer_accuracy(weights, x, y) == right / 200
    assert 0.1 < right / 200 < 0.9


def test_enormous_weights_are_measured_without_a_warning():
    weights = {"W1": np.full((2, 3), 1e300), "b1": np.zeros(2), "W2": np.full((2, 2), 1e300)}
    x, y = np.full((4, 3), 1e300), np.zeros(4, int)
    assert 0.0 <= two_layer_accuracy({**weights, "b2": np.zeros(2)}, x, y) <= 1.0


# Training


def test_a_good_network_is_measured_after_each_epoch(training):
    curve, _ = trained(PERFECT, training)
    assert curve == {"loss": [0.5] * 3, "accuracy": [1.0] * 3}


def test_training_that_does_nothing_is_measured_as_that(training, data):
    curve, _ = trained(HOPELESS, training)
    assert curve["accuracy"] == [pytest.approx(float(np.mean(data.y_test == 0)))] * 3


@pytest.mark.parametrize(
    ("claim", "recorded"),
    [
        ("0.0", 0.0),
        ("-1e9", -1e9),
        ("float('nan')", None),
        ("float('inf')", None),
        ("np.float32(0.25)", 0.25),
        ("np.array(0.25)", 0.25),
        ("True", 1.0),
    ],
)
def test_the_loss_that_is_claimed_is_noted_and_decides_nothing(training, claim, recorded):
    curve, _ = trained(HOPELESS.replace("return 0.5", f"return {claim}"), training)
    assert curve["loss"] == [recorded] * 3
    assert max(curve["accuracy"]) < 0.3


@pytest.mark.parametrize("claim", ["None", "'low'", "[1.0]", "np.ones(3)", "1j"])
def test_a_loss_that_is_no_number_is_an_exception_of_theirs(training, claim):
    fault = fault_of(PERFECT.replace("return 0.5", f"return {claim}"), training)
    assert fault.verdict is Verdict.RAISED


def test_the_batches_are_the_standardised_data_in_another_order_each_epoch(training, data):
    space = ModuleSpace({"mnist_mlp.py": PERFECT.encode()})
    with space.active():
        student = Student(Local(space, seed=0), {})
        trained_one = student.mnist_mlp.TwoLayerMLP()
        train_two_layer(student, trained_one, training, 1, *access(trained_one))
        import mnist_mlp  # type: ignore[import-not-found]

        model = mnist_mlp.TwoLayerMLP()
        rows = np.arange(45.0)[:, np.newaxis]
        orders = []
        for seed in (1, 2, 1):
            model.calls.clear()
            assert train_epoch(model, rows, np.arange(45), 20, 0.1, seed) == 0.5
            assert [len(x) for x, _, _ in model.calls] == [20, 20, 5]
            assert {lr for _, _, lr in model.calls} == {0.1}
            order = np.concatenate([y for _, y, _ in model.calls])
            assert np.array_equal(np.concatenate([x for x, _, _ in model.calls])[:, 0], order)
            assert sorted(order) == list(range(45))
            orders.append(order.tolist())
    assert orders[0] == orders[2] != orders[1]


def test_the_student_gets_standardised_rows(training, data):
    source = PERFECT.replace(
        "        return 0.5", "        return float(abs(x).max() + 1000 * x.shape[1])"
    )
    curve, _ = trained(source, training)
    rows = (data.x_train.astype(float) - data.x_train.mean()) / data.x_train.std()
    assert all(784_000 < loss <= 784_000 + np.abs(rows).max() + 1e-6 for loss in curve["loss"])
    assert training.test_rows.shape == (50, 784)
    scaled = (data.x_test.astype(float) - data.x_train.mean()) / data.x_train.std()
    assert np.allclose(training.test_rows, scaled.reshape(50, 784))


def arrays_in(value):
    """Return all arrays in a nested value."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, (list, tuple)):
        return [array for part in value for array in arrays_in(part)]
    return (
        [array for part in value.values() for array in arrays_in(part)]
        if isinstance(value, dict)
        else []
    )


def test_nothing_of_the_test_data_is_sent(training, data):
    _, sent = trained(PERFECT, training)
    arrays = arrays_in([arguments for _, arguments in sent])
    assert {array.shape for array in arrays} == {(70, 28, 28), (70,)}
    assert any(np.array_equal(array, data.x_train) for array in arrays)
    assert not any(np.array_equal(array[:50], data.y_test) for array in arrays)


def test_the_same_seed_gives_the_same_curve_and_another_one_another(training):
    source = PERFECT.replace("return 0.5", "return float(x[0] @ np.arange(784) + np.random.rand())")
    first, again, other = (trained(source, training, seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert first["loss"] != other["loss"]


# Weights that are none

BAD_WEIGHTS = {
    "a handle": (
        "self.layer1.W = object()",
        "W1 after training: expected an array, got an object",
    ),
    "a subclass": (
        "self.layer1.W = np.ma.masked_array(self.layer1.W)",
        "W1 after training: expected an array, got an object of type MaskedArray",
    ),
    "a list": (
        "self.layer1.b = [0.0] * 128",
        "b1 after training: expected an array, got a list",
    ),
    "nothing": ("self.layer2.b = None", "b2 after training: expected an array, got None"),
    "one dimension": (
        "self.layer1.W = np.zeros(128 * 784)",
        "expected shape (128, 784), got (100352,)",
    ),
    "transposed": (
        "self.layer2.W = np.zeros((128, 10))",
        "expected shape (10, 128), got (128, 10)",
    ),
    "a column": ("self.layer2.b = np.zeros((10, 1))", "expected shape (10,), got (10, 1)"),
    "wider": ("self.layer1 = Layer(256, 784)", "expected shape (128, 784), got (256, 784)"),
    "far wider": (
        "self.layer1 = Layer(10_000, 784)",
        "expected shape (128, 784), got (10000, 784)",
    ),
    "empty": ("self.layer1 = Layer(0, 784)", "expected shape (128, 784), got (0, 784)"),
    "NaN": ("self.layer1.W[3, 4] = np.nan", "1 of 100352 entries are NaN (the first is at [3, 4])"),
    "inf": ("self.layer2.b[:] = np.inf", "10 of 10 entries are inf"),
    "complex": ("self.layer1.W = self.layer1.W + 0j", "expected real numbers, got complex ones"),
}


@pytest.mark.parametrize(("line", "says"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS.keys())
def test_weights_that_are_no_weights_fail(training, line, says):
    fault = fault_of(
        PERFECT.replace("        return 0.5", f"        {line}\n        return 0.5"), training
    )
    assert type(fault) is Wrong
    assert says in fault.message


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64"])
def test_weights_of_another_real_dtype_are_weights(training, dtype):
    line = f"for layer in (self.layer1, self.layer2): layer.W = layer.W.astype('{dtype}')"
    curve, _ = trained(
        PERFECT.replace("        return 0.5", f"        {line}\n        return 0.5"), training
    )
    assert curve["accuracy"] == [1.0] * 3


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("self.layer1, self.layer2 =", "self.a, self.b =", "raised"),
        ("def train_step", "def train", "raised"),
        ("class TwoLayerMLP", "class MLP", "raised"),
        ("self.calls.append", "raise NotImplementedError('week1.mlp: fill in')", "not-attempted"),
    ],
)
def test_a_network_without_its_parts_is_theirs_to_mend(training, old, new, verdict):
    if verdict == "not-attempted":
        old += "((x, y, lr))"
    assert fault_of(PERFECT.replace(old, new), training).verdict == verdict


def test_received_weights_are_float64_copies():
    received = {name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}
    weights = as_weights(received, "now")
    assert {array.dtype.name for array in weights.values()} == {"float64"}
    weights["W1"][:] = 7.0
    assert not (received["W1"] == 7.0).any()


# The weights that it begins with


def test_initial_weights_are_those_of_he_and_of_the_seed():
    first, again, other = initial_weights(1), initial_weights(1), initial_weights(2)
    assert {name: array.shape for name, array in first.items()} == SHAPES
    assert np.var(first["W1"]) == pytest.approx(2 / 784, rel=0.02)
    assert np.var(first["W2"]) == pytest.approx(2 / 128, rel=0.1)
    assert not first["b1"].any()
    assert all(np.array_equal(first[name], again[name]) for name in SHAPES)
    assert not np.array_equal(first["W1"], other["W1"])


def test_training_begins_with_weights_of_ours(training):
    source = HOPELESS.replace("return 0.5", "return float(np.abs(self.began).sum())")
    training.batch_size = 1000
    curve, _ = trained(source, training, seed=5)
    assert curve["loss"][0] == pytest.approx(np.abs(initial_weights(5)["W1"]).sum(), rel=1e-6)


def test_a_network_that_keeps_its_own_weights_fails(training):
    stubborn = "    b = property(lambda self: np.ones(len(self.W)), lambda self, b: None)\n"
    source = PERFECT.replace("class Layer:\n", f"class Layer:\n{stubborn}")
    fault = fault_of(source, training)
    assert type(fault) is Wrong
    assert fault.message.startswith("b1 before training: ")


# The data


@pytest.mark.parametrize("error", [ValueError("damaged"), OSError("gone"), KeyError("x_train")])
def test_data_that_cannot_be_loaded_is_our_fault(training, error):
    def load():
        raise error

    training.load = load
    with pytest.raises(InfraError, match="the data set stripes can't be loaded"):
        trained(PERFECT, training)


def test_data_is_loaded_once_and_not_before_it_is_asked_for(training, data):
    loads = []

    def load():
        loads.append(1)
        return data

    training.load = load
    assert not loads
    trained(PERFECT, training)
    trained(PERFECT, training)
    assert loads == [1]


# In a suite, in a sandbox

SUITE = '''
import pytest
from autograder.suite.hidden.threshold import train_two_layer

@pytest.mark.item("a")
@pytest.mark.training
def test_accuracy(student, settings, grade):
    """The network is accurate."""
    model = student.mnist_mlp.TwoLayerMLP()

    def write(weights):
        model.layer1.W, model.layer1.b = weights["W1"], weights["b1"]
        model.layer2.W, model.layer2.b = weights["W2"], weights["b2"]

    def read():
        first, second = model.layer1, model.layer2
        return {"W1": first.W, "b1": first.b, "W2": second.W, "b2": second.b}

    curve = train_two_layer(student, model, settings, 1, write, read)
    grade(curve["accuracy"][-1] / settings.full_from, "said", **curve)
'''


def test_a_suite_grades_by_what_the_examiner_measured(tmp_path, training, confinement):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_it.py").write_text(SUITE)
    session = SuiteSession(tmp_path / "suite", "salt", training)
    found = {}
    endless = PERFECT.replace("        return 0.5", "        while True: pass")
    for name, source in {"good": PERFECT, "bad": HOPELESS, "endless": endless}.items():
        limits = Limits(training_seconds=5.0 if name != "endless" else 0.5)
        host = SandboxHost(confinement, {"mnist_mlp.py": source.encode()}, limits)
        [outcome] = session.run(host)
        host.close()
        found[name] = outcome.result
    session.close()
    assert (found["good"].verdict, found["good"].credit) == ("pass", FULL_CREDIT)
    assert found["good"].detail == {"loss": [0.5] * 3, "accuracy": [1.0] * 3}
    assert found["bad"].verdict is Verdict.WRONG
    assert found["bad"].credit < 0.3 * FULL_CREDIT
    assert (found["endless"].verdict, found["endless"].credit) == ("timeout", 0)
