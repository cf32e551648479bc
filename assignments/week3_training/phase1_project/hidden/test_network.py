"""Hidden tests of models/resnet.py: ResNet18.

Made-up parts stand in the places of BatchNorm2d and of BasicBlock, so that these tests judge the
network's own work. Where that can't be, since the network gets its blocks in another way, it is
judged with the student's own. What its layers are called makes no difference (roles.py). Where one
side of the network is wrong in a known way, tests of the others compare with a network that has
this side in the student's form (forms.py).
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools import roles
from ..worker.drivers import projected
from .forms import RIGHT, listed, nearest, plan, with_ends, with_stems
from .oracle import (
    averages,
    batch_norm,
    double,
    filled,
    network,
    network_shapes,
    shift,
    stem,
    values,
)

pytestmark = pytest.mark.item("project.network")

NEAR = {"rtol": 1e-3, "atol": 1e-3}
MODES = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
SIDES = (32, 32, 16, 16, 8, 8, 4, 4)


class Way:
    """One way to look at the network: with made-up parts, or with the student's own in it.

    `form` is what the network is held to: the right one, or the student's but for some sides.
    """

    def __init__(self, student, *, norms, blocks, form=RIGHT):
        self.student, self.mixers, self.form = student, blocks, form
        self.norm = shift if norms else batch_norm
        self.make = student.prepare("with_parts", norms, blocks).ResNet18

    def filled(self, made):
        """Fill a network with numbers of ours; return these, and what they are called there."""
        wanted = network_shapes(10, mixers=self.mixers, form=self.form)
        return filled(self.student, made, wanted)

    def logits(self, x, p, training):
        """Return what the oracle gives, as a tensor."""
        return network(x, p, training, self.norm, mixers=self.mixers, form=self.form)


def ways(student, *, whole_first=False):
    """Return functions that make the ways, those with made-up parts first."""
    found = [
        lambda: Way(student, norms=True, blocks=True),
        lambda: Way(student, norms=True, blocks=False),
        lambda: Way(student, norms=False, blocks=False),
    ]
    return found[::-1] if whole_first else found


def by_any_way(student, check, *, sides=None, **order):
    """Let `check(way)` pass by one of the ways.

    `sides`: those of the network that the check is about; the others may be in the student's form.
    """
    strict = [lambda way=way: check(way()) for way in ways(student, **order)]
    if sides is None:
        expect.any_of(*strict)
        return

    def by_its_form():
        form = form_of(student).rightly(*sides)
        expect.that("network", form != RIGHT, "it is not right, in no known way.")
        check(Way(student, norms=True, blocks=True, form=form))

    # Made-up parts are small: with the student's own, each network takes half a second.
    expect.any_of(strict[0], by_its_form, *strict[1:])


def form_of(student):
    """Find out in which known form the student's network is, with made-up parts in it."""
    way = Way(student, norms=True, blocks=True)
    made, x = way.make(), np.random.default_rng(8).normal(size=(2, 3, 32, 32)).astype(np.float32)
    found = roles.layers_of(student, made)
    outside = [one for one in roles.outside_blocks(found) if one["kind"] == "conv"]
    blocks = [made_with(found, one) for one in found if one["kind"] == "block"]
    way.form = listed(outside, blocks)
    p, names = way.filled(made)
    last, first = names["fc.weight"].removesuffix(".weight"), (blocks_in(found) or [""])[0]
    seen = student.drive("passing", made, x, False, [first, last, ""])
    whole = {"mixers": True}
    for place, at, forms, oracle in (
        (first, 0, with_stems, lambda f: values(stem(double(x), p, False, shift, f))),
        ("", 1, with_ends, lambda f: values(network(double(x), p, False, shift, form=f, **whole))),
    ):
        received = seen[place][at] if place in seen else None
        own = nearest(f"values in {place}", received, forms(way.form), oracle)
        way.form = own or way.form
    return way.form


def images(rng, count=2):
    return rng.normal(size=(count, 3, 32, 32)).astype(np.float32)


def blocks_in(found):
    return [one["name"] for one in found if one["kind"] == "block"]


# What the network is made of


def test_blocks(student):
    """There are eight blocks, with channels 64, 128, 256, 512 and their strides."""

    def check(way):
        found = roles.layers_of(student, way.make())
        blocks = [one for one in found if one["kind"] == "block"]
        expect.equal("number of blocks", len(blocks), 8)
        for one, (_, *wanted) in zip(blocks, plan(), strict=True):
            label = f"{one['name']}: channels in and out, and stride"
            expect.equal(label, made_with(found, one), wanted)

    by_any_way(student, check)


def made_with(found, block):
    """Return the channels in and out and the stride of a block, made up or the student's own."""
    if "made" in block:
        return block["made"]
    main = roles.main_way_of(found, f"{block['name']}.")
    expect.equal(f"number of convolutions that are not 1 x 1 in {block['name']}", len(main), 2)
    return [main[0]["channels"][0], main[1]["channels"][1], main[0]["stride"][0]]


def test_first_and_last_layer(student):
    """The first convolution is 3 x 3 with stride 1; the linear layer has 512 inputs."""

    def check(way):
        made = way.make()
        outside = roles.outside_blocks(roles.layers_of(student, made))
        convolutions = [one for one in outside if one["kind"] == "conv"]
        expect.equal("number of convolutions outside the blocks", len(convolutions), 1)
        wanted = {"channels": [3, 64], "kernel": [3, 3], "stride": [1, 1]}
        for name, value in wanted.items():
            expect.equal(f"{name} of the first convolution", convolutions[0].get(name), value)
        last = [one["name"] for one in outside if one["kind"] == "linear"]
        expect.equal("number of linear layers", len(last), 1)
        shapes = student.drive("shapes", made)["parameters"]
        expect.equal("shape of its weight", shapes.get(f"{last[0]}.weight"), [10, 512])
        expect.equal("shape of its bias", shapes.get(f"{last[0]}.bias"), [10])

    by_any_way(student, check)


# What it computes


def test_shapes_of_the_stages(student, rng):
    """Images of 32 x 32 become 64 x 32 x 32, 128 x 16 x 16, 256 x 8 x 8 and 512 x 4 x 4."""
    x = images(rng)

    def check(way):
        made = way.make()
        names = blocks_in(roles.layers_of(student, made))
        expect.equal("number of blocks", len(names), 8)
        found = student.drive("passing_shapes", made, x, names)
        divided = way.form.stride * (way.form.pool or (1, 1))[1]
        for name, (_, _, channels, _), side in zip(names, plan(), SIDES, strict=True):
            wanted = [2, channels, *[max(1, side // divided)] * 2]
            expect.equal(f"shape after {name}", found.get(name), wanted)

    by_any_way(student, check, sides=["blocks"])


@MODES
def test_what_the_blocks_are_given(student, rng, training):
    """The first block is given relu(bn1(conv1(x))), and nothing is pooled before it."""
    x = images(rng)

    def check(way):
        made = way.make()
        p, _ = way.filled(made)
        first = blocks_in(roles.layers_of(student, made))[0]
        seen = student.drive("passing", made, x, training, [first])
        expect.that("first block", first in seen, "your network does not call it.")
        wanted = values(stem(double(x), p, training, way.norm))
        expect.close("input of the first block", seen[first][0], wanted, **NEAR)

    by_any_way(student, check)


def test_average_over_the_image(student, rng):
    """The linear layer is given the average over height and width, channel by channel."""
    x = images(rng)

    def check(way):
        made = way.make()
        p, names = way.filled(made)
        last = names["fc.weight"].removesuffix(".weight")
        seen = student.drive("passing", made, x, False, [last])
        expect.that("linear layer", last in seen, "your network does not call it.")
        form = way.form
        wanted = values(averages(double(x), p, False, way.norm, mixers=way.mixers, form=form))
        expect.close("input of the linear layer", seen[last][0], wanted, **NEAR)

    by_any_way(student, check, sides=["pooled"])


def expect_logits(student, x, training, **order):
    """Compare the network's logits with the oracle's."""

    def check(way):
        made = way.make()
        p, _ = way.filled(made)
        wanted = values(way.logits(double(x), p, training))
        expect.close("logits", student.drive("run", made, x, training), wanted, **NEAR)

    by_any_way(student, check, **order)


@pytest.mark.weight(2)
@MODES
def test_logits(student, rng, training):
    """The logits are those of the layers one after the other, in both modes."""
    expect_logits(student, images(rng), training, sides=[])


def test_one_image(student, rng):
    """In evaluation mode an image alone has its own logits."""
    for _ in range(2):
        expect_logits(student, images(rng, 1), False, sides=[])


def test_no_softmax(student, rng):
    """The logits are what the linear layer gives: no softmax, no ReLU behind it."""
    bias = (30 * rng.normal(size=10)).astype(np.float32)
    bias[:2] = 50.0, -50.0
    x, wanted = images(rng, 3), np.tile(bias, (3, 1))

    def check(way):
        made = way.make()
        p, names = way.filled(made)
        logits = values(way.logits(double(x), p, False))
        expect.close("logits", student.drive("run", made, x, False), logits, **NEAR)
        given = {"fc.weight": np.zeros((10, 512), np.float32), "fc.bias": bias}
        student.drive("fill", made, {names[name]: value for name, value in given.items()})
        for training in (True, False):
            received = student.drive("run", made, x, training)
            label = "logits where the linear layer gives its bias alone"
            expect.close(label, received, wanted, rtol=1e-5)

    by_any_way(student, check, sides=["end"])


def expect_gradients(student, way, x, upstream):
    """Compare each gradient with the oracle's, along one random direction.

    The tolerance is relative to the gradient's norm, which is how far such numbers spread. In
    float32, two correct ways to normalise differ by up to 0.05 there: ReLUs near 0 switch.
    """
    made = way.make()
    p, names = way.filled(made)
    way.logits(double(x), p, True).backward(double(upstream))
    wanted = {name: number.grad for name, number in p.items() if number.grad is not None}
    given = {name: names[name] for name in wanted}
    found = student.drive("projections", made, x, upstream, True, 9, given)
    for name, gradient in wanted.items():
        received = found.get(name)
        label = f"gradient of {name}, along a random direction"
        expect.that(label, received is not None, "no gradient reaches this parameter.")
        near = (1e-3 if way.mixers else 0.3) * float(gradient.norm())
        expect.close(label, received, projected(name, gradient, 9), rtol=0.0, atol=near)


@pytest.mark.long
def test_gradients(student, rng):
    """Gradients reach every parameter outside the blocks and every block, and they are right."""
    x, upstream = images(rng), rng.normal(size=(2, 10)).astype(np.float32)
    by_any_way(student, lambda way: expect_gradients(student, way, x, upstream), sides=[])


# The whole network, with the student's own parts in it where these are right


@pytest.mark.long
@pytest.mark.weight(2)
@MODES
def test_logits_of_the_whole_network(student, rng, training):
    """With the same weights, your whole network gives the logits that ResNet-18 gives."""
    expect_logits(student, images(rng), training, whole_first=True)


@pytest.mark.long
def test_gradients_of_the_whole_network(student, rng):
    """Gradients reach all 62 parameter arrays of the whole network, and they are right."""
    x, upstream = images(rng), rng.normal(size=(2, 10)).astype(np.float32)
    check = lambda way: expect_gradients(student, way, x, upstream)  # noqa: E731
    by_any_way(student, check, whole_first=True, sides=[])


@pytest.mark.long
def test_a_new_network(student, rng):
    """A new network's weights are random, and its loss is near that of guessing."""
    x = images(rng, 8)

    def check(way):
        first, second = (student.prepare("seeded", seed, way.make) for seed in (1, 2))
        outside = roles.outside_blocks(roles.layers_of(student, first))
        last = tuple(f"{one['name']}." for one in outside if one["kind"] == "linear")
        for name, (_, deviation, alike) in student.drive("spread", first).items():
            if not name.startswith(last):  # a last layer that begins with zeros is fine
                expect.that(name, deviation > 1e-4, "the weights of this layer do not vary.")
                expect.that(name, alike == 0, "some filters begin with the same weights.")
        logits = expect.array("logits", student.drive("run", first, x, True), (8, 10))
        expect_unlike_images(student, first, x, last[0].removesuffix("."))
        expect_guess(logits.astype(float))
        expect_unlike(student, first, second, outside)

    by_any_way(student, check, whole_first=True)


def expect_guess(logits):
    """The loss of eight images of the classes 0 to 7 is near that of guessing."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    rows = np.arange(8)
    loss = float((np.log(np.exp(shifted).sum(axis=1)) - shifted[rows, rows]).mean())
    message = f"the loss on ten classes is {loss:.2f}; guessing has {np.log(10):.2f}."
    expect.that("loss of a new network", 1.0 < loss < 6.0, message)


def expect_unlike_images(student, made, x, last):
    """What goes into the linear layer depends on the image."""
    seen = student.drive("passing", made, x, True, [last])
    expect.that("linear layer", last in seen, "your network does not call it.")
    features = expect.array("input of the linear layer", seen[last][0], (len(x), 512))
    message = "it is the same for each image."
    expect.that("input of the linear layer", bool((np.ptp(features, axis=0) > 0).any()), message)


def expect_unlike(student, first, second, outside):
    """Two networks begin with different first layers."""
    [name] = [f"{one['name']}.weight" for one in outside if one["kind"] == "conv"][:1]
    states = [student.drive("state_of", made) for made in (first, second)]
    one, other = (state.get(name) for state in states)
    expect.differ("first weights", one, other, "two networks begin alike.")
