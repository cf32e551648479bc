"""Public tests of models/resnet.py: BasicBlock and ResNet18.

In most of them made-up parts stand in the places of BatchNorm2d (y = weight x + bias) and of
BasicBlock, so that each test judges one thing. What layers are called makes no difference.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools import roles

blocks = pytest.mark.item("project.blocks")
network = pytest.mark.item("project.network")
beyond = pytest.mark.item("project.robustness")
whole = pytest.mark.needs("project.batch_norm", "project.blocks", "project.network")

NEAR = {"rtol": 1e-4, "atol": 1e-4}
FIRST = np.array([[1.0, -1.0], [0.5, 2.0]], np.float32)
SECOND = np.array([[-1.0, 0.5], [2.0, 1.0]], np.float32)
PIXELS = np.array([[1.0, 2.0], [-3.0, 0.5], [0.25, -1.0]], np.float32)


def block_of(student, *arguments):
    return student.prepare("with_parts", True, False).BasicBlock(*arguments)


def network_of(student, *arguments):
    return student.prepare("with_parts", True, True).ResNet18(*arguments)


def centred(matrix):
    """Return a 3 x 3 kernel that does to each pixel what the matrix does to its channels."""
    kernel = np.zeros((*matrix.shape, 3, 3), np.float32)
    kernel[:, :, 1, 1] = matrix
    return kernel


def neutral(student, made):
    """Return what makes y = x of the normalisations, however the block's own start out."""
    shapes = student.drive("shapes", made)["parameters"]
    flat = {name: shape for name, shape in shapes.items() if len(shape) == 1}
    return {
        name: np.full(shape, 1.0 if name.endswith("weight") else 0.0, np.float32)
        for name, shape in flat.items()
    }


def relu(x):
    return x * (x > 0.0)


# BasicBlock


@blocks
def test_convolutions_of_a_block(student):
    """The first convolution has the stride; a shortcut has one where the shape changes."""
    for arguments, needed in (((4, 4), 0), ((4, 6), 1), ((4, 6, 2), 1), ((4, 4, 2), 1)):
        found = roles.layers_of(student, block_of(student, *arguments))
        main = roles.main_way_of(found, "")
        kernels = [one["kernel"] for one in main]
        label = f"kernels in BasicBlock{arguments}, but for the shortcut"
        expect.equal(label, kernels, [[3, 3], [3, 3]])
        stride = arguments[2] if len(arguments) > 2 else 1
        strides = [one["stride"] for one in main]
        expect.equal("strides of the two", strides, [[stride, stride], [1, 1]])
        label = f"1 x 1 convolutions in BasicBlock{arguments}"
        expect.equal(label, len(roles.shortcut_of(found, "")), needed)


def fill(student, made, values):
    """Fill a block's layers by our names for them: "conv1", "conv2", "shortcut.0"."""
    places = roles.block_places(roles.layers_of(student, made), "")
    missing = sorted(set(values) - set(places))
    expect.that("layers", not missing, f"there is none for {', '.join(missing)}.")
    named = {f"{places[name]}.weight": value for name, value in values.items()}
    student.drive("fill", made, named | neutral(student, made))


@blocks
def test_a_block_adds_its_input(student):
    """relu(conv2(relu(conv1(x))) + x), with kernels that look at one pixel only."""
    made = block_of(student, 2, 2)
    fill(student, made, {"conv1": centred(FIRST), "conv2": centred(SECOND)})
    received = student.drive("run", made, PIXELS[:, :, None, None], True)
    wanted = relu(relu(PIXELS @ FIRST.T) @ SECOND.T + PIXELS)
    expect.close("output", received, wanted[:, :, None, None], **NEAR)


@blocks
def test_a_block_with_a_stride(student):
    """With stride 2 the shortcut looks at every other pixel, by a convolution of its own."""
    made = block_of(student, 2, 2, 2)
    values = {"conv1": centred(0 * FIRST), "conv2": centred(SECOND)}
    fill(student, made, values | {"shortcut.0": FIRST[:, :, None, None]})
    x = np.arange(2 * 5 * 4, dtype=np.float32).reshape(1, 2, 5, 4) - 15.0
    wanted = relu(np.einsum("oi,nihw->nohw", FIRST, x[:, :, ::2, ::2]))
    expect.close("output", student.drive("run", made, x, True), wanted, **NEAR)


@blocks
def test_normalisations_of_a_block(student):
    """Each convolution has a BatchNorm2d of layers.py of its own behind it."""
    for arguments, count in (((4, 4), 2), ((4, 6, 2), 3)):
        found = roles.layers_of(student, block_of(student, *arguments))
        label = f"number of BatchNorm2d in BasicBlock{arguments}"
        expect.equal(label, len(roles.inside(found, "", "norm")), count)


@blocks
def test_gradients_of_a_block(student):
    """Gradients reach x and every parameter of a block."""
    made = block_of(student, 2, 3, 2)
    x = np.sin(np.arange(2 * 2 * 6 * 6, dtype=np.float32)).reshape(2, 2, 6, 6)
    upstream = np.linspace(-1, 1, 2 * 3 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 3)
    found = student.drive("pullback", made, x, upstream, True)
    expect.array("gradient of x", found["dx"], x.shape)
    expect.that("parameters", len(found["gradients"]) >= 9, "there are too few arrays of them.")
    for name, gradient in found["gradients"].items():
        expect.differ(f"gradient of {name}", gradient, 0, "it is all zeros.")


# ResNet18


WANTED = [
    [64, 64, 1],
    [64, 64, 1],
    [64, 128, 2],
    [128, 128, 1],
    [128, 256, 2],
    [256, 256, 1],
    [256, 512, 2],
    [512, 512, 1],
]
SIDES = (32, 32, 16, 16, 8, 8, 4, 4)


def blocks_in(student, made):
    return [one for one in roles.layers_of(student, made) if one["kind"] == "block"]


@network
def test_blocks_of_the_network(student):
    """Four stages of two blocks, with 64, 128, 256 and 512 channels."""
    found = [one.get("made") for one in blocks_in(student, network_of(student))]
    expect.equal("channels in and out and stride of each block", found, WANTED)


@network
def test_shapes_in_the_network(student):
    """The stages give 32 x 32, 16 x 16, 8 x 8 and 4 x 4 pixels, and the network its logits."""
    made = network_of(student)
    names = [one["name"] for one in blocks_in(student, made)]
    expect.equal("number of blocks", len(names), 8)
    x = np.zeros((2, 3, 32, 32), np.float32)
    found = student.drive("passing_shapes", made, x, [*names, ""])
    for name, (_, channels, _), side in zip(names, WANTED, SIDES, strict=True):
        expect.equal(f"shape after {name}", found.get(name), [2, channels, side, side])
    expect.equal("shape of the logits", found.get(""), [2, 10])


@network
def test_average_and_last_layer(student):
    """The linear layer gets the average over the image, and gives the logits as they are."""
    made = network_of(student)
    places = roles.network_places(roles.layers_of(student, made))
    expect.that("layers", {"layer4.1", "fc"} <= set(places), "there are some missing.")
    block, linear = places["layer4.1"], places["fc"]
    weight, bias = np.zeros((10, 512), np.float32), np.zeros(10, np.float32)
    weight[0, 0], weight[1, 0], weight[2, 511], bias[3] = 1.0, -1.0, 1.0, -20.0
    student.drive("fill", made, {f"{linear}.weight": weight, f"{linear}.bias": bias})
    x = np.sin(np.arange(3 * 32 * 32, dtype=np.float32)).reshape(1, 3, 32, 32)
    seen = student.drive("passing", made, x, False, [block, ""])
    last = expect.array("output of the last block", seen[block][1], (1, 512, 4, 4))
    mean = last.astype(np.float64).mean(axis=(2, 3))[0]
    wanted = np.array([[mean[0], -mean[0], mean[511], -20.0, *np.zeros(6)]])
    # They are told from the student's own last block: what that gives is another test's subject.
    expect.repeated("logits", wanted, seen[""][1], **NEAR)


@network
def test_gradients_of_the_network(student):
    """Gradients reach every parameter."""
    made = network_of(student)
    x = np.sin(np.arange(2 * 3 * 32 * 32, dtype=np.float32)).reshape(2, 3, 32, 32)
    upstream = np.linspace(-1, 1, 20, dtype=np.float32).reshape(2, 10)
    found = student.drive("pullback", made, x, upstream, True)["gradients"]
    expect.that("parameters", len(found) >= 13, "there are too few arrays of them.")
    lost = sorted(name for name, gradient in found.items() if gradient is None)
    expect.that("gradients", not lost, f"no gradient reaches {', '.join(lost)}.")


@network
@pytest.mark.needs("project.batch_norm", "project.blocks")
def test_the_whole_network(student):
    """With your own parts the network gives finite logits, in both modes."""
    made = student.prepare("with_parts", False, False).ResNet18()
    x = np.sin(np.arange(4 * 3 * 32 * 32, dtype=np.float32)).reshape(4, 3, 32, 32)
    for training in (True, False):
        expect.array("logits", student.drive("run", made, x, training), (4, 10))


@beyond
@whole
def test_number_of_parameters(student):
    """Beyond the texts: the network has 11,173,962 parameters, and so no biases too many."""
    made = student.prepare("with_parts", False, False).ResNet18()
    expect.equal("number of parameters", student.drive("count", made), 11_173_962)


@beyond
@whole
def test_another_number_of_classes(student):
    """Beyond the texts: ResNet18(num_classes) has so many logits."""
    made = network_of(student, 4)
    x = np.sin(np.arange(3 * 32 * 32, dtype=np.float32)).reshape(1, 3, 32, 32)
    expect.array("logits", student.drive("run", made, x, False), (1, 4))
