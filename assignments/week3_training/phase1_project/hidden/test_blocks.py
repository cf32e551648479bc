"""Hidden tests of models/resnet.py: BasicBlock.

A made-up part stands in the place of BatchNorm2d, so that these tests judge the block alone. Where
that can't be, since the block gets its normalisations in another way, it is judged with its own
ones. What its layers are called makes no difference (roles.py). Where a block computes in a known
wrong way, the tests of its output in training mode know only what is right, and others compare with
a block of the student's form (forms.py).
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools import roles
from .forms import BLOCK, BLOCKS, nearest
from .oracle import batch_norm, block, block_shapes, double, filled, shift, values

pytestmark = pytest.mark.item("project.blocks")

NEAR = {"rtol": 1e-4, "atol": 1e-4}
KINDS = {"plain": (6, 6, 1), "wider": (4, 6, 1), "strided": (4, 6, 2), "same width": (5, 5, 2)}
EVERY = pytest.mark.parametrize("kind", list(KINDS))


def block_of(student, c_in, c_out, stride, *, real=False):
    """Return a block of the student's, usually with the made-up part for BatchNorm2d."""
    make = student.prepare("with_parts", not real, False).BasicBlock
    return make(c_in, c_out, stride) if stride != 1 else make(c_in, c_out)


def images(rng, channels, size=(5, 6)):
    return rng.normal(size=(3, channels, *size)).astype(np.float32)


def either(check):
    """Let `check(real)` pass with the made-up part for BatchNorm2d, or with the student's own."""
    expect.any_of(lambda: check(False), lambda: check(True))


def either_form(student, check):
    """Let `check(real, form)` pass as `either` does, or with the student's form of a block."""

    def by_its_form():
        form = form_of(student)
        expect.that("block", form != BLOCK, "it is not right, in no known way.")
        check(False, form)

    expect.any_of(lambda: check(False, BLOCK), lambda: check(True, BLOCK), by_its_form)


def form_of(student):
    """Find out in which known way the student's block computes, with the made-up part in it."""
    x = np.random.default_rng(8).normal(size=(2, 4, 6, 6)).astype(np.float32)
    made = block_of(student, *KINDS["strided"])
    p, _ = filled(student, made, block_shapes(*KINDS["strided"]))
    received = student.drive("run", made, x, True)

    def oracle(form):
        return values(block(double(x), p, KINDS["strided"][2], True, shift, form=form))

    return nearest("output", received, BLOCKS, oracle) or BLOCK


def expect_values(student, rng, kind, training, *, size=(5, 6), by_form=True):
    """Compare a block's output with the oracle's, where `by_form` also in the student's form."""
    x = images(rng, KINDS[kind][0], size)
    mode = "training" if training else "evaluation"

    def check(real, form=BLOCK):
        made = block_of(student, *KINDS[kind], real=real)
        p, _ = filled(student, made, block_shapes(*KINDS[kind]))
        norm = batch_norm if real else shift
        wanted = values(block(double(x), p, KINDS[kind][2], training, norm, form=form))
        label = f"output in {mode} mode, block {KINDS[kind]}"
        expect.close(label, student.drive("run", made, x, training), wanted, **NEAR)

    either_form(student, check) if by_form else either(check)


# What the block is made of


@EVERY
def test_convolutions(student, kind):
    """The convolutions have their sizes and strides: 3 x 3, and 1 x 1 in a shortcut."""
    c_in, c_out, stride = KINDS[kind]
    found = roles.layers_of(student, block_of(student, c_in, c_out, stride))
    main = roles.main_way_of(found, "")
    expect.equal("number of convolutions that are not 1 x 1", len(main), 2)
    for one, place, before, step in zip(
        main, ("first", "second"), (c_in, c_out), (stride, 1), strict=True
    ):
        expect.equal(f"channels of the {place} convolution", one.get("channels"), [before, c_out])
        expect.equal(f"kernel of the {place} convolution", one.get("kernel"), [3, 3])
        expect.equal(f"stride of the {place} convolution", one.get("stride"), [step, step])
    past = roles.shortcut_of(found, "")
    needed = int(stride != 1 or c_in != c_out)
    label = f"1 x 1 convolutions in BasicBlock({c_in}, {c_out}, {stride})"
    expect.equal(label, len(past), needed)
    if needed:
        expect.equal("stride in the shortcut", past[0].get("stride"), [stride, stride])


@EVERY
def test_normalisations(student, kind):
    """Each convolution has a BatchNorm2d of models.layers of its own behind it."""
    c_in, c_out, stride = KINDS[kind]

    def check(real):
        found = roles.layers_of(student, block_of(student, c_in, c_out, stride, real=real))
        wanted = 2 + int(stride != 1 or c_in != c_out)
        expect.equal(
            "number of BatchNorm2d of models.layers", len(roles.inside(found, "", "norm")), wanted
        )

    either(check)


# What it computes


@pytest.mark.weight(2)
@EVERY
def test_output_in_training_mode(student, rng, kind):
    """In training mode: relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))."""
    expect_values(student, rng, kind, True, by_form=False)


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
    bias = np.array([-1.0, 0.5, 0.0, 2.0, -0.3, 0.1], np.float32)
    x = images(rng, 6)
    wanted = np.maximum(x + bias[:, None, None], 0.0)

    def check(real):
        made = block_of(student, *KINDS["plain"], real=real)
        _, names = filled(student, made, block_shapes(*KINDS["plain"]))
        constant(student, made, names, "bn2", bias)
        received = student.drive("run", made, x, True)
        expect.close("output where bn2 gives its bias alone", received, wanted, **NEAR)

    either(check)


def constant(student, made, names, norm, bias):
    """Let a normalisation give its bias alone."""
    weight = np.zeros_like(bias)
    given = {names[f"{norm}.weight"]: weight, names[f"{norm}.bias"]: bias}
    student.drive("fill", made, given)


def test_both_ways_count(student, rng):
    """Without the convolutions' way the shortcut is left, and the other way round."""
    one, x = np.ones(6, np.float32), images(rng, 4)

    def check(real):
        made = block_of(student, *KINDS["strided"], real=real)
        _, names = filled(student, made, block_shapes(*KINDS["strided"]))
        constant(student, made, names, "shortcut.1", one)
        constant(student, made, names, "bn2", 2 * one)
        received = student.drive("run", made, x, True)
        expect.close("output where both ways give constants", received, np.full((3, 6, 3, 3), 3.0))
        constant(student, made, names, "shortcut.1", -5 * one)
        received = student.drive("run", made, x, True)
        expect.close("output where the sum is negative", received, np.zeros((3, 6, 3, 3)))

    either(check)


@pytest.mark.long
@EVERY
def test_gradients(student, rng, kind):
    """Gradients reach x and every parameter, and they are right."""
    stride, x = KINDS[kind][2], images(rng, KINDS[kind][0])
    upstream = rng.normal(size=(3, KINDS[kind][1], 5 if stride == 1 else 3, 6 // stride))
    upstream = upstream.astype(np.float32)

    def check(real, form):
        made = block_of(student, *KINDS[kind], real=real)
        p, names = filled(student, made, block_shapes(*KINDS[kind]))
        leaf, norm = double(x), batch_norm if real else shift
        block(leaf, p, stride, True, norm, form=form).backward(double(upstream))
        found = student.drive("pullback", made, x, upstream, True)
        expect.close("gradient of x", found["dx"], values(leaf.grad), **NEAR)
        for name, number in p.items():
            if number.grad is not None:
                received, wanted = found["gradients"].get(names[name]), values(number.grad)
                expect.close(f"gradient of {name}", received, wanted, rtol=3e-4, atol=3e-4)

    either_form(student, check)


def test_two_blocks_share_nothing(student, rng):
    """Two blocks have parameters of their own."""
    x = images(rng, 6)

    def check(real, form):
        make = student.prepare("with_parts", not real, False).BasicBlock
        first, second = make(6, 6), make(6, 6)
        p, _ = filled(student, first, block_shapes(*KINDS["plain"]), 5)
        filled(student, second, block_shapes(*KINDS["plain"]), 6)
        norm = batch_norm if real else shift
        wanted = values(block(double(x), p, 1, True, norm, form=form))
        expect.close("output of the first", student.drive("run", first, x, True), wanted, **NEAR)

    either_form(student, check)
