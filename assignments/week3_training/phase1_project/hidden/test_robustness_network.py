"""Hidden tests beyond the texts: models/layers.py and models/resnet.py with unusual inputs.

Outputs that are wrong already only have to go by x; those of a part that has no output are blocked.
"""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.by_itself import by_itself

from ..suite_tools import roles
from .channels import flat, normalised
from .oracle import (
    batch_norm,
    block,
    block_shapes,
    double,
    filled,
    network,
    network_shapes,
    shift,
    values,
)

pytestmark = pytest.mark.item("project.robustness")
of_norm = pytest.mark.needs("project.batch_norm")
of_blocks = pytest.mark.needs("project.blocks")
of_network = pytest.mark.needs("project.network")

PARAMETERS = 11_173_962
NEAR = {"rtol": 1e-3, "atol": 1e-3}
CENTRE = np.array([[[3.0]], [[-2.0]], [[0.5]]], np.float32)


def layer_of(student, channels):
    return student.module("models.layers").BatchNorm2d(channels)


def images(rng, shape=(4, 3, 5, 6)):
    return rng.normal(size=shape).astype(np.float32)


# BatchNorm2d


@of_norm
def test_batch_norm_in_any_order_in_memory(student, rng):
    """BatchNorm2d takes channels-last and strided tensors like any others."""
    for layout in ("channels_last", "strided"):
        x = images(rng)
        received = student.drive(
            "run", layer_of(student, 3), student.prepare("tensor", x, layout), True
        )
        expect_as_plain(student, f"output, {layout} input", received, x, **NEAR)


def expect_as_plain(student, label, received, x, **near):
    """An output is right; or, where the plain one for x is wrong, it is that, and not x itself."""
    own = student.drive("run", layer_of(student, x.shape[1]), x, True)
    own = expect.array("output for plain input", own, x.shape)
    if np.allclose(own, normalised(x), **NEAR):
        expect.close(label, received, normalised(x), **near)
        return
    expect.that("output", not np.allclose(own, x, **NEAR), "it is x itself.")
    with by_itself():
        # What it should be is asked by the tests of BatchNorm2d.
        expect.repeated(label, own, received, **near)


@of_norm
def test_batch_norm_keeps_its_input(student, rng):
    """BatchNorm2d does not change x, in neither mode."""
    layer, x = layer_of(student, 3), CENTRE + 2 * images(rng)
    for training in (True, False):
        kept = student.prepare("tensor", x)
        received = student.drive("run", layer, kept, training)
        received = expect.array("output", received, x.shape)
        if training:
            expect.that("output", not np.allclose(received, x, **NEAR), "it is x itself.")
        with by_itself():
            expect.unchanged("x", x, student.fetch(kept))


@of_norm
def test_batch_norm_keeps_the_dtype(student, rng):
    """The output of BatchNorm2d has the dtype of x: bfloat16 stays bfloat16."""
    for dtype, layout in (("float32", ""), ("bfloat16", "bfloat16")):
        x = images(rng, (8, 3, 6, 6))
        for training in (True, False):
            given = student.prepare("tensor", x, layout)
            output = student.prepare("run", layer_of(student, 3), given, training)
            expect.equal("dtype of the output", student.drive("dtype_of", output), dtype)
            received = expect.array(f"output for {dtype}", student.fetch(output), x.shape)
            if training:
                expect_as_plain(student, f"output for {dtype}", received, x, rtol=0.02, atol=0.02)


@of_norm
def test_batch_norm_counts_in_float32(student):
    """Inputs of 16 bits are added up in float32: a mean of many numbers keeps its digits."""
    layer = layer_of(student, 1)
    x = (64.0 + np.arange(65536) % 8 / 2).astype(np.float32).reshape(16, 1, 64, 64)
    student.drive("run", layer, student.prepare("tensor", x, "bfloat16"), True)
    moved = flat("running_mean", layer.running_mean, 1)
    share = float(moved[0]) / float(x.mean())
    # Whatever share of the batch goes into it, adding up in 16 bits stops far below the sum.
    message = "the mean of 65,536 numbers of 16 bits has lost its digits: add up in float32."
    expect.that("running_mean", any(abs(share - one) < 1e-3 for one in (0.1, 0.9)), message)


@of_norm
def test_batch_norm_refuses_other_shapes(student, rng):
    """x without 4 dimensions, or with other channels, raises a ValueError, in both modes."""
    layer, right = layer_of(student, 3), images(rng)
    expect_as_plain(student, "output", student.drive("run", layer, right, True), right, **NEAR)
    for shape in ((4, 3), (3, 5, 5), (2, 3, 4), (2, 4, 5, 5), (2, 1, 5, 5), (1, 2, 3, 4, 5)):
        x = student.prepare("tensor", np.ones(shape, np.float32))
        for training in (True, False):
            mode = "training" if training else "evaluation"
            label = f"x of shape {shape} with 3 channels, {mode} mode"
            layer.train(training)
            expect.raises(label, layer, "ValueError", x)


@of_norm
def test_batch_norm_refuses_one_value_per_channel(student, rng):
    """A single value per channel raises a ValueError in training mode: it has no variance."""
    layer = layer_of(student, 3)
    pair = np.array([[1.0, 2.0, 3.0], [4.0, -1.0, 0.0]], np.float32).reshape(2, 3, 1, 1)
    received = student.drive("run", layer, pair, True)
    expect_as_plain(student, "output of two values", received, pair, **NEAR)
    before = flat("running_mean", layer.running_mean, 3)
    x = student.prepare("tensor", images(rng, (1, 3, 1, 1)))
    expect.raises("x of shape (1, 3, 1, 1), training mode", layer, "ValueError", x)
    after = flat("running_mean", layer.running_mean, 3)
    # What two values make of it is asked elsewhere; here, that one makes nothing of it.
    expect.repeated("running_mean after the refused batch", before, after, **NEAR)


# BasicBlock and ResNet18


@pytest.mark.needs("project.blocks", "project.network")
def test_no_biases_in_convolutions(student):
    """No convolution has a bias: the normalisation behind it would take it off again."""
    resnet = student.prepare("with_parts", True, False)
    for made in (resnet.BasicBlock(4, 6, 2), resnet.ResNet18()):
        found = [one for one in roles.layers_of(student, made) if one["kind"] == "conv"]
        expect.that("convolutions", len(found) >= 3, f"there are only {len(found)}.")
        biased = [one["name"] for one in found if one.get("bias")]
        expect.that("biases", not biased, f"there are biases in {', '.join(biased[:3])}.")


@of_blocks
def test_a_block_keeps_its_input(student, rng):
    """A block does not change x."""
    for arguments in ((6, 6), (6, 6, 2)):
        x = images(rng, (3, 6, 5, 6))
        ways = (partial(keeps_its_input, student, x, arguments, real) for real in (False, True))
        expect.any_of(*ways)


def keeps_its_input(student, x, arguments, real):
    """Compare a block's output with the oracle's, and its input with what that was."""
    made = student.prepare("with_parts", not real, False).BasicBlock(*arguments)
    stride = arguments[2] if len(arguments) > 2 else 1
    p, _ = filled(student, made, block_shapes(6, 6, stride))
    wanted = values(block(double(x), p, stride, True, batch_norm if real else shift))
    kept = student.prepare("tensor", x)
    received = expect.array("output", student.drive("run", made, kept, True), wanted.shape)
    if not np.allclose(received, wanted, **NEAR):
        expect_by_x("output", received, student.drive("run", made, -x, True), wanted.shape)
    with by_itself():
        expect.unchanged("x", x, student.fetch(kept))


def expect_by_x(label, received, other, wanted):
    """An output goes by x, as it is another one for -x. What it should be is asked elsewhere."""
    other = expect.array(label, other, wanted)
    expect.that(label, not np.allclose(received, other, **NEAR), "it is the same for another x.")


@of_network
def test_the_network_keeps_its_input(student, rng):
    """The network does not change x."""
    made, x = student.prepare("with_parts", True, True).ResNet18(), images(rng, (2, 3, 32, 32))
    p, _ = filled(student, made, network_shapes(10, mixers=True))
    wanted = values(network(double(x), p, True, shift, mixers=True))
    kept = student.prepare("tensor", x)
    received = expect.array("logits", student.drive("run", made, kept, True), (2, 10))
    if not np.allclose(received, wanted, **NEAR):
        expect_by_x("logits", received, student.drive("run", made, -x, True), (2, 10))
    with by_itself():
        expect.unchanged("x", x, student.fetch(kept))


@of_network
def test_number_of_classes(student, rng):
    """ResNet18(num_classes) has so many logits."""
    for classes in (7, 100):
        made = student.prepare("with_parts", True, True).ResNet18(classes)
        p, _ = filled(student, made, network_shapes(classes, mixers=True))
        x = images(rng, (1, 3, 32, 32))
        wanted = values(network(double(x), p, False, shift, mixers=True))
        label = f"logits, {classes} classes"
        received = student.drive("run", made, x, False)
        with by_itself():
            received = expect.array(label, received, (1, classes))
        if not np.allclose(received, wanted, **NEAR):
            expect_by_x(label, received, student.drive("run", made, -x, False), (1, classes))


@pytest.mark.needs("project.batch_norm", "project.blocks", "project.network")
def test_number_of_parameters(student):
    """The network has 11,173,962 parameters: all that its layers need, and nothing more."""
    made = student.prepare("with_parts", False, False).ResNet18()
    expect.equal("number of parameters", student.drive("count", made), PARAMETERS)
