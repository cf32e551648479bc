"""Public tests of models/resnet.py: BasicBlock and ResNet18.

In most of them made-up parts stand in the places of BatchNorm2d (y = weight x + bias) and of
BasicBlock, so that each test judges one thing.
"""

import numpy as np
import pytest

from autograder.suite import expect

blocks = pytest.mark.item("project.blocks")
network = pytest.mark.item("project.network")
whole = pytest.mark.needs("project.batch_norm", "project.blocks")

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
        found = student.drive("convolutions", block_of(student, *arguments))
        for name in ("conv1", "conv2"):
            expect.that(name, name in found, f"the block has no nn.Conv2d called {name}.")
            expect.equal(f"kernel of {name}", found[name]["kernel"], [3, 3])
            expect.equal(f"bias of {name}", found[name]["bias"], False)
        stride = arguments[2] if len(arguments) > 2 else 1
        expect.equal("stride of conv1", found["conv1"]["stride"], [stride, stride])
        expect.equal("stride of conv2", found["conv2"]["stride"], [1, 1])
        label = f"convolutions of BasicBlock{arguments}"
        expect.equal(label, len(found), 2 + needed)


@blocks
def test_a_block_adds_its_input(student):
    """relu(conv2(relu(conv1(x))) + x), with kernels that look at one pixel only."""
    made = block_of(student, 2, 2)
    values = {"conv1.weight": centred(FIRST), "conv2.weight": centred(SECOND)}
    student.drive("fill", made, values | neutral(student, made))
    received = student.drive("run", made, PIXELS[:, :, None, None], True)
    wanted = relu(relu(PIXELS @ FIRST.T) @ SECOND.T + PIXELS)
    expect.close("output", received, wanted[:, :, None, None], **NEAR)


@blocks
def test_a_block_with_a_stride(student):
    """With stride 2 the shortcut looks at every other pixel, by a convolution of its own."""
    made = block_of(student, 2, 2, 2)
    names = [n for n in student.drive("shapes", made)["parameters"] if n.startswith("shortcut")]
    weights = [name for name in names if len(student.drive("state_of", made)[name].shape) == 4]
    expect.equal("number of convolutions in the shortcut", len(weights), 1)
    values = {"conv1.weight": centred(0 * FIRST), "conv2.weight": centred(SECOND)}
    values |= {weights[0]: FIRST[:, :, None, None], **neutral(student, made)}
    student.drive("fill", made, values)
    x = np.arange(2 * 5 * 4, dtype=np.float32).reshape(1, 2, 5, 4) - 15.0
    wanted = relu(np.einsum("oi,nihw->nohw", FIRST, x[:, :, ::2, ::2]))
    expect.close("output", student.drive("run", made, x, True), wanted, **NEAR)


@blocks
def test_normalisations_of_a_block(student):
    """bn1, bn2, and the shortcut where it has a convolution, have the BatchNorm2d of layers.py."""
    for arguments, extra in (((4, 4), []), ((4, 6, 2), ["shortcut"])):
        found = student.drive("made_parts", block_of(student, *arguments))
        places = sorted(name.partition(".")[0] for name in found)
        expect.equal(f"places in BasicBlock{arguments}", places, ["bn1", "bn2", *extra])


@blocks
def test_gradients_of_a_block(student):
    """Gradients reach x and every parameter of a block."""
    made = block_of(student, 2, 3, 2)
    student.drive("randomise", made, 3)
    x = np.sin(np.arange(2 * 2 * 6 * 6, dtype=np.float32)).reshape(2, 2, 6, 6)
    found = student.drive("pullback", made, x, np.ones((2, 3, 3, 3), np.float32), True)
    expect.array("gradient of x", found["dx"], x.shape)
    expect.equal("number of parameter arrays", len(found["gradients"]), 9)
    for name, gradient in found["gradients"].items():
        array = expect.array(f"gradient of {name}", gradient)
        expect.that(f"gradient of {name}", bool(np.any(array)), "it is all zeros.")


# ResNet18


@network
def test_blocks_of_the_network(student):
    """Four stages of two blocks, with 64, 128, 256 and 512 channels."""
    found = student.drive("made_parts", network_of(student))
    made = {name: arguments for name, arguments in found.items() if arguments}
    wanted = {
        "layer1.0": [64, 64, 1],
        "layer1.1": [64, 64, 1],
        "layer2.0": [64, 128, 2],
        "layer2.1": [128, 128, 1],
        "layer3.0": [128, 256, 2],
        "layer3.1": [256, 256, 1],
        "layer4.0": [256, 512, 2],
        "layer4.1": [512, 512, 1],
    }
    expect.equal("names of the blocks", sorted(made), sorted(wanted))
    for name, arguments in wanted.items():
        label = f"in_channels, out_channels and stride of {name}"
        expect.equal(label, made[name], arguments)


@network
def test_shapes_in_the_network(student):
    """The stages give 32 x 32, 16 x 16, 8 x 8 and 4 x 4 pixels, and the network its logits."""
    stages = {"layer1": (64, 32), "layer2": (128, 16), "layer3": (256, 8), "layer4": (512, 4)}
    x = np.zeros((2, 3, 32, 32), np.float32)
    found = student.drive("passing_shapes", network_of(student), x, [*stages, ""])
    for name, (channels, side) in stages.items():
        expect.equal(f"shape after {name}", found.get(name), [2, channels, side, side])
    expect.equal("shape of the logits", found.get(""), [2, 10])


@network
def test_average_and_last_layer(student):
    """fc gets the average over the image, and its outputs are the logits as they are."""
    made = network_of(student, 4)
    weight = np.zeros((4, 512), np.float32)
    weight[0, 0], weight[1, 0], weight[2, 511] = 1.0, -1.0, 1.0
    bias = np.array([0.0, 0.0, 0.0, -20.0], np.float32)
    student.drive("fill", made, {"fc.weight": weight, "fc.bias": bias})
    x = np.sin(np.arange(3 * 32 * 32, dtype=np.float32)).reshape(1, 3, 32, 32)
    seen = student.drive("passing", made, x, False, ["layer4", ""])
    last = expect.array("output of layer4", seen["layer4"][1], (1, 512, 4, 4))
    mean = last.astype(np.float64).mean(axis=(2, 3))[0]
    wanted = np.array([[mean[0], -mean[0], mean[511], -20.0]])
    expect.close("logits", seen[""][1], wanted, **NEAR)


@network
def test_gradients_of_the_network(student):
    """Gradients reach every parameter."""
    made = network_of(student)
    student.drive("randomise", made, 3)
    x = np.sin(np.arange(2 * 3 * 32 * 32, dtype=np.float32)).reshape(2, 3, 32, 32)
    upstream = np.linspace(-1, 1, 20, dtype=np.float32).reshape(2, 10)
    found = student.drive("projections", made, x, upstream, True, 1)
    expect.equal("number of parameter arrays", len(found), 13)
    lost = sorted(name for name, value in found.items() if not value)
    expect.that("gradients", not lost, f"no gradient reaches {', '.join(lost)}.")


@network
@whole
def test_the_whole_network(student):
    """With your own parts the network has 11,173,962 parameters and gives finite logits."""
    made = student.prepare("with_parts", False, False).ResNet18()
    expect.equal("number of parameters", student.drive("count", made), 11_173_962)
    x = np.sin(np.arange(4 * 3 * 32 * 32, dtype=np.float32)).reshape(4, 3, 32, 32)
    for training in (True, False):
        expect.array("logits", student.drive("run", made, x, training), (4, 10))
