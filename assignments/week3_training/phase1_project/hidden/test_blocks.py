"""Hidden tests of models/resnet.py: BasicBlock.

A made-up part stands in the place of BatchNorm2d, so that these tests judge the block alone; the
last ones are of the real thing.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .oracle import batch_norm, block, block_shapes, double, filled, shift, values

pytestmark = pytest.mark.item("project.blocks")
whole = pytest.mark.needs("project.batch_norm")

NEAR = {"rtol": 1e-4, "atol": 1e-4}
KINDS = {"plain": (6, 6, 1), "wider": (4, 6, 1), "strided": (4, 6, 2), "same width": (5, 5, 2)}
EVERY = pytest.mark.parametrize("kind", list(KINDS))


def block_of(student, c_in, c_out, stride, *, real=False):
    """Return a block of the student's, usually with the made-up part for BatchNorm2d."""
    make = student.prepare("with_parts", not real, False).BasicBlock
    return make(c_in, c_out, stride) if stride != 1 else make(c_in, c_out)


def images(rng, channels, size=(5, 6)):
    return rng.normal(size=(3, channels, *size)).astype(np.float32)


def expect_values(student, rng, kind, training, *, real=False, size=(5, 6)):
    """Compare a block's output with the oracle's."""
    made = block_of(student, *KINDS[kind], real=real)
    p, _ = filled(student, made, block_shapes(*KINDS[kind]))
    x = images(rng, KINDS[kind][0], size)
    norm = batch_norm if real else shift
    wanted = values(block(double(x), p, KINDS[kind][2], training, norm))
    mode = "training" if training else "evaluation"
    label = f"output in {mode} mode, block {KINDS[kind]}"
    expect.close(label, student.drive("run", made, x, training), wanted, **NEAR)


# What the block is made of


@EVERY
def test_convolutions(student, kind):
    """The convolutions have their sizes and strides: 3 x 3, and 1 x 1 in a shortcut."""
    c_in, c_out, stride = KINDS[kind]
    found = student.drive("convolutions", block_of(student, c_in, c_out, stride))
    for name, before, step in (("conv1", c_in, stride), ("conv2", c_out, 1)):
        expect.that(name, name in found, f"your block has no nn.Conv2d called {name}.")
        expect.equal(f"channels of {name}", found[name]["channels"], [before, c_out])
        expect.equal(f"kernel of {name}", found[name]["kernel"], [3, 3])
        expect.equal(f"stride of {name}", found[name]["stride"], [step, step])
    shortcut = [part for name, part in found.items() if name.startswith("shortcut")]
    needed = int(stride != 1 or c_in != c_out)
    label = f"convolutions in the shortcut of BasicBlock({c_in}, {c_out}, {stride})"
    expect.equal(label, len(shortcut), needed)
    if needed:
        expect.equal("kernel in the shortcut", shortcut[0]["kernel"], [1, 1])
        expect.equal("stride in the shortcut", shortcut[0]["stride"], [stride, stride])


def test_no_biases_in_convolutions(student):
    """No convolution has a bias: the normalisation behind it would take it off again."""
    found = student.drive("convolutions", block_of(student, 4, 6, 2))
    expect.equal("number of convolutions", len(found), 3)
    biased = sorted(name for name, part in found.items() if part["bias"] is not False)
    expect.that("biases", not biased, f"there are biases in {', '.join(biased)}.")


@EVERY
def test_normalisations(student, kind):
    """bn1, bn2 and a shortcut that has a convolution have a BatchNorm2d of models.layers."""
    c_in, c_out, stride = KINDS[kind]
    found = student.drive("made_parts", block_of(student, c_in, c_out, stride))
    found = sorted(name.partition(".")[0] for name in found)
    places = ["bn1", "bn2"] + ["shortcut"] * (stride != 1 or c_in != c_out)
    expect.equal("places of the BatchNorm2d of models.layers", found, places)


@EVERY
def test_nothing_more_to_train(student, kind):
    """The block trains these layers and nothing else."""
    c_in, c_out, stride = KINDS[kind]
    found = student.drive("shapes", block_of(student, c_in, c_out, stride))["parameters"]
    running = ("running_mean", "running_var")
    shapes = block_shapes(c_in, c_out, stride)
    wanted = [list(shape) for name, shape in shapes.items() if not name.endswith(running)]
    expect.equal("shapes of the parameters", sorted(found.values()), sorted(wanted))


# What it computes


@pytest.mark.weight(2)
@EVERY
def test_output_in_training_mode(student, rng, kind):
    """In training mode: relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))."""
    expect_values(student, rng, kind, True)


@EVERY
def test_output_in_evaluation_mode(student, rng, kind):
    """In evaluation mode the normalisations are in evaluation mode too."""
    expect_values(student, rng, kind, False)


def test_output_of_other_sizes(student, rng):
    """Odd heights and widths are halved and rounded up; a block is not bound to one size."""
    for size in ((7, 4), (1, 1), (9, 9)):
        expect_values(student, rng, "strided", True, size=size)
        expect_values(student, rng, "plain", True, size=size)


@pytest.mark.weight(2)
def test_relu_comes_after_the_addition(student, rng):
    """The sum of both ways goes through the last ReLU, and nothing before it on the short way."""
    made = block_of(student, *KINDS["plain"])
    filled(student, made, block_shapes(*KINDS["plain"]))
    bias = np.array([-1.0, 0.5, 0.0, 2.0, -0.3, 0.1], np.float32)
    student.drive("fill", made, {"bn2.weight": np.zeros(6, np.float32), "bn2.bias": bias})
    x = images(rng, 6)
    wanted = np.maximum(x + bias[:, None, None], 0.0)
    received = student.drive("run", made, x, True)
    expect.close("output where bn2 gives its bias alone", received, wanted, **NEAR)


def test_both_ways_count(student, rng):
    """Without the convolutions' way the shortcut is left, and the other way round."""
    made = block_of(student, 4, 6, 2)
    _, names = filled(student, made, block_shapes(*KINDS["strided"]))
    zero, one = np.zeros(6, np.float32), np.ones(6, np.float32)
    x = images(rng, 4)
    norm = names["shortcut.1.weight"].removesuffix(".weight")
    student.drive("fill", made, {f"{norm}.weight": zero, f"{norm}.bias": one})
    student.drive("fill", made, {"bn2.weight": zero, "bn2.bias": 2 * one})
    wanted = np.full((3, 6, 3, 3), 3.0)
    received = student.drive("run", made, x, True)
    expect.close("output where both ways give constants", received, wanted)
    student.drive("fill", made, {f"{norm}.bias": -5 * one})
    received = student.drive("run", made, x, True)
    expect.close("output where the sum is negative", received, 0.0 * wanted)


@EVERY
def test_forward_keeps_its_input(student, rng, kind):
    """forward does not change x, and gives the same again."""
    made = block_of(student, *KINDS[kind])
    p, _ = filled(student, made, block_shapes(*KINDS[kind]))
    x = images(rng, KINDS[kind][0])
    kept = student.prepare("tensor", x)
    wanted = values(block(double(x), p, KINDS[kind][2], True, shift))
    for turn in ("first", "second"):
        received = student.drive("run", made, kept, True)
        expect.close(f"output, {turn} time", received, wanted, **NEAR)
        expect.unchanged("x", x, student.fetch(kept))


@pytest.mark.long
@EVERY
def test_gradients(student, rng, kind):
    """Gradients reach x and every parameter, and they are right."""
    made = block_of(student, *KINDS[kind])
    p, names = filled(student, made, block_shapes(*KINDS[kind]))
    stride = KINDS[kind][2]
    x = images(rng, KINDS[kind][0])
    leaf = double(x)
    y = block(leaf, p, stride, True, shift)
    upstream = rng.normal(size=y.shape).astype(np.float32)
    y.backward(double(upstream))
    found = student.drive("pullback", made, x, upstream, True)
    expect.close("gradient of x", found["dx"], values(leaf.grad), **NEAR)
    for name, number in p.items():
        if number.grad is not None:
            received = found["gradients"].get(names[name])
            expect.close(f"gradient of {name}", received, values(number.grad), rtol=3e-4, atol=3e-4)


def test_two_blocks_share_nothing(student, rng):
    """Two blocks have parameters of their own."""
    resnet = student.prepare("with_parts", True, False)
    first, second = resnet.BasicBlock(6, 6), resnet.BasicBlock(6, 6)
    p, _ = filled(student, first, block_shapes(*KINDS["plain"]), 5)
    filled(student, second, block_shapes(*KINDS["plain"]), 6)
    x = images(rng, 6)
    wanted = values(block(double(x), p, 1, True, shift))
    expect.close("output of the first", student.drive("run", first, x, True), wanted, **NEAR)


# With the student's own BatchNorm2d


@whole
@pytest.mark.parametrize("kind", ["plain", "strided"])
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_with_batch_normalisation(student, rng, kind, training):
    """With your own BatchNorm2d the block computes what it should, in both modes."""
    expect_values(student, rng, kind, training, real=True)
