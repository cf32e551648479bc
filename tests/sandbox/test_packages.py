"""Submissions with folders and with PyTorch: what is imported, what crosses, what is shut."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import data
from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.sandbox import Limits
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = courses.load(ROOT).week_called("project").packages

NESTED = {
    "models/net.py": b"from models.layers import double\n\ndef run(x):\n    return double(x)\n",
    "models/layers.py": b"def double(x):\n    if x < 0:\n        raise ValueError('less than 0')\n"
    b"    return 2 * x\n",
    "data/loader.py": b"NAME = __name__\n",
    "train.py": b"import data.loader\nfrom models import net\n"
    b"ANSWER = net.run(21), data.loader.NAME\n",
}
LIMITS = Limits(memory_mb=4096, training_memory_mb=4096)


@pytest.fixture(params=["sandbox", "here"])
def nested(request):
    if request.param == "sandbox":
        host = SandboxHost(
            request.getfixturevalue("confinement"), NESTED, LIMITS, [*NESTED, "a/b.py"]
        )
    else:
        host = LocalHost(NESTED)
    yield host
    host.close()


def test_modules_in_folders_import_each_other(nested):
    student = nested.start(0)
    assert student.train.ANSWER == (42, "data.loader")
    assert student.module("models.layers").double(3) == 6
    nested.finish(None)


def test_a_fault_names_the_file_with_its_folder(nested):
    student = nested.start(0)
    with pytest.raises(Fault, match="less than 0") as caught:
        student.module("models.net").run(-1)
    if isinstance(nested, SandboxHost):
        assert "models/layers.py:3, in double:  raise ValueError" in str(caught.value)
        with pytest.raises(Fault, match="There is no a/b"):
            student.module("a.b")
    nested.finish(None)


def test_a_package_of_the_graders_own_name_is_not_disturbed():
    host = LocalHost(NESTED)
    host.start(0).module("data.loader")
    assert sys.modules["data"] is not data
    host.finish(None)
    assert host.loaded == {"data/loader"}
    assert sys.modules["data"] is data
    assert "data.loader" not in sys.modules


SPOILT = {
    "bad.py": b"import builtins\nbuiltins.isinstance = lambda *a: True\n",
    "good.py": b"def whole(x):\n    return isinstance(x, int)\n",
}


def test_one_file_that_changes_builtins_harms_no_other(confinement):
    host = SandboxHost(confinement, SPOILT, LIMITS, SPOILT)
    assert host.start(0).good.whole(0.5) is False
    host.finish(None)
    host.close()


TORCH = {
    "m.py": b'''"""Uses torch."""
import torch
from torch import nn


class Mine(torch.Tensor):
    pass


def half(n):
    return {"whole": [torch.ones(n, dtype=torch.bfloat16)], "handle": nn.Linear(1, 1)}


def mine():
    return torch.ones(2).as_subclass(Mine)


def threads():
    return torch.get_num_threads()


def draw():
    return torch.rand(3)


def optimizer():
    return torch.optim.SGD([torch.ones(1, requires_grad=True)], 0.1)


def normalised():
    return nn.functional.batch_norm(torch.ones(2, 2), torch.ones(2), torch.ones(2))


def layer():
    return nn.BatchNorm2d(3)


def vision():
    import torchvision
'''
}


@pytest.fixture
def torch_host(confinement):
    pytest.importorskip("torch")
    host = SandboxHost(confinement, TORCH, LIMITS, TORCH, PACKAGES)
    yield host
    host.close()


def test_tensors_cross_as_arrays_and_what_only_looks_like_one_does_not(torch_host):
    module = torch_host.start(0).m
    found = module.half(3)
    assert found["whole"][0].dtype == np.float32
    assert (found["whole"][0] == 1).all()
    assert repr(found["handle"]) == "<Linear object>"
    assert repr(module.mine()) == "<Mine object>"
    assert module.threads() == 1
    torch_host.finish(None)


def test_the_same_seed_draws_the_same_and_another_one_does_not(torch_host):
    drawn = []
    for seed in (1, 1, 2):
        drawn.append(torch_host.start(seed).m.draw().tolist())
        torch_host.finish(None)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("name", ["optimizer", "normalised", "layer"])
def test_what_students_write_themselves_is_shut(torch_host, name):
    with pytest.raises(
        Fault, match="is not to be used in this assignment: write your own"
    ) as caught:
        getattr(torch_host.start(0).m, name)()
    assert caught.value.verdict is Verdict.RAISED


def test_no_other_package_is_there(torch_host):
    with pytest.raises(Fault, match="No module named 'torchvision'"):
        torch_host.start(0).m.vision()


def test_a_week_is_called_by_its_number_or_its_id():
    course = courses.load(ROOT)
    assert course.week_called("2").name == "week 2"
    assert course.week_called("week2") is course.week_called("2")
    assert course.week_called("Project").name == "project"
    with pytest.raises(courses.CourseError, match="Choose one of these: 1, 2, 3, 4, "):
        course.week_called("400")
