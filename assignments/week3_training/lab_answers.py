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
    return {"suspects": [], "measured": "", "fault": None}


def lab_2() -> LabAnswer:
    """Momentum on small batches; four rings around each other."""
    return {"suspects": [], "measured": "", "fault": None}


def lab_3() -> LabAnswer:
    """Gradient descent with momentum on all examples at once; five clouds of points."""
    return {"suspects": [], "measured": "", "fault": None}


def lab_4() -> LabAnswer:
    """RMSprop on small batches, at a falling rate; six noisy patterns."""
    return {"suspects": [], "measured": "", "fault": None}


def lab_5() -> LabAnswer:
    """Adam on small batches; four classes of two clouds each."""
    return {"suspects": [], "measured": "", "fault": None}


def lab_6() -> LabAnswer:
    """Gradient descent at a falling rate; a spiral of two arms."""
    return {"suspects": [], "measured": "", "fault": None}
