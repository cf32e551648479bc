"""Debugging lab: your answers. One function for each script; it returns what you found out.

In this order, and without opening the scripts before step 3:

1. suspects: `python lab.py curves` shows how the six scripts train. Write down one to three names
   from FAULTS that the curve lets you suspect. They are asked for and never judged.
2. measured: what you measured (`python lab.py` lists the instruments), and the number that decided
   between your suspects: one line with at least one number in it.
3. fault: the name of what is wrong. Then mend `train` in the script.
"""

from __future__ import annotations

from typing import TypedDict

FAULTS = (
    "activation skipped in backward",
    "biases never updated",
    "data not shuffled",
    "gradient has the wrong sign",
    "hidden units all alike",
    "initial weights too large",
    "inputs not standardised",
    "labels shifted by one",
    "learning rate falls too fast",
    "learning rate too high",
    "learning rate too low",
    "loss averaged twice",
    "loss never averaged",
)
"""What may be wrong; the handout says of each how it shows."""


class LabAnswer(TypedDict):
    """What there is to say of one script."""

    suspects: list[str]
    measured: str
    fault: str | None


def lab_1() -> LabAnswer:
    """Plain gradient descent on large batches; three arms of a spiral."""
    fault = "loss averaged twice"
    return {"suspects": (fault,), "measured": "used / measured = 1/150", "fault": fault}


def lab_2() -> LabAnswer:
    """Momentum on small batches; four rings around each other."""
    fault = "data not shuffled"
    return {"suspects": (fault,), "measured": "1 class in a batch", "fault": fault}


def lab_3() -> LabAnswer:
    """Gradient descent with momentum on all examples at once; five clouds of points."""
    fault = "inputs not standardised"
    return {"suspects": (fault,), "measured": "deviations from 2e-5 to 1.2", "fault": fault}


def lab_4() -> LabAnswer:
    """RMSprop on small batches, at a falling rate; six noisy patterns."""
    fault = "learning rate falls too fast"
    return {"suspects": (fault,), "measured": "step 89 moves W1 by 6e-7 of it", "fault": fault}


def lab_5() -> LabAnswer:
    """Adam on small batches; four classes of two clouds each."""
    fault = "labels shifted by one"
    return {"suspects": (fault,), "measured": "class 0 is trained as class 3", "fault": fault}


def lab_6() -> LabAnswer:
    """Gradient descent at a falling rate; a spiral of two arms."""
    fault = "hidden units all alike"
    return {"suspects": (fault,), "measured": "spread 2e-15", "fault": fault}
