"""Mistakes in other right styles than the reference's are told by the same entries."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from autograder.author.prove import other_solutions
from autograder.suite.hidden.local_host import LocalHost
from tests.weeks.test_week_suites import (
    COURSE,
    ROOT,
    examiner,  # noqa: F401 - a fixture
    proof,
    together,
    what_is_told,
)


@dataclass(frozen=True)
class Planted:
    """In `style`'s `file`, `right` becomes `wrong`; the entry `told` explains what then fails."""

    week: str
    style: str
    file: str
    right: str
    wrong: str
    told: str


W1, W2, W3 = "week1", "week2", "week3"
NET, GRAD, OPT, NORM = "neural_net.py", "autograd.py", "optimizers.py", "batch_norm.py"
PLANTED = [
    Planted(W1, "tutorial", NET, "self.inputs.T @ grad", "grad.T @ self.inputs",
            "linear-weight-gradient-transposed"),
    Planted(W1, "tutorial", NET, "self.inputs.T @ grad", "self.inputs.T @ grad / len(grad)",
            "linear-weight-gradient-averaged"),
    Planted(W1, "tutorial", NET, "np.sum(grad, axis=0, keepdims=True)",
            "np.mean(grad, axis=0, keepdims=True)", "linear-bias-gradient-averaged"),
    Planted(W1, "tutorial", NET, "self.diff**2) / self.diff.shape[0]", "self.diff**2)", "mse-sum"),
    Planted(W1, "tutorial", NET, "0.5 * inner**2", "inner**2", "huber-forgets-the-half"),
    Planted(W1, "tutorial", NET, "grad * (1.0 - self.output**2)", "1.0 - self.output**2",
            "tanh-forgets-upstream-gradient"),
    Planted(W1, "texts", NET,
            "exp_x = np.exp(x - np.max(x, axis=1, keepdims=True))\n"
            "        self.y = exp_x / np.sum(exp_x, axis=1, keepdims=True)",
            "exp_x = np.exp(x - np.max(x, axis=0))\n        self.y = exp_x / np.sum(exp_x, axis=0)",
            "softmax-sums-over-the-batch"),
    Planted(W1, "texts", NET, "* np.sqrt(2.0 / in_features)", "* 0.01",
            "linear-weights-of-a-fixed-size"),
    Planted(W2, "tutorial", GRAD, "node.grad = node.grad + slope * result.grad",
            "node.grad = slope * result.grad", "value-product-overwrites"),
    Planted(W2, "tutorial", GRAD, "(self, lambda g: g @ y.T)", "(self, lambda g: g @ y)",
            "matmul-forgets-to-transpose"),
    Planted(W2, "tutorial", GRAD, "(self, lambda g: g / x)", "(self, lambda g: 1.0 / x)",
            "tensor-log-forgets-upstream"),
    Planted(W2, "tutorial", "mnist_autograd.py", "self.b + x @ self.W.T", "x @ self.W.T",
            "layer-forgets-bias"),
    Planted(W3, "tutorial", OPT, "velocity = self.momentum * self.memory(p, \"velocity\") - self.lr"
            " * p.grad", "velocity = self.momentum * self.memory(p, \"velocity\") - self.lr * "
            "(1 - self.momentum) * p.grad", "momentum-dampened"),
    Planted(W3, "tutorial", OPT, "(np.sqrt(mean) + self.tiny)", "(mean + self.tiny)",
            "rmsprop-without-root"),
    Planted(W3, "tutorial", OPT, "mean / (1.0 - beta**count)", "mean",
            "adam-without-bias-correction"),
    Planted(W3, "tutorial", NORM, "+ dvar * 2 * xmu / n", "",
            "batch-norm-no-gradient-through-the-variance"),
    Planted(W3, "tutorial", NORM, "(dL_dy * x_hat).sum(axis=0, keepdims=True)",
            "(dL_dy * x_hat).mean(axis=0, keepdims=True)", "batch-norm-gamma-gradient-averaged"),
]  # fmt: skip


def planted() -> list[pytest.ParameterSet]:
    """Return the planted mistakes, each with its week."""
    numbers = {week.id: week.number for week in COURSE.weeks}
    return [
        pytest.param(*together(numbers[one.week]).values, one, id=f"{one.style}-{one.told}")
        for one in PLANTED
    ]


@proof
@pytest.mark.parametrize(("examiner", "mistake"), planted(), indirect=["examiner"], scope="module")
def test_a_mistake_in_another_style_is_told_by_its_entry(examiner, mistake):  # noqa: F811
    style = other_solutions(ROOT, examiner.week, examiner.reference)[mistake.style]
    source = style.files[mistake.file].decode()
    assert source.count(mistake.right) == 1
    wrong = source.replace(mistake.right, mistake.wrong)
    entry = next(one for one in examiner.catalogue if one.id == mistake.told)
    checks = {check.id: check for check in examiner.session.plan}
    only = {check for check in checks if checks[check].item in entry.fails}
    host = LocalHost({**style.files, mistake.file: wrong.encode()})
    told = what_is_told(examiner, examiner.session.run(host, only=only))
    assert entry.says in told.values(), f"the student is told {list(told)}"
