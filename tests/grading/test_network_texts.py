"""What a network says while it is measured holds nothing of the hidden test images."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.gpu.assess import REHEARSED, measure
from autograder.gpu.images import Images
from autograder.records import Verdict
from autograder.suite.student import Student

COUNT = 400


class Network:
    """Stands for a worker with a network, which gets batches (N, 3, H, W) and gives logits."""

    def __init__(self, logits):
        self._logits = logits
        self.batches = 0

    def __call__(self, operation: str, *arguments):
        if operation != "drive":
            return self
        self.batches += 1
        _, [_, batch, _] = arguments
        return self._logits(batch)

    normalise = None


def images() -> Images:
    """Return test images that are all 7, so that no noise is like them."""
    pictures = np.full((COUNT, 32, 32, 3), 7, np.uint8)
    labels = np.arange(COUNT) % 10
    return Images("sevens", pictures, labels, pictures, labels)


def measured(logits) -> Network:
    network = Network(logits)
    measure(Student(network, {}), network, images(), "cpu", np.random.default_rng(0))
    return network


def said(text: str) -> Fault:
    return Fault(Verdict.RAISED, text, "ValueError")


def test_it_is_rehearsed_on_a_few_images_of_noise():
    seen = []

    def logits(batch):
        seen.append(batch)
        return np.zeros((len(batch), 10), np.float32)

    measured(logits)
    assert seen[0].shape == (REHEARSED, 3, 32, 32)
    assert seen[0].std() > 50
    assert all((batch == 7).all() for batch in seen[1:])
    assert sum(map(len, seen[1:])) == 2 * COUNT


def test_what_fails_on_noise_already_is_told_in_full():
    def logits(batch):
        raise said(f"ValueError: shape {batch.shape}\n  models/resnet.py:3")

    with pytest.raises(Fault) as caught:
        measured(logits)
    assert caught.value.message == "ValueError: shape (8, 3, 32, 32)\n  models/resnet.py:3"


def test_what_fails_on_test_images_only_is_not():
    def logits(batch):
        if (batch == 7).all():
            raise said(f"ValueError: {batch.ravel()[:20]}")
        return np.zeros((len(batch), 10), np.float32)

    with pytest.raises(Fault) as caught:
        measured(logits)
    assert caught.value.verdict is Verdict.RAISED
    assert caught.value.message.startswith("Your code raised an exception with the inputs")
    assert "7" not in caught.value.message


@pytest.mark.parametrize(
    ("wrong_for", "says"),
    [
        (lambda batch: True, r"the logits: expected shape \(8, 10\), got \(8, 9\)\."),
        (lambda batch: (batch == 7).all(), "The answer is wrong for the inputs of this hidden"),
    ],
)
def test_a_wrong_shape_is_told_in_full_where_it_is_one_for_noise_too(wrong_for, says):
    def logits(batch):
        return np.zeros((len(batch), 9 if wrong_for(batch) else 10), np.float32)

    with pytest.raises(Fault, match=says):
        measured(logits)
