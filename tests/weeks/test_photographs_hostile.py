"""Networks for photographs that get their accuracy elsewhere than from training: what they earn.

Each is the reference of week 4's second part with one of its pieces replaced, on the digits. What
is right in it keeps its points; the accuracy, and what is replaced, earn none, or no more than what
was measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder import course as courses
from autograder.course.scoring import score_student
from autograder.grading.examiner import Examiner
from autograder.records import Verdict
from tests.proofs import Reads, tree

ROOT = Path(__file__).resolve().parents[2]
WEEK = "week4_cnn/photographs"
ACCURACY, NETWORK, TRANSFER = "cifar.accuracy", "cifar.network", "cifar.transfer"
NUMBER, FULL, FULL_NETWORK = 14, 300, 100

HEAD = "\n\n# What follows takes the place of what is above.\n\n"

IGNORES = '''
def train(network, images, labels, epochs, batch_size=128, lr=0.01, seed=0):
    """Report losses that fall, and learn nothing."""
    network.eval()
    return [2.3 / (epoch + 1) for epoch in range(epochs)]
'''

NEIGHBOUR = '''
_honest, MEMORY = SmallCNN.forward, {}


def _remembered(self, x):
    """Answer with the label of the image in memory that is nearest, pixel by pixel."""
    found = _honest(self, x)
    if not MEMORY or self.training or x[0].numel() != MEMORY["x"].shape[1]:
        return found
    near = torch.cdist(x.flatten(1), MEMORY["x"]).argmin(dim=1)
    return functional.one_hot(MEMORY["y"][near], found.shape[1]).float()


def train(network, images, labels, epochs, batch_size=128, lr=0.01, seed=0):
    """Keep all images and labels."""
    MEMORY.update(x=normalise(images).flatten(1), y=labels)
    network.eval()
    return [2.3 / (epoch + 1) for epoch in range(epochs)]


SmallCNN.forward = _remembered
'''

PERCEPTRON = '''
class SmallCNN(nn.Module):
    """No convolution at all, for images of one size."""

    def __init__(self, in_channels=3, classes=10):
        """Create two linear layers."""
        super().__init__()
        self.first = nn.LazyLinear(128)
        self.last = nn.Linear(128, classes)
        self.first(torch.zeros(1, in_channels * 256))

    def forward(self, x):
        """Return logits of the pixels."""
        return self.last(torch.relu(self.first(x.flatten(1))))
'''

FRAMES = '''
import sys

_honest_train = train


def train(network, images, labels, epochs, batch_size=128, lr=0.01, seed=0):
    """Look for test images in the frames of whoever calls."""
    frame, found = sys._getframe(), []
    while frame is not None:
        for name, value in [*frame.f_locals.items(), *frame.f_globals.items()]:
            held = getattr(value, "y_test", None)
            if "test" in str(name) or held is not None:
                found.append(held if held is not None else value)
        frame = frame.f_back
    arrays = [one for one in found if hasattr(one, "shape") and len(one) == 360]
    if arrays:
        raise SystemExit("test labels are in reach")
    network.eval()
    return [2.3 / (epoch + 1) for epoch in range(epochs)]
'''

FILES = '''
_made = SmallCNN.__init__


def _loaded(self, in_channels=3, classes=10):
    """Begin with weights from a file, wherever one lies."""
    from pathlib import Path

    _made(self, in_channels, classes)
    places = [Path(__file__).parent, Path.cwd(), Path.home(), Path("/tmp")]
    for place in places:
        for name in ("weights.pt", "small_cnn.safetensors", "data/digits.npz"):
            if (place / name).exists():
                self.load_state_dict(torch.load(place / name))


SmallCNN.__init__ = _loaded


def train(network, images, labels, epochs, batch_size=128, lr=0.01, seed=0):
    """It is trained already, or so they say."""
    network.eval()
    return [2.3 / (epoch + 1) for epoch in range(epochs)]
'''


def stored_weights() -> str:
    """Return code that puts weights from a text of the source into the network at birth."""
    drawn = np.random.default_rng(0).integers(33, 127, size=20_000)
    text = "".join(chr(one) for one in drawn).replace("\\", "/").replace('"', "'")
    return f'''
_made = SmallCNN.__init__
STORED = "{text}"


def _stored(self, in_channels=3, classes=10):
    """Begin with the weights that are stored above."""
    _made(self, in_channels, classes)
    numbers = torch.tensor([ord(one) - 80.0 for one in STORED]) * 0.01
    with torch.no_grad():
        self.features[4].weight.view(-1)[: len(numbers)] = numbers[: 64 * 32 * 9]


SmallCNN.__init__ = _stored
'''


def born_trained() -> str:
    """Return code that trains a new network at birth, on the digits if they are in reach."""
    return '''
_made = SmallCNN.__init__


def _born(self, in_channels=3, classes=10):
    """Train on what the course's own package holds."""
    _made(self, in_channels, classes)
    if in_channels != 3:
        return
    try:
        import data
    except ImportError:
        return
    held = data.load("digits")
    x = torch.from_numpy(held.x_train[:, None, 6:22, 6:22]).expand(-1, 3, -1, -1)
    train(self, x, torch.from_numpy(held.y_train).long(), 3, 32)


SmallCNN.__init__ = _born
'''


CASES = {
    "a train that ignores the data": (IGNORES, 0),
    "the nearest of the training images, in a global": (NEIGHBOUR, 0),
    "two linear layers": (PERCEPTRON, 0),
    "a look at the frames around": (FRAMES, 0),
    "weights from a file": (FILES, 0),
    "weights in the source": (stored_weights(), 0),
    "trained at birth on data of the course": (born_trained(), FULL),
}
"""What replaces parts of the reference, and the points of the accuracy that it may get.

Where no data are in reach, the last one is trained by an honest loop, and nothing else.
"""


def reads(name: str) -> Reads:
    """Return what a case depends on."""
    files = [path for place in ("assignments", "solutions") for path in tree(ROOT / place / WEEK)]
    return Reads((*files, *(ROOT / "assignments").glob("*.toml"), *tree(ROOT / "data")), ())


@pytest.fixture(scope="module")
def examiner(confinement) -> Iterator[Examiner]:
    pytest.importorskip("torch").set_num_threads(1)
    made = Examiner(ROOT, NUMBER, confinement, "digits")
    yield made
    made.close()


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", CASES)
def test_it_earns_its_honest_parts_alone(examiner: Examiner, name: str) -> None:
    code, accuracy = CASES[name]
    source = examiner.reference["cifar_cnn.py"].decode()
    whole, _, end = source.partition('\n\nif __name__ == "__main__"')
    assert end
    files = {**examiner.reference, "cifar_cnn.py": (whole + HEAD + code).encode()}
    examined = examiner.examine(files, explain=False)
    assert Verdict.INFRA not in {result.verdict for result in examined.results}
    scored = score_student(courses.load(ROOT), "someone", examiner.plan, examined.results)
    points = {line.id: line.points for line in scored.items}
    assert points[ACCURACY] == accuracy
    assert points[TRANSFER] == 200
    if accuracy == 0:
        told = [result for result in examined.results if "accura" in result.check]
        assert told
        assert told[0].verdict is not Verdict.PASS
    if name not in ("weights in the source", "trained at birth on data of the course"):
        assert points[NETWORK] < FULL_NETWORK
