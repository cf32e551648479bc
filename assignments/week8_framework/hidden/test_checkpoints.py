"""Hidden tests of checkpoints: what is saved is read in a process that knows nothing else."""

import io
import struct
import zipfile

import numpy as np
import pytest

from autograder.suite import expect

from .asking import built, drawn, drive, entry, prepare

ENGINE = ("framework.backward", "framework.arithmetic", "framework.shapes", "framework.matmul")
BASE = ("framework.linear", "framework.norms", "framework.modules", *ENGINE)
pytestmark = [pytest.mark.item("framework.checkpoints"), pytest.mark.needs(*BASE)]

SHAPES = {"0.weight": (3, 4), "0.bias": (4,), "1.gamma": (4,), "1.beta": (4,)}
SHAPES |= {"3.0.weight": (4, 2), "3.0.bias": (2,)}
OPTIMIZERS = {
    "sgd": ("sgd", 0.05, {"momentum": 0.9}),
    "adam": ("adam", 0.02, {"betas": (0.8, 0.99)}),
}


def spec_of(seed):
    """Return the configuration of a network with running statistics, and a list inside."""
    return {
        "name": "sequential",
        "layers": [
            {"name": "linear", "in_features": 3, "out_features": 4, "seed": seed},
            {"name": "batch_norm", "features": 4, "momentum": 0.2},
            {"name": "tanh"},
            [{"name": "linear", "in_features": 4, "out_features": 2, "seed": seed + 1}],
        ],
    }


def network(student, seed, how):
    """Build a network and its optimizer."""
    layer = built(student, spec_of(seed))
    name, lr, options = how
    return layer, prepare(student, "make_optimizer", layer, name, lr, options)


def weights_of(student, layer):
    """Return the weights, by name, each of its shape."""
    found = drive(student, "weights", layer)
    return {
        name: expect.array(f"the parameter {name}", entry("the parameters", found, name), shape)
        for name, shape in SHAPES.items()
    }


def checkpoint(student, layer, optimizer):
    """Return the bytes of a checkpoint."""
    data = drive(student, "saved", layer, optimizer)
    size = expect.shape_of("the checkpoint", data)
    right = len(size) == 1 and 100 < size[0] < 1 << 20 and data.dtype == np.uint8
    expect.that("the checkpoint", right, "it is no file of a size that can be.")
    return data


def batches(rng, count):
    """Draw batches of inputs and targets."""
    x = [1.0 + 2.0 * rng.normal(size=(6, 3)) for _ in range(count)]
    return x, [rng.normal(size=(6, 2)) for _ in range(count)]


def evaluated(weights, mean, variance, x):
    """Return what the network gives in evaluation."""
    hidden = x @ weights["0.weight"] + weights["0.bias"]
    plain = (hidden - mean) / np.sqrt(variance + 1e-5)
    inner = np.tanh(plain * weights["1.gamma"] + weights["1.beta"])
    return inner @ weights["3.0.weight"] + weights["3.0.bias"]


def test_weights_and_statistics(student, rng):
    """Weights and running statistics come back in another process."""
    layer, optimizer = network(student, 1, OPTIMIZERS["sgd"])
    given = drawn(rng, SHAPES)
    drive(student, "fill", layer, given)
    student.adapter.mode(layer, True)
    x, _ = batches(rng, 3)
    drive(student, "several", layer, x)
    data = checkpoint(student, layer, optimizer)
    student.in_new_process()
    layer, optimizer = network(student, 5, OPTIMIZERS["sgd"])
    drive(student, "restored", data, layer, optimizer)
    found = weights_of(student, layer)
    for name in SHAPES:
        expect.close(f"{name}, loaded", found[name], given[name], rtol=0, atol=0)
    mean, variance = np.zeros(4), np.ones(4)
    for one in x:
        hidden = one @ given["0.weight"] + given["0.bias"]
        mean = 0.8 * mean + 0.2 * hidden.mean(axis=0)
        variance = 0.8 * variance + 0.2 * hidden.var(axis=0, ddof=1)
    student.adapter.mode(layer, False)
    test = rng.normal(size=(4, 3))
    received = drive(student, "run", layer, test)["value"]
    expect.close("the value, loaded", received, evaluated(given, mean, variance, test))


@pytest.mark.weight(3)
@pytest.mark.needs(*BASE, "framework.losses", "framework.sgd", "framework.adam")
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_resumed(student, rng, case):
    """Ten steps are five steps, a checkpoint, another process, and five more: bit for bit."""
    how = OPTIMIZERS[case]
    x, y = batches(rng, 10)
    given = drawn(rng, SHAPES)
    layer, optimizer = network(student, 1, how)
    drive(student, "fill", layer, given)
    drive(student, "steps", layer, optimizer, x[:5], y[:5])
    between = weights_of(student, layer)
    data = checkpoint(student, layer, optimizer)
    drive(student, "steps", layer, optimizer, x[5:], y[5:])
    whole = weights_of(student, layer)
    student.in_new_process()
    layer, optimizer = network(student, 5, how)
    drive(student, "restored", data, layer, optimizer)
    drive(student, "steps", layer, optimizer, x[5:], y[5:])
    resumed = weights_of(student, layer)
    for name in ("0.weight", "1.gamma", "3.0.weight"):
        expect.differ("weights after 5 steps", between[name], given[name], "nothing has moved.")
        expect.differ("weights after 10 steps", between[name], whole[name], "nothing has moved.")
    for name in SHAPES:
        # Two answers of the student's: what has to be the same is the run, and others see to steps.
        expect.repeated(f"{name} after 10 steps", whole[name], resumed[name], rtol=0, atol=0)


@pytest.mark.needs(*BASE, "framework.losses", "framework.adam")
def test_of_a_moment(student, rng):
    """A checkpoint holds what was, not what became of it, and goes into a used network too."""
    layer, optimizer = network(student, 1, OPTIMIZERS["adam"])
    given = drawn(rng, SHAPES)
    drive(student, "fill", layer, given)
    data = checkpoint(student, layer, optimizer)
    x, y = batches(rng, 3)
    drive(student, "steps", layer, optimizer, x, y)
    moved = weights_of(student, layer)
    expect.differ(
        "weights after 3 steps", moved["0.weight"], given["0.weight"], "they are the same."
    )
    drive(student, "restored", data, layer, optimizer)
    found = weights_of(student, layer)
    for name in SHAPES:
        expect.close(f"{name}, loaded", found[name], given[name], rtol=0, atol=0)


def test_plain_arrays(student, rng):
    """A checkpoint is a file of arrays, npz or safetensors, in which nothing is pickled."""
    layer, optimizer = network(student, 1, OPTIMIZERS["adam"])
    given = drawn(rng, SHAPES)
    drive(student, "fill", layer, given)
    data = checkpoint(student, layer, optimizer).tobytes()
    is_plain = plain_npz(data) or plain_safetensors(data)
    message = "it is neither an npz file of plain arrays nor safetensors."
    expect.that("the checkpoint", is_plain, message)
    whole = given["0.bias"].tobytes() in stored(data)
    expect.that("the checkpoint", whole, "biases don't stand in it as they are.")


MOST_ARRAYS, HEADER = 400, 128


def plain_npz(data):
    """Whether these bytes are a zip file of .npy files without objects."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            heads = []
            for name in names[:MOST_ARRAYS]:
                with archive.open(name) as member:
                    heads.append(member.read(HEADER))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError):
        return False
    arrays = all(name.endswith(".npy") for name in names) and 0 < len(names) <= MOST_ARRAYS
    return arrays and all(h.startswith(b"\x93NUMPY") and b"'|O'" not in h for h in heads)


def plain_safetensors(data):
    """Whether these bytes begin with the length of a header, and a header of its form."""
    length = struct.unpack("<Q", data[:8])[0]
    return (
        0 < length < len(data) - 8
        and data[8:9] == b"{"
        and b'"data_offsets"' in data[8 : 8 + length]
    )


def stored(data):
    """Return the bytes of a file's arrays, unpacked where it is a zip file."""
    if not plain_npz(data):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sizes = [info.file_size for info in archive.infolist()]
        small = sum(sizes) < 1 << 22
        expect.that("the checkpoint", small, "unpacked it is far too large.")
        return b"".join(archive.read(name) for name in archive.namelist())
