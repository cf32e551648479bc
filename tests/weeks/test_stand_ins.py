"""The project's made-up parts take what a student's own parts would, and say what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from autograder.course import load  # noqa: E402
from autograder.suite.week_worker import worker_of  # noqa: E402
from autograder.worker.modules import ModuleSpace  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WEEK = load(ROOT).week_called("project")
SOLUTION = ROOT / "solutions" / WEEK.folder
WAYS = {
    "a class attribute": "BasicBlock(8, 16 * BasicBlock.expansion, 2)",
    "any order of names": "BasicBlock(stride=2, planes=16, in_planes=8)",
    "a part before the stride": "BasicBlock(8, 16, None, stride=(2, 2))",
    "kept in a table": "TABLE['block'](8, 16, stride=2)",
    "a part that others derive from": "Derived(8, 16, stride=2)",
}
RESNET = b"""
from torch import nn
from models import BatchNorm2d


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, in_planes, planes, downsample=None, stride=1, norm=BatchNorm2d):
        super(BasicBlock, self).__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, 3, stride, 1)
        self.bn1 = norm(planes, eps=1e-3)
        self.out_planes = planes

    def forward(self, x):
        return self.bn1(self.conv1(x))


class Derived(BasicBlock):
    pass


TABLE = {"block": BasicBlock}


class Net(nn.Module):
    def __init__(self, make):
        super().__init__()
        self.block = eval(make)
        assert self.block.out_planes == 16
        assert isinstance(self.block, BasicBlock)
        nn.init.zeros_(self.block.conv1.weight)
        nn.init.zeros_(self.block.bn1.gamma)

    def forward(self, x):
        return self.block(x)
"""
LAYERS = b"""
import torch
from torch import nn


class BatchNorm2d(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.running_mean = torch.zeros(channels)
        self.eps = eps

    def forward(self, x):
        raise SystemError
"""
FILES = {
    "models/__init__.py": b"from .layers import BatchNorm2d\n",
    "models/layers.py": LAYERS,
    "models/resnet.py": RESNET,
}


def driver(name: str):
    return worker_of(ROOT, WEEK).drivers.driver(name)


@pytest.mark.parametrize("way", WAYS)
def test_a_block_is_made_in_any_way(way: str) -> None:
    with ModuleSpace(FILES).active():
        net = driver("with_parts")(True, True).Net(WAYS[way])
        (found,) = driver("layers")(net)
        assert found == {"name": "block", "kind": "block", "made": [8, 16, 2]}
        assert [name for name, _ in net.named_parameters()] == ["block.weight"]
        x = torch.randn(3, 8, 5, 5)
        weight = net.block._parameters["weight"]
        wanted = torch.cos(torch.einsum("nchw,oc->nohw", x[:, :, ::2, ::2], weight))
        assert torch.allclose(net(x), wanted, atol=1e-5)


def test_a_normalisation_is_made_up_with_the_students_names() -> None:
    with ModuleSpace(FILES).active():
        block = driver("with_parts")(True, False).BasicBlock(8, 16)
        assert {"bn1.gamma", "bn1.beta", "bn1.running_mean", "bn1.running_var"} <= set(
            block.state_dict()
        )
        assert block.bn1.eps == 1e-3
        assert block.bn1(torch.ones(1, 16, 2, 2)).mean() == 1
        real = driver("with_parts")(False, False).BasicBlock(8, 16)
        with pytest.raises(SystemError):
            real(torch.ones(1, 8, 2, 2))


def test_where_the_students_part_fails_the_made_up_one_does_not() -> None:
    broken = LAYERS.replace(b"self.eps = eps", b"self.eps = 1 / 0")
    with ModuleSpace(FILES | {"models/layers.py": broken}).active():
        block = driver("with_parts")(True, False).BasicBlock(8, 16)
        assert set(block.bn1.state_dict()) == {"weight", "bias", "running_mean", "running_var"}
        assert block.bn1.gamma is block.bn1.weight
        assert block.bn1.beta is block.bn1.bias


@pytest.mark.parametrize("start", [FILES["models/__init__.py"], b""], ids=["imported", "empty"])
def test_where_the_students_module_cannot_be_imported_an_empty_one_stands_for_it(
    start: bytes,
) -> None:
    text = RESNET.replace(b"from models import", b"from models.layers import")
    broken = {"models/__init__.py": start, "models/layers.py": b"1 / 0", "models/resnet.py": text}
    with ModuleSpace(broken).active():
        for _ in range(2):
            block = driver("with_parts")(True, False).BasicBlock(8, 16)
            assert block.bn1(torch.ones(1, 16, 2, 2)).mean() == 1
        with pytest.raises(ZeroDivisionError):
            driver("with_parts")(False, False)


def test_what_fails_in_a_made_up_part_says_so_by_the_students_name() -> None:
    with ModuleSpace(FILES).active():
        resnet = driver("with_parts")(True, True)
        block = resnet.BasicBlock(8, 16, stride=2)
        with pytest.raises(ValueError, match=r"BasicBlock\(8, 16, 2\) was given \(1, 3, 2, 2\)"):
            block(torch.ones(1, 3, 2, 2))
        with pytest.raises(AttributeError, match=r"'BasicBlock' .* 'conv9'; in this test"):
            _ = block.conv9
        with pytest.raises(TypeError, match=r"BasicBlock.* a made-up part"):
            resnet.BasicBlock(8)
    with ModuleSpace({name: (SOLUTION / name).read_bytes() for name in WEEK.modules}).active():
        network, optimizer, scheduler = driver("trio")(0.1, {"bias": torch.zeros(4).numpy()})
        for owner, says in (
            (network, "'ResNet18' object has no attribute 'layer9'; in this test a made-up part"),
            (optimizer, "the optimizer has no layer9; in this test a made-up part"),
            (scheduler, "the scheduler has no layer9; in this test a made-up part"),
        ):
            with pytest.raises(AttributeError, match=says):
                _ = owner.layer9


def test_the_made_up_network_is_put_wherever_the_students_was_imported() -> None:
    files = {name: (SOLUTION / name).read_bytes() for name in WEEK.modules}
    files["models/__init__.py"] = b"from .resnet import ResNet18 as Net\n"
    files["train.py"] = b"from models import Net\n"
    with ModuleSpace(files).active():
        assert driver("with_network")().Net.__name__ == "ResNet18"
        assert "seen" in dict(driver("with_network")().Net().named_buffers())


def test_further_made_up_parts_are_put_wherever_the_students_were_imported() -> None:
    files = {name: (SOLUTION / name).read_bytes() for name in WEEK.modules}
    files["schedulers.py"] = b"1 / 0"
    files["training/__init__.py"] = b"from optimizers import Adam as Optimizer\n"
    files["train.py"] = b"from schedulers import WarmupLR\nfrom training import Optimizer\n"
    source = "PARTS = {'optimizers': {'Adam': 'one'}, 'schedulers': {'WarmupLR': 'other'}}"
    with ModuleSpace(files).active():
        train = driver("with_network")(source)
        assert (train.Optimizer, train.WarmupLR) == ("one", "other")
        files["schedulers.py"] = b"WarmupLR = 'own'"
    with ModuleSpace(files).active():
        assert driver("with_network")().WarmupLR == "own"
        assert isinstance(driver("with_network")().Optimizer, type)
