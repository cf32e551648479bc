"""Ready-made parts of PyTorch in a sandbox: refused by every way to them, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.sandbox import Limits
from autograder.suite.hidden.refused import refusing
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.week_worker import worker_of

ROOT = Path(__file__).resolve().parents[2]
WEEK = courses.load(ROOT).week_called("project")
HIDDEN = ROOT / "assignments" / WEEK.folder / "hidden"
NORM = "torch.ops.aten.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[0]"

REFUSED = {
    "operator": NORM,
    "without gradients": f"torch.no_grad()(lambda: {NORM})()",
    "in inference": f"torch.inference_mode()(lambda: {NORM})()",
    "below dispatch modes": f"quiet(torch._C._DisableTorchDispatch, lambda: {NORM})",
    "below autograd": f"quiet(torch._C._AutoDispatchBelowAutograd, lambda: {NORM})",
    "in a thread": f"in_thread(lambda: {NORM})",
    "for one key": "torch.ops.aten.native_batch_norm.default.redispatch("
    "torch._C.DispatchKeySet(torch._C.DispatchKey.CPU), x, None, None, None, None, True, 0.1, 0.1)",
    "kernel of a key": "torch.ops.aten.native_layer_norm.default._op_dk("
    "torch._C.DispatchKey.CPU, x, [2, 2], None, None, 1e-5)",
    "of instances": "torch.nn.functional.instance_norm(x)",
    "of layers": "torch.nn.LayerNorm(2)(x)",
    "of groups": "torch.nn.GroupNorm(3, 3)(x)",
    "reference in Python": "torch._refs.native_layer_norm(x, [2, 2], None, None, 1e-5)",
    "table of decompositions": "torch._decomp.decomposition_table["
    "torch.ops.aten.native_layer_norm.default](x, [2, 2], None, None, 1e-5)",
    "backward": "torch.ops.aten.native_layer_norm_backward("
    "x, x, [2, 2], x[:, :1], x[:, :1], None, None, [True, True, True])",
    "vectorised": "torch.vmap(lambda a: torch.ops.aten.native_layer_norm("
    "a, [2, 2], None, None, 1e-5)[0])(x)",
    "traced": "torch.jit.trace(torch.nn.GroupNorm(3, 3), x)(x)",
    "optimizer": "torch._fused_sgd_([x], [x], [], weight_decay=0.0, momentum=0.0, lr=0.1,"
    " dampening=0.0, nesterov=False, maximize=False, is_first_step=False)",
    "scheduler": "torch.optim.lr_scheduler.CosineAnnealingLR.get_lr(object())",
}
ALLOWED = {
    "norms of vectors": "torch.linalg.vector_norm(x) + torch.norm(x) + x.norm()",
    "drawing": "torch.nn.init.kaiming_normal_(torch.empty(3, 3)) + torch.normal(0.0, 1.0, (3, 3))",
    "lists of tensors": "torch._foreach_mul([x], 2.0)[0]",
    "means and variances": "torch.var_mean(x, dim=(0, 2, 3))[0]",
    "convolutions": "torch.nn.Conv2d(3, 2, 1)(x).relu().sum()",
    "the loss": "torch.nn.functional.cross_entropy(x.mean((2, 3)), torch.zeros(4).long())",
    "compiling": "torch.compile(lambda a: torch.relu(a) + a.mean(), backend='aot_eager')(x)",
}
MODULE = (
    """import threading

import torch

x = torch.arange(48.0).reshape(4, 3, 2, 2)


def quiet(guard, action):
    with guard():
        return action()


def in_thread(action):
    found = []

    def run():
        try:
            action()
        except RuntimeError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise found[0]


WAYS = {
"""
    + "".join(f"    {name!r}: lambda: {code},\n" for name, code in {**REFUSED, **ALLOWED}.items())
    + """}


def go(name):
    return WAYS[name]()
"""
)


@pytest.fixture(scope="module")
def student(confinement):
    pytest.importorskip("torch")
    files = {"m.py": MODULE.encode()}
    limits = Limits(memory_mb=4096, request_seconds=60.0, test_seconds=240.0)
    host = SandboxHost(confinement, files, limits, files, WEEK.packages)
    yield host.start(0, own=refusing(worker_of(ROOT, WEEK), HIDDEN))
    host.close()


@pytest.mark.parametrize("name", REFUSED)
def test_a_ready_made_part_is_refused(student, name):
    with pytest.raises(Fault, match="is not to be used in this assignment"):
        student.m.go(name)


@pytest.mark.parametrize("name", ALLOWED)
def test_what_the_handout_allows_works(student, name):
    assert student.m.go(name) is not None
