"""Hidden tests of models/resnet.py: ResNet18.

Made-up parts stand in the places of BatchNorm2d and of BasicBlock, so that these tests judge the
network's own work; the last ones are of the real thing.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..worker.drivers import projected
from .oracle import batch_norm, double, filled, network, network_shapes, plan, shift, stem, values

pytestmark = pytest.mark.item("project.network")
whole = pytest.mark.needs("project.batch_norm", "project.blocks")

NEAR = {"rtol": 1e-3, "atol": 1e-3}
PARAMETERS = 11_173_962
STAGES = ["layer1", "layer2", "layer3", "layer4"]
MODES = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def network_of(student, *classes, real=False):
    """Return a network of the student's, usually with made-up parts in it."""
    return student.prepare("with_parts", not real, not real).ResNet18(*classes)


def images(rng, count=2):
    return rng.normal(size=(count, 3, 32, 32)).astype(np.float32)


# The network's own work


def test_blocks(student):
    """layer1 to layer4 are two blocks each, with their channels (64, 128, 256, 512) and strides."""
    found = student.drive("made_parts", network_of(student))
    for name, *made in plan():
        label = f"{name}, a BasicBlock(in_channels, out_channels, stride)"
        expect.equal(label, found.get(name), made)
    blocks = [name for name, made in found.items() if made]
    expect.equal("number of blocks", len(blocks), 8)


def test_first_and_last_layer(student):
    """conv1 is 3 x 3 with stride 1 and without a bias, fc maps 512 features to the classes."""
    made = network_of(student)
    found = student.drive("convolutions", made)
    expect.equal("names of the convolutions outside blocks", sorted(found), ["conv1"])
    wanted = {"channels": [3, 64], "kernel": [3, 3], "stride": [1, 1], "bias": False}
    for name, value in wanted.items():
        expect.equal(f"{name} of conv1", found["conv1"].get(name), value)
    shapes = student.drive("shapes", made)["parameters"]
    expect.equal("shape of fc.weight", shapes.get("fc.weight"), [10, 512])
    expect.equal("shape of fc.bias", shapes.get("fc.bias"), [10])


def test_nothing_more_to_train(student):
    """The network trains conv1, bn1, the blocks and fc, and nothing else."""
    found = student.drive("shapes", network_of(student))["parameters"]
    wanted = {
        name: list(shape)
        for name, shape in network_shapes(10, mixers=True).items()
        if "running" not in name
    }
    for name, shape in wanted.items():
        expect.equal(f"shape of {name}", found.get(name), shape)
    expect.equal("number of parameter arrays", len(found), len(wanted))


def test_shapes_of_the_stages(student, rng):
    """Images of 32 x 32 become 64 x 32 x 32, 128 x 16 x 16, 256 x 8 x 8 and 512 x 4 x 4."""
    found = student.drive("passing_shapes", network_of(student), images(rng), STAGES)
    for name, channels, side in zip(STAGES, (64, 128, 256, 512), (32, 16, 8, 4), strict=True):
        expect.equal(f"shape after {name}", found.get(name), [2, channels, side, side])


@MODES
def test_what_the_blocks_are_given(student, rng, training):
    """layer1 is given relu(bn1(conv1(x))), and nothing is pooled before it."""
    made = network_of(student)
    p, _ = filled(student, made, network_shapes(10, mixers=True))
    x = images(rng)
    seen = student.drive("passing", made, x, training, ["layer1"])
    expect.that("layer1", "layer1" in seen, "your network does not call layer1.")
    wanted = values(stem(double(x), p, training, shift))
    expect.close("input of layer1", seen["layer1"][0], wanted, **NEAR)


def test_average_over_the_image(student, rng):
    """fc is given the average of layer4's output over height and width, channel by channel."""
    made = network_of(student)
    filled(student, made, network_shapes(10, mixers=True))
    seen = student.drive("passing", made, images(rng), False, ["layer4", "fc"])
    for name in ("layer4", "fc"):
        expect.that(name, name in seen, f"your network does not call {name}.")
    last = expect.array("output of layer4", seen["layer4"][1], (2, 512, 4, 4))
    wanted = last.mean(axis=(2, 3), dtype=np.float64)
    expect.close("input of fc", seen["fc"][0], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.weight(2)
@MODES
def test_logits(student, rng, training):
    """The logits are those of the layers one after the other, in both modes."""
    made = network_of(student)
    p, _ = filled(student, made, network_shapes(10, mixers=True))
    x = images(rng)
    wanted = values(network(double(x), p, training, shift, mixers=True))
    expect.close("logits", student.drive("run", made, x, training), wanted, **NEAR)


def test_no_softmax(student, rng):
    """The logits are what fc gives: no softmax, no ReLU behind it."""
    made = network_of(student)
    bias = (30 * rng.normal(size=10)).astype(np.float32)
    bias[:2] = 50.0, -50.0
    student.drive("fill", made, {"fc.weight": np.zeros((10, 512), np.float32), "fc.bias": bias})
    wanted = np.tile(bias, (3, 1))
    for training in (True, False):
        received = student.drive("run", made, images(rng, 3), training)
        expect.close("logits where fc gives its bias alone", received, wanted, rtol=1e-5)


def test_number_of_classes(student, rng):
    """ResNet18(num_classes) has so many logits; ten are the default."""
    for classes in (7, 100):
        made = network_of(student, classes)
        p, _ = filled(student, made, network_shapes(classes, mixers=True))
        x = images(rng, 1)
        wanted = values(network(double(x), p, False, shift, mixers=True))
        received = student.drive("run", made, x, False)
        expect.close(f"logits, {classes} classes", received, wanted, **NEAR)
    shape = expect.array("logits", student.drive("run", network_of(student), x, False)).shape
    expect.equal("shape of the logits", shape, (1, 10))


def test_images_do_not_meet(student, rng):
    """In evaluation mode an image has the same logits, alone or with others."""
    made = network_of(student)
    student.drive("randomise", made, 5)
    x = images(rng, 3)
    together = expect.array("logits", student.drive("run", made, x, False), (3, 10))
    expect.that("logits", bool(np.ptp(together, axis=0).min() > 1e-4), "all images look the same.")
    for n in range(3):
        alone = student.drive("run", made, x[n : n + 1], False)
        expect.close("logits of an image alone", alone, together[n : n + 1], **NEAR)


def test_forward_keeps_its_input(student, rng):
    """forward does not change x, and gives the same again."""
    made = network_of(student)
    p, _ = filled(student, made, network_shapes(10, mixers=True))
    x = images(rng)
    kept = student.prepare("tensor", x)
    wanted = values(network(double(x), p, True, shift, mixers=True))
    for turn in ("first", "second"):
        received = student.drive("run", made, kept, True)
        expect.close(f"logits, {turn} time", received, wanted, **NEAR)
        expect.unchanged("x", x, student.fetch(kept))


def expect_gradients(student, rng, *, real, tolerance):
    """Compare each gradient with the oracle's, along one random direction.

    `tolerance` is relative to the gradient's norm, which is how far such numbers spread.
    """
    made = network_of(student, real=real)
    p, names = filled(student, made, network_shapes(10, mixers=not real))
    x, upstream = images(rng), rng.normal(size=(2, 10)).astype(np.float32)
    norm = batch_norm if real else shift
    network(double(x), p, True, norm, mixers=not real).backward(double(upstream))
    found = student.drive("projections", made, x, upstream, True, 9)
    for name, number in p.items():
        if number.grad is None:
            continue
        received = found.get(names[name])
        label = f"gradient of {name}, along a random direction"
        expect.that(label, received is not None, "no gradient reaches this parameter.")
        wanted, size = projected(names[name], number.grad, 9), float(number.grad.norm())
        expect.close(label, received, wanted, rtol=0.0, atol=tolerance * size)


@pytest.mark.long
def test_gradients(student, rng):
    """Gradients reach every parameter outside the blocks and every block, and they are right."""
    expect_gradients(student, rng, real=False, tolerance=1e-3)


# The real thing


@whole
def test_number_of_parameters(student):
    """With your own blocks the network has 11,173,962 parameters."""
    count = student.drive("count", network_of(student, real=True))
    expect.equal("number of parameters", count, PARAMETERS)


@pytest.mark.long
@whole
@pytest.mark.weight(2)
@MODES
def test_logits_of_the_whole_network(student, rng, training):
    """With the same weights, your whole network gives the logits that ResNet-18 gives."""
    made = network_of(student, real=True)
    p, _ = filled(student, made, network_shapes(10, mixers=False))
    x = images(rng)
    wanted = values(network(double(x), p, training, batch_norm, mixers=False))
    expect.close("logits", student.drive("run", made, x, training), wanted, **NEAR)


@pytest.mark.long
@whole
def test_gradients_of_the_whole_network(student, rng):
    """Gradients reach all 62 parameter arrays of the whole network, and they are right."""
    # In float32, two correct ways to normalise differ by up to 0.05 here: ReLUs near 0 switch.
    expect_gradients(student, rng, real=True, tolerance=0.3)


@pytest.mark.long
@whole
def test_a_new_network(student, rng):
    """A new network's weights are random, and its loss is near that of guessing."""
    make = student.prepare("with_parts", False, False).ResNet18
    first, second = (student.prepare("seeded", seed, make) for seed in (1, 2))
    for name, (_, deviation, alike) in student.drive("spread", first).items():
        if name.startswith("fc"):
            continue  # a last layer that begins with zeros is fine
        expect.that(name, deviation > 1e-4, "the weights of this layer do not vary.")
        expect.that(name, alike == 0, "some of this layer's filters begin with the same weights.")
    x, y = images(rng, 8), np.arange(8)
    firsts = expect.array("logits", student.drive("run", first, x, True), (8, 10)).astype(float)
    expect.array("logits of a second network", student.drive("run", second, x, True), (8, 10))
    shifted = firsts - firsts.max(axis=1, keepdims=True)
    loss = float((np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(8), y]).mean())
    message = f"the loss on ten classes is {loss:.2f}; guessing has {np.log(10):.2f}."
    expect.that("loss of a new network", 1.0 < loss < 6.0, message)
    one, other = (expect.array("conv1.weight", made.conv1.weight) for made in (first, second))
    expect.that("conv1.weight", not np.array_equal(one, other), "two networks begin alike.")
