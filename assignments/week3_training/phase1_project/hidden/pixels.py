"""What tests of the trainer share: a made-up network, optimizer and schedule (worker/probes.py).

What they should come to is worked out here step by step, in float64.
"""

import numpy as np

from autograder.suite import expect

NEAR = {"rtol": 1e-4, "atol": 1e-5}
CLASSES, LR = 4, 0.5
SIZES = (5, 5, 2)


def numbers(rng):
    """Return weights for the made-up network."""
    values = {"weight": rng.normal(size=(3, CLASSES)), "bias": rng.normal(size=CLASSES)}
    values["seen"] = rng.normal(size=CLASSES)
    return {name: value.astype(np.float32) for name, value in values.items()}


def batches_of(rng):
    """Return batches [x, y], the last one smaller than the others."""
    return [
        [
            rng.normal(size=(size, 3, 32, 32)).astype(np.float32),
            rng.integers(0, CLASSES, size).astype(np.int64),
        ]
        for size in SIZES
    ]


def trainer_of(student, values, lr=LR, **more):
    """Return a Trainer and the three that it was given."""
    trio = student.drive("trio", lr, values)
    return student.module("training.trainer").Trainer(*trio, **more), *trio


def loss_of(logits, y, smoothing=0.0):
    """Return (loss of each image, whether it is a hit, gradient of their mean).

    `smoothing`: the share of the target that is spread evenly over all classes.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    target = np.full_like(p, smoothing / p.shape[1])
    target[np.arange(len(y)), y] += 1.0 - smoothing
    losses = -(target * np.log(p)).sum(axis=1)
    return losses, logits.argmax(axis=1) == y, (p - target) / len(y)


class Expected:
    """What the made-up three come to."""

    def __init__(self, values, drag=0.0, smoothing=0.0):
        self.values = {name: value.astype(np.float64) for name, value in values.items()}
        self.drag, self.smoothing = drag, smoothing

    def train(self, batches, epoch):
        """Go through an epoch, counted from 0; return its means."""
        losses, hits, now = [], [], self.values
        for x, y in batches:
            pixels = x[:, :, 16, 16].astype(np.float64)
            logits = pixels @ now["weight"] + now["bias"] + now["seen"]
            loss, hit, slope = loss_of(logits, y, self.smoothing)
            lr = LR * 0.8**epoch
            now["weight"] = now["weight"] - lr * (pixels.T @ slope + self.drag)
            now["bias"] = now["bias"] - lr * (slope.sum(axis=0) + self.drag)
            now["seen"] = now["seen"] + 0.01
            self.drag += 0.001
            losses.append(loss)
            hits.append(hit)
        return {"loss": np.concatenate(losses).mean(), "accuracy": np.concatenate(hits).mean()}

    def evaluate(self, batches):
        """Return the means of the present weights."""
        found = [
            loss_of(
                x[:, :, 16, 16] @ self.values["weight"] + self.values["bias"] - self.values["seen"],
                y,
            )
            for x, y in batches
        ]
        losses, hits = (np.concatenate([one[part] for one in found]) for part in (0, 1))
        return {"loss": losses.mean(), "accuracy": hits.mean()}


def expect_means(label, received, wanted):
    expect.that(label, type(received) is dict, 'it should be a dict with "loss" and "accuracy".')
    expect.close(f"accuracy of {label}", received.get("accuracy"), wanted["accuracy"])
    expect.close(f"loss of {label}", received.get("loss"), wanted["loss"], **NEAR)


def expect_state(student, network, expected):
    found = student.drive("state_of", network)
    for name, value in expected.values.items():
        expect.close(f"{name} of the network", found.get(name), value, **NEAR)
