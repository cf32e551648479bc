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
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["loss averaged twice", "learning rate too low"],
        "measured": "gradients: the ones used are 0.0067 times the measured ones, 1 / 150.",
        "fault": "loss averaged twice",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION


def lab_2() -> LabAnswer:
    """Momentum on small batches; four rings around each other."""
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["data not shuffled", "learning rate too high"],
        "measured": "batches: each of the first ten holds 1 class, the same one.",
        "fault": "data not shuffled",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION


def lab_3() -> LabAnswer:
    """Gradient descent with momentum on all examples at once; five clouds of points."""
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["inputs not standardised", "learning rate too low"],
        "measured": "inputs: input 0 has deviation 1.22, the five others 0.014 and less.",
        "fault": "inputs not standardised",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION


def lab_4() -> LabAnswer:
    """RMSprop on small batches, at a falling rate; six noisy patterns."""
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["learning rate falls too fast", "learning rate too low"],
        "measured": "steps: 0.026 of W1 in step 0, but 6e-7 of it in step 89.",
        "fault": "learning rate falls too fast",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION


def lab_5() -> LabAnswer:
    """Adam on small batches; four classes of two clouds each."""
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["labels shifted by one", "gradient has the wrong sign"],
        "measured": "labels: all 3248 examples of class 0 are trained as class 3.",
        "fault": "labels shifted by one",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION


def lab_6() -> LabAnswer:
    """Gradient descent at a falling rate; a spiral of two arms."""
    # BEGIN SOLUTION week3.debugging_lab
    return {
        "suspects": ["hidden units all alike", "learning rate too high"],
        "measured": "units: the rows of W1 differ by 2e-15, in all of 600 steps.",
        "fault": "hidden units all alike",
    }
    # INSTEAD
    # return {"suspects": [], "measured": "", "fault": None}
    # END SOLUTION
