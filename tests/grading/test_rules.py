"""Forbidden names are found however they are reached, and nothing else is."""

from __future__ import annotations

import pytest

from autograder.grading.rules import Rules, stored_answers, uses
from autograder.records import FULL_CREDIT, CheckResult, Verdict

FORBIDDEN = ("torchvision", "torch.optim", "torch.nn.BatchNorm2d", "torch.nn.functional.batch_norm")
FOUND = {
    "import torchvision": "torchvision",
    "import torchvision.models as zoo": "torchvision",
    "from torchvision.models import resnet18": "torchvision",
    "import torch.optim": "torch.optim",
    "from torch import optim": "torch.optim",
    "from torch.optim import Adam as Mine": "torch.optim",
    "import torch\nx = torch.optim.SGD": "torch.optim",
    "import torch as t\nx = t.optim.lr_scheduler": "torch.optim",
    "from torch import nn\nx = nn.BatchNorm2d(3)": "torch.nn.BatchNorm2d",
    "import torch.nn as nn\nx = nn.BatchNorm2d(3)": "torch.nn.BatchNorm2d",
    "import torch.nn.functional as F\nF.batch_norm(1)": "torch.nn.functional.batch_norm",
    "import importlib\nimportlib.import_module('torch.optim')": "torch.optim",
    "__import__('torchvision')": "torchvision",
}
ALLOWED = (
    "import torch\nx = torch.optimal",
    "from torch import nn\nx = nn.BatchNorm",
    "from models.layers import BatchNorm2d\nx = BatchNorm2d(3)",
    "optim = 3\ntorch = optim",
    "'''Unlike torch.optim, this is ours.'''",
    "class A:\n    def optim(self):\n        return self.torch.optim",
    "from .torch import optim",
)


@pytest.mark.parametrize("source", FOUND)
def test_what_is_forbidden_is_found_with_its_line(source: str) -> None:
    line = len(source.splitlines())
    assert uses({"a.py": source.encode()}, FORBIDDEN) == [f"a.py, line {line}: {FOUND[source]}"]


@pytest.mark.parametrize("source", ALLOWED)
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert uses({"a.py": source.encode()}, FORBIDDEN) == []


def test_a_file_that_is_no_python_is_not_judged() -> None:
    assert (
        uses({"a.py": b"import torch.optim\ndef", "README.md": b"import torch.optim"}, FORBIDDEN)
        == []
    )


def results(passed: int, failed: int) -> list[CheckResult]:
    good = [CheckResult(f"a::{n}", Verdict.PASS, FULL_CREDIT) for n in range(passed)]
    return good + [CheckResult(f"b::{n}", Verdict.WRONG) for n in range(failed)]


def test_the_check_counts_once_something_works() -> None:
    rules = Rules("project.quality", FORBIDDEN)
    clean, bad = {"a.py": b"x = 1"}, {"a.py": b"import torchvision"}
    for files, passed, verdict in (
        (clean, 1, Verdict.PASS),
        (bad, 1, Verdict.VIOLATION),
        (clean, 0, Verdict.BLOCKED),
    ):
        [result] = rules.measure(files, results(passed, 3))
        assert result.verdict is verdict
        assert result.credit == (FULL_CREDIT if verdict is Verdict.PASS else 0)
        assert [check.id for check in rules.plan] == [result.check]


def test_a_week_that_forbids_nothing_has_no_such_check() -> None:
    rules = Rules("week1.quality", ())
    assert rules.plan == rules.measure({}, results(3, 0)) == []


STORED = {
    "x = " + repr(list(range(501))): "501 entries",
    "x = " + repr(dict.fromkeys(range(501), 1)): "501 entries",
    "x = " + repr("a" * 2001): "2,001 characters",
    "x = " + repr(b"a" * 2001): "2,001 characters",
    "x = 0x" + "f" * 2100: "2,100 hexadecimal digits",
}


@pytest.mark.parametrize("source", STORED, ids=list(STORED.values()))
def test_much_data_in_a_source_is_pointed_out(source: str) -> None:
    assert stored_answers({"a.py": source.encode()}) == [
        f"a.py, line 1: a constant of {STORED[source]}"
    ]


def test_ordinary_source_holds_no_answers() -> None:
    source = f"'''{'Text. ' * 100}'''\nx = {list(range(100))}\n"
    assert stored_answers({"a.py": source.encode()}) == []
