"""The final project's reference, against PyTorch, against formulas, and run as students run it."""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("tensorboardX")
functional = torch.nn.functional

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "solutions" / "week3_training" / "phase1_project"
MODULES = {
    "layers": "models.layers",
    "resnet": "models.resnet",
    "loader": "data.cifar10_loader",
    "optimizers": "optimizers",
    "schedulers": "schedulers",
    "metrics": "training.metrics",
    "trainer": "training.trainer",
    "train": "train",
}
TOPS = {name.split(".")[0] for name in MODULES.values()}
TIMES = ("seconds", "images_per_second")


def _mine() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] in TOPS]


@pytest.fixture(scope="module")
def project():
    """The project's modules. Its folder `data` has the name of this repository's package.

    So the repository is off the path meanwhile: a regular package wins over a namespace package
    wherever it stands on the path.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    path, before = list(sys.path), {name: sys.modules.pop(name) for name in _mine()}
    sys.path[:] = [str(PROJECT), *(p for p in path if Path(p).resolve() != ROOT)]
    try:
        modules = {short: importlib.import_module(name) for short, name in MODULES.items()}
        yield SimpleNamespace(**modules)
    finally:
        for name in _mine():
            del sys.modules[name]
        sys.modules.update(before)
        sys.path[:] = path
        torch.set_num_threads(threads)


@pytest.fixture
def rng():
    """A generator of torch, always in the same state."""
    return torch.Generator().manual_seed(7)


def randn(rng, *shape):
    """Return float64 numbers."""
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


# Batch normalisation


def test_batch_norm_is_that_of_torch(project, rng):
    """Output, gradients and running statistics over three batches, then in evaluation mode."""
    mine = project.layers.BatchNorm2d(3, eps=1e-3, momentum=0.3).double()
    theirs = torch.nn.BatchNorm2d(3, eps=1e-3, momentum=0.3).double()
    with torch.no_grad():
        for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
            p.copy_(randn(rng, 3))
            q.copy_(p)
    for training in (True, True, True, False):
        mine.train(training), theirs.train(training)
        x, upstream = 5.0 + 2.0 * randn(rng, 4, 3, 5, 2), randn(rng, 4, 3, 5, 2)
        found = []
        for layer in (mine, theirs):
            leaf = x.clone().requires_grad_()
            y = layer(leaf)
            found.append([y, *torch.autograd.grad(y, [leaf, *layer.parameters()], upstream)])
        for ours, expected in zip(*found, strict=True):
            torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-11)
        for name in ("running_mean", "running_var"):
            torch.testing.assert_close(
                getattr(mine, name), getattr(theirs, name), rtol=1e-12, atol=0
            )


def test_batch_norm_gradient_by_differences(project, rng):
    """The backward pass written by hand is that of the forward pass."""
    layer = project.layers.BatchNorm2d(2).double()
    x = randn(rng, 3, 2, 2, 2).requires_grad_()
    parameters = [randn(rng, 2).requires_grad_() for _ in range(2)]

    def forward(x, weight, bias):
        values = {"weight": weight, "bias": bias}
        return torch.func.functional_call(layer, values, x)

    assert torch.autograd.gradcheck(forward, (x, *parameters))


def test_batch_norm_in_bfloat16_counts_in_float32(project):
    """Statistics of low-precision inputs keep their digits; output and gradient get x's dtype."""
    layer = project.layers.BatchNorm2d(1)
    x = (100.0 + torch.arange(4096.0).remainder(8).view(16, 1, 16, 16)).bfloat16().requires_grad_()
    y = layer(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == torch.bfloat16
    assert layer.running_mean.dtype == torch.float32
    exact = x.detach().double()
    torch.testing.assert_close(layer.running_mean, 0.1 * exact.mean().float().view(1))
    torch.testing.assert_close(layer.running_var, 0.9 + 0.1 * exact.var().float().view(1))


def test_batch_norm_of_large_numbers(project, rng):
    """A mean of 10,000 times the deviation costs no more digits than float32 has to lose."""
    x = (1e4 + randn(rng, 8, 1, 8, 8)).float()
    y = project.layers.BatchNorm2d(1)(x).double()
    wide = x.double()
    expected = (wide - wide.mean()) / (wide.var(correction=0) + 1e-5).sqrt()
    assert (y - expected).abs().max() < 2e-3


@pytest.mark.parametrize("shape", [(2, 3), (2, 4, 5, 5), (1, 3, 1, 1), (0, 3, 4, 4)])
def test_batch_norm_refuses(project, shape):
    """Wrong shapes, and one value per channel."""
    with pytest.raises(ValueError, match="shape"):
        project.layers.BatchNorm2d(3)(torch.zeros(shape))


def test_batch_norm_takes_one_value_in_evaluation(project):
    """There, one value is no special case."""
    assert project.layers.BatchNorm2d(3).eval()(torch.zeros(1, 3, 1, 1)).shape == (1, 3, 1, 1)


# The network


def test_the_network_has_the_documented_size(project):
    """11,173,962 parameters, each reached by the gradient; logits of (N, classes)."""
    model = project.resnet.ResNet18()
    assert sum(p.numel() for p in model.parameters()) == 11_173_962
    logits = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert project.resnet.ResNet18(7)(torch.randn(2, 3, 32, 32)).shape == (2, 7)


def test_the_network_stands_at_chance(project):
    """Freshly made, its loss is near log 10 on the batch's own statistics."""
    torch.manual_seed(0)
    model = project.resnet.ResNet18()
    with torch.no_grad():
        loss = functional.cross_entropy(model(torch.randn(32, 3, 32, 32)), torch.arange(32) % 10)
    assert abs(float(loss) - math.log(10)) < 0.7


def test_the_network_computes_what_its_definition_says(project, rng):
    """Forward in both modes against the definition, written with functional operations alone."""
    torch.manual_seed(1)
    model = project.resnet.ResNet18().double()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name, tensor in state.items():
        if tensor.dim() == 1:
            tensor.copy_(0.5 + torch.rand(tensor.shape, generator=rng, dtype=torch.float64))
            assert not name.endswith("conv1.bias")
    model.load_state_dict(state)
    x = randn(rng, 3, 3, 32, 32)
    for training in (False, True):
        model.train(training)
        with torch.no_grad():
            torch.testing.assert_close(model(x), plain_resnet(state, x, training))


def plain_resnet(w: dict, x, training: bool):
    """ResNet-18 on CIFAR-10, from a state_dict."""

    def norm(x, name):
        mean, var = w[f"{name}.running_mean"].clone(), w[f"{name}.running_var"].clone()
        weight, bias = w[f"{name}.weight"], w[f"{name}.bias"]
        return functional.batch_norm(x, mean, var, weight, bias, training)

    def conv(x, name, stride=1):
        kernel = w[f"{name}.weight"]
        return functional.conv2d(x, kernel, stride=stride, padding=kernel.shape[2] // 2)

    x = norm(conv(x, "conv1"), "bn1").relu()
    for stage in range(1, 5):
        for block in range(2):
            at, stride = f"layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = norm(conv(x, f"{at}.conv1", stride), f"{at}.bn1").relu()
            y = norm(conv(y, f"{at}.conv2"), f"{at}.bn2")
            if stride == 2:
                x = norm(conv(x, f"{at}.shortcut.0", 2), f"{at}.shortcut.1")
            x = (x + y).relu()
    return functional.linear(x.mean(dim=(2, 3)), w["fc.weight"], w["fc.bias"])


# Optimizer and schedule


@pytest.mark.parametrize("decay", [0.0, 0.2])
@pytest.mark.parametrize("decoupled", [True, False])
def test_adam_is_that_of_torch(project, rng, decoupled, decay):
    """100 steps in float64, with a parameter that has no gradient now and then."""
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    start = [randn(rng, 4, 3), randn(rng, 5), randn(rng, 2, 3, 3, 3)]
    mine, theirs = ([p.clone().requires_grad_() for p in start] for _ in range(2))
    ours = project.optimizers.Adam(iter(mine), 0.01, 0.8, 0.95, 1e-6, decay, decoupled)
    expected = kind(theirs, 0.01, (0.8, 0.95), eps=1e-6, weight_decay=decay)
    for step in range(1, 101):
        ours.lr = expected.param_groups[0]["lr"] = 0.01 / step
        for index, (p, q) in enumerate(zip(mine, theirs, strict=True)):
            skipped = index == 1 and step % 3 == 0
            p.grad = q.grad = None if skipped else randn(rng, *p.shape)
        before = [None if p.grad is None else p.grad.clone() for p in mine]
        ours.step()
        expected.step()
        for p, q, grad in zip(mine, theirs, before, strict=True):
            assert (p.grad is None) if grad is None else torch.equal(p.grad, grad)
            if step in (1, 10, 100):
                torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)
    ours.zero_grad()
    assert all(p.grad is None or not p.grad.any() for p in mine)
    assert mine[0].grad is not None


def test_adam_goes_on_from_its_state(project, rng):
    """A new optimizer with the state of an old one makes the very same steps."""
    p = randn(rng, 3, 2).requires_grad_()
    first = project.optimizers.Adam([p], lr=0.1)
    p.grad = randn(rng, 3, 2)
    first.step()
    q = p.detach().clone().requires_grad_()
    second = project.optimizers.Adam([q], lr=0.1)
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    p.grad = q.grad = randn(rng, 3, 2)
    first.step(), second.step()
    assert torch.equal(p, q)
    with pytest.raises(ValueError, match="other parameters"):
        project.optimizers.Adam([torch.zeros(2)], 0.1).load_state_dict(first.state_dict())


@pytest.mark.parametrize(
    "wrong",
    [
        {"parameters": []},
        {"lr": 0.0},
        {"lr": math.nan},
        {"beta1": 1.0},
        {"beta2": -0.1},
        {"epsilon": 0.0},
        {"weight_decay": -0.1},
    ],
)
def test_adam_refuses(project, wrong):
    """Settings out of their range."""
    with pytest.raises(ValueError, match="got"):
        project.optimizers.Adam(**{"parameters": [torch.zeros(1)], "lr": 0.1} | wrong)


def test_the_schedule_is_its_formula(project):
    """Warm-up, cosine, and eta_min from its end on; to make schedulers changes no rate."""
    optimizer = SimpleNamespace(lr=0.4)
    cosine = project.schedulers.CosineAnnealingLR(optimizer, T_max=16, eta_min=0.1)
    scheduler = project.schedulers.WarmupLR(optimizer, 4, cosine)
    assert optimizer.lr == 0.4
    for epoch in range(30):
        scheduler.step(epoch)
        late = 0.1 + 0.3 * (1 + math.cos(math.pi * (epoch - 4) / 16)) / 2 if epoch < 20 else 0.1
        expected = 0.1 * (epoch + 1) if epoch < 4 else late
        assert optimizer.lr == pytest.approx(expected, rel=1e-12)


def test_a_warm_up_alone_ends_at_the_base(project):
    """Without another scheduler the rate stays there; without a warm-up it is there at once."""
    for length, expected in ((0, [0.4] * 4), (2, [0.2, 0.4, 0.4, 0.4])):
        optimizer = SimpleNamespace(lr=0.4)
        scheduler, rates = project.schedulers.WarmupLR(optimizer, length), []
        for epoch in range(4):
            scheduler.step(epoch)
            rates.append(optimizer.lr)
        assert rates == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("CosineAnnealingLR", {"T_max": 0}),
        ("CosineAnnealingLR", {"T_max": 9, "eta_min": -0.1}),
        ("CosineAnnealingLR", {"T_max": 9, "eta_min": math.inf}),
        ("WarmupLR", {"warmup_epochs": -1}),
    ],
)
def test_the_schedules_refuse(project, kind, wrong):
    """Settings out of their range."""
    with pytest.raises(ValueError, match="got"):
        getattr(project.schedulers, kind)(SimpleNamespace(lr=1.0), **wrong)


# The loader


@pytest.fixture
def images():
    """40 images, each of one colour that tells its number, with a mark at the left edge."""
    numbers = torch.arange(40, dtype=torch.uint8)
    images = numbers.mul(3).add(60).view(40, 1, 1, 1).repeat(1, 3, 32, 32)
    images[:, :, :, 0] = 255
    return images, torch.arange(40) % 10


def loaded(loader):
    """Return one epoch as two tensors."""
    batches = list(loader)
    return torch.cat([x for x, _ in batches]), torch.cat([y for _, y in batches])


def test_each_image_comes_once_with_its_label(project, images):
    """In a new order each epoch, in batches of the size that was asked for."""
    x, y = images
    loader = project.loader.CIFAR10Loader(x, y, 16, train=True, seed=3)
    plain = project.loader.normalise(x)[:, 0, 16, 16]
    orders = []
    for _ in range(2):
        batches = list(loader)
        assert [len(b) for b, _ in batches] == [16, 16, 8]
        assert len(loader) == 3
        order = []
        for image, label in zip(*loaded(batches), strict=True):
            number = int((plain - image[0, 16, 16]).abs().argmin())
            assert label == number % 10
            order.append(number)
        assert sorted(order) == list(range(40))
        orders.append(order)
    assert orders[0] != orders[1]
    assert list(range(40)) not in orders


def test_without_training_nothing_is_random(project, images):
    """In order, only normalised."""
    x, y = images
    loader = project.loader.CIFAR10Loader(x, y, 16, train=False)
    for _ in range(2):
        found, labels = loaded(loader)
        assert torch.equal(found, project.loader.normalise(x))
        assert torch.equal(labels, y)


def test_the_seed_and_the_epoch_alone_decide(project, images):
    """Not what was drawn before, here or from torch's own generator, which stays untouched."""

    def new(seed):
        return project.loader.CIFAR10Loader(*images, 16, train=True, seed=seed)

    loader, jumped, state = new(1), new(1), torch.random.get_rng_state()
    epochs = [loaded(loader) for _ in range(3)]
    assert loader.epoch == 3
    jumped.set_epoch(2)
    next(iter(jumped))  # not a full pass: does not count
    for ours, theirs in zip(loaded(jumped), epochs[2], strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(state, torch.random.get_rng_state())
    assert not torch.equal(loaded(new(2))[0], epochs[0][0])
    assert not torch.equal(loaded(new(2))[0], epochs[1][0])


def test_normalise(project, rng):
    """(x / 255 - MEAN) / STD for each channel."""
    x = torch.randint(0, 256, (2, 3, 5, 4), generator=rng, dtype=torch.uint8)
    found = project.loader.normalise(x)
    assert found.dtype == torch.float32
    for channel in range(3):
        expected = (x[:, channel] / 255 - project.loader.MEAN[channel]) / project.loader.STD[
            channel
        ]
        torch.testing.assert_close(found[:, channel], expected)


def test_crops_have_an_offset_each(project, rng):
    """Each is one of the windows of the padded image, and all 25 offsets are drawn."""
    x = torch.arange(1.0, 1 + 400 * 2 * 6 * 5).view(400, 2, 6, 5)
    before = x.clone()
    found = project.loader.random_crop(x, 2, rng)
    assert torch.equal(x, before)
    assert (found.shape, found.dtype) == (x.shape, x.dtype)
    padded = functional.pad(x, (2, 2, 2, 2))
    counts = torch.zeros(5, 5)
    for image, whole in zip(found, padded, strict=True):
        windows = [(i, j) for i in range(5) for j in range(5)]
        fits = [at for at in windows if torch.equal(image, cut(whole, *at))]
        assert len(fits) == 1
        counts[fits[0]] += 1
    assert counts.min() >= 4  # 16 expected of each
    assert torch.equal(project.loader.random_crop(x, 0, rng), x)
    with pytest.raises(ValueError, match="padding"):
        project.loader.random_crop(x, -1, rng)


def cut(whole, down: int, right: int):
    """Return the window of 6 x 5 at an offset."""
    return whole[:, down : down + 6, right : right + 5]


def test_flips_are_independent(project, rng):
    """About half of the images are mirrored left-right, the others are as they were."""
    x = torch.rand(400, 3, 4, 4, generator=rng)
    found = project.loader.random_flip(x, rng)
    mirrored = [torch.equal(a, b.flip(2)) for a, b in zip(found, x, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(found, x, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 150 < sum(mirrored) < 250


def test_loading_reads_the_split_that_is_asked_for(project, tmp_path):
    """And says what is wrong: no file, no such split, a split that is not in the file."""
    with pytest.raises(FileNotFoundError, match=r"cifar10\.npz"):
        project.loader.load_cifar10(tmp_path)
    x = np.arange(2 * 32 * 32 * 3).astype(np.uint8).reshape(2, 32, 32, 3)
    np.savez(tmp_path / "cifar10.npz", x_train=x, y_train=np.array([3, 9], dtype=np.uint8))
    images, labels = project.loader.load_cifar10(str(tmp_path))
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert torch.equal(images, torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    assert labels.tolist() == [3, 9]
    for split in ("test", "validation"):
        with pytest.raises(ValueError, match=split):
            project.loader.load_cifar10(tmp_path, split)


@pytest.mark.parametrize(("count", "size"), [(39, 8), (40, 0)])
def test_the_loader_refuses(project, images, count, size):
    """Labels that are too few, and batches of nothing."""
    with pytest.raises(ValueError, match=r"labels|batch_size"):
        project.loader.CIFAR10Loader(images[0], images[1][:count], size, train=False)


# Trainer and log


def small_trainer(project, smoothing=0.0):
    """A linear model with batch normalisation, and two batches of different sizes for it."""
    torch.manual_seed(2)
    model = torch.nn.Sequential(
        project.layers.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.Linear(48, 10)
    )
    optimizer = project.optimizers.Adam(list(model.parameters()), lr=0.01)
    scheduler = project.schedulers.CosineAnnealingLR(optimizer, T_max=10)
    trainer = project.trainer.Trainer(model, optimizer, scheduler, label_smoothing=smoothing)
    sizes = (5, 2)
    return trainer, [(torch.randn(n, 3, 4, 4), torch.arange(n)) for n in sizes]


def test_training_reports_means_over_images(project):
    """And steps the optimizer once per batch, by the plain cross-entropy, at the epoch's rate."""
    trainer, batches = small_trainer(project)
    twin, _ = small_trainer(project)
    twin.model.load_state_dict(trainer.model.state_dict())
    rate = 0.01 * (1 + math.cos(math.pi * 3 / 10)) / 2
    optimizer = torch.optim.AdamW(twin.model.parameters(), lr=rate, weight_decay=0)
    losses, hits = 0.0, 0
    for x, y in batches:
        optimizer.zero_grad()
        logits = twin.model(x)
        loss = functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        losses += float(loss.detach()) * len(y)
        hits += project.metrics.accuracy(logits, y) * len(y)
    trainer.model.eval()
    found = trainer.train_epoch(batches, 3)
    assert found == {"loss": pytest.approx(losses / 7), "accuracy": pytest.approx(hits / 7)}
    assert trainer.model.training
    assert trainer.optimizer.lr == pytest.approx(rate)
    for p, q in zip(trainer.model.parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(p, q)


def graphed(network, sample):
    """Stands in for torch.cuda.make_graphed_callables: fixed memory for the input and gradients.

    As there, a warm-up runs the network, every pass is on the same input tensor, and the gradients
    that autograd gets share their memory with those of the pass before.
    """
    (x,), forward, parameters = sample, network.forward, list(network.parameters())
    fixed = [torch.zeros_like(p) for p in parameters]
    forward(x)

    class Replay(torch.autograd.Function):
        @staticmethod
        def forward(ctx, batch, *_):
            x.copy_(batch)
            with torch.enable_grad():
                ctx.logits = forward(x)
            return ctx.logits.detach()

        @staticmethod
        def backward(ctx, upstream):
            found = torch.autograd.grad(ctx.logits, parameters, upstream)
            for memory, gradient in zip(fixed, found, strict=True):
                memory.copy_(gradient)
            return None, *(memory.detach() for memory in fixed)

    replayed.clear()

    def replay(batch):
        replayed.append(batch.shape)
        return Replay.apply(batch, *parameters)

    network.forward = replay
    return network


replayed: list = []
"""Shapes of the batches that went through what `graphed` returned."""


def epochs_of(trainer, batches) -> tuple[list[dict], dict]:
    """Train for three epochs on full batches and a smaller one; return results and weights."""
    (x, y), small = batches
    more = [(x, y), (x.flip(0), y.flip(0)), small]
    found = [trainer.train_epoch(more, epoch) for epoch in range(3)]
    return [*found, trainer.evaluate(more)], trainer.model.state_dict()


def test_replayed_steps_are_the_steps(project, monkeypatch):
    """Bit for bit; batches of another size, and evaluating, go through the model itself."""
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", graphed)
    expected = epochs_of(*small_trainer(project))
    trainer, batches = small_trainer(project)
    trainer.quickest.capture_it = True
    found = epochs_of(trainer, batches)
    assert replayed == [(5, 3, 4, 4)] * 6
    assert found[0] == expected[0]
    assert all(torch.equal(t, expected[1][name]) for name, t in found[1].items())


def test_a_machine_without_graphs_trains_all_the_same(project, monkeypatch):
    """With a warning that says why, and the same curve."""

    def fails(network, sample):
        network(sample[0])
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", fails)
    expected = epochs_of(*small_trainer(project))
    trainer, batches = small_trainer(project)
    trainer.quickest.capture_it = True
    with pytest.warns(UserWarning, match=r"^not captured: RuntimeError: operation not permitted"):
        found = epochs_of(trainer, batches)
    assert found[0] == expected[0]
    assert all(torch.equal(t, expected[1][name]) for name, t in found[1].items())


@pytest.mark.prove
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch's own
def test_the_whole_network_can_be_compiled(project):
    """In one piece, with autograd's way back; so a compiler can join what stands side by side."""
    torch.manual_seed(3)
    model = project.resnet.ResNet18()
    x, y = torch.randn(4, 3, 32, 32), torch.arange(4)
    gradients = []
    for network in (model, torch.compile(model, backend="aot_eager", fullgraph=True)):
        model.zero_grad()
        functional.cross_entropy(network(x), y).backward()
        gradients.append([p.grad.clone() for p in model.parameters()])
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-3, atol=1e-5)


def test_evaluating_changes_nothing(project):
    """Neither weights and statistics nor mode and rate, in either mode; the loss is plain."""
    trainer, batches = small_trainer(project, smoothing=0.3)
    trainer.train_epoch(batches, 2)
    rate = trainer.optimizer.lr
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    for training in (True, False):
        trainer.model.train(training)
        found = trainer.evaluate(batches)
        assert trainer.model.training is training
    assert all(torch.equal(t, before[n]) for n, t in trainer.model.state_dict().items())
    assert trainer.optimizer.lr == rate
    x, y = (torch.cat(part) for part in zip(*batches, strict=True))
    loss = functional.cross_entropy(trainer.model(x), y)
    assert found["loss"] == pytest.approx(float(loss.detach()))
    with pytest.raises(ValueError, match="no batch"):
        trainer.evaluate([])


def test_accuracy(project):
    """The share of rows with the largest logit at the label."""
    logits = torch.tensor([[-3.0, -2.0], [1.0, 0.0], [5.0, 9.0]])
    assert project.metrics.accuracy(logits, torch.tensor([1, 1, 1])) == pytest.approx(2 / 3)


def test_the_log_keeps_whole_lines_up_to_the_resumed_epoch(project, tmp_path):
    """Later lines and one that was cut off are dropped; a fresh log starts empty."""
    log = project.metrics.MetricsLog(tmp_path)
    for epoch in (1, 2, 3):
        log.write(epoch, loss=1.0 / epoch)
        assert len(lines(tmp_path)) == epoch  # readable while the run goes on
    log.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 4, "lo')
    log = project.metrics.MetricsLog(tmp_path, resume_epoch=2)
    log.write(3, loss=9.0)
    log.close()
    assert [line["loss"] for line in lines(tmp_path)] == [1.0, 0.5, 9.0]
    project.metrics.MetricsLog(tmp_path).close()
    assert lines(tmp_path) == []


def lines(folder: Path) -> list[dict]:
    """Return the lines of a run's log."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


# A run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A data folder with 48 images, and no test images."""
    rng, folder = np.random.default_rng(0), tmp_path_factory.mktemp("cifar10")
    x = rng.integers(0, 256, (48, 32, 32, 3), dtype=np.uint8)
    y = np.arange(48, dtype=np.uint8) % 10
    np.savez(folder / "cifar10.npz", x_train=x, y_train=y)
    return folder


def options(folder: Path, out: Path, *more: str) -> list[str]:
    """Return the command line of a small run: 3 epochs of 3 batches."""
    given = ["--data", str(folder), "--out", str(out), "--epochs", "3", "--batch-size", "16"]
    return [*given, "--device", "cpu", "--seed", "5", *more]


class Stopped(Exception):
    """Ends a run at a place of the test's choice."""


@pytest.fixture(scope="module")
def whole(project, folder, tmp_path_factory):
    """The folder of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    project.train.main(options(folder, out))
    return out


@pytest.mark.prove
def test_a_run_logs_every_epoch(whole):
    """The documented keys, finite numbers, and each epoch's learning rate."""
    log = lines(whole)
    assert [line["epoch"] for line in log] == [1, 2, 3]
    for line in log:
        assert list(line) == [
            *("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"),
            *TIMES,
        ]
        assert all(math.isfinite(number) for number in line.values())
        assert 0 <= line["train_accuracy"] <= 1
    assert log[0]["lr"] == log[1]["lr"] > log[2]["lr"] > 0.0  # one epoch of warm-up


def test_event_files_say_the_same(whole):
    """Read back record by record, with their checksums."""
    found = {}
    for path in sorted(whole.glob("events.out.tfevents.*")):
        found |= scalars(path)
    expected = {
        (name, line["epoch"]): pytest.approx(number, rel=1e-6)
        for line in lines(whole)
        for name, number in line.items()
        if name != "epoch"
    }
    assert found == expected


def scalars(path: Path) -> dict[tuple[str, int], float]:
    """Read a TensorBoard event file: records of length, checksum, data, checksum."""
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def checked(data: bytes, masked: int) -> bytes:
        crc = crc32c(data)
        assert masked == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
        return data

    content, at, found = path.read_bytes(), 0, {}
    while at < len(content):
        head, check = struct.unpack_from("<8sI", content, at)
        (length,) = struct.unpack("<Q", checked(head, check))
        data, check = struct.unpack_from(f"<{length}sI", content, at + 12)
        event = Event.FromString(checked(data, check))
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
        at += 16 + length
    return found


@pytest.mark.prove
def test_a_resumed_run_has_the_same_curve(project, folder, whole, tmp_path, monkeypatch):
    """Bit for bit, after an interruption in the middle of the second epoch."""
    step, steps = project.optimizers.Adam.step, []

    def interrupted(self):
        steps.append(1)
        if len(steps) == 5:
            raise Stopped
        step(self)

    monkeypatch.setattr(project.optimizers.Adam, "step", interrupted)
    with pytest.raises(Stopped):
        project.train.main(options(folder, tmp_path))
    monkeypatch.setattr(project.optimizers.Adam, "step", step)
    assert [line["epoch"] for line in lines(tmp_path)] == [1]
    project.train.main(options(folder, tmp_path, "--resume"))
    assert curve(tmp_path) == curve(whole)
    ours, theirs = ((out / "checkpoint.safetensors").read_bytes() for out in (tmp_path, whole))
    assert ours == theirs


def curve(folder: Path) -> list[dict]:
    """Return the log without what differs from run to run, the times."""
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines(folder)]


def test_a_finished_run_resumes_to_nothing(project, folder, whole, capsys):
    """It ends at once, and its log stays as it was."""
    before = (whole / "metrics.jsonl").read_bytes()
    project.train.main(options(folder, whole, "--resume"))
    assert (whole / "metrics.jsonl").read_bytes() == before
    assert capsys.readouterr().out == ""


def test_the_checkpoint_is_as_documented(project, whole):
    """Names, metadata, and a model that can be read from it."""
    from safetensors import safe_open

    with safe_open(whole / "checkpoint.safetensors", framework="pt") as file:
        assert file.metadata() == {"epoch": "3"}
        names = set(file.keys())
        weight = file.get_tensor("model.fc.weight")
        assert file.get_tensor("optimizer.t").tolist() == [9] * 62
    model = project.resnet.ResNet18()
    assert {f"model.{name}" for name in model.state_dict()} < names
    assert {name.split(".")[0] for name in names} == {"model", "optimizer"}
    assert weight.shape == (10, 512)


def test_validation_images_are_the_last_and_never_trained_on(project):
    """One in 50, at least one; with their labels."""
    for count, held in ((48, 1), (100, 2), (149, 2)):
        images, labels = torch.arange(count), torch.arange(count) + 1000
        (x, y), (x_val, y_val) = project.train.split(images, labels)
        assert len(x_val) == held
        assert torch.equal(torch.cat([x, x_val]), images)
        assert torch.equal(torch.cat([y, y_val]), labels)


@pytest.mark.prove
def test_a_killed_run_leaves_a_whole_checkpoint(project, folder, tmp_path):
    """Killed after the first epoch; a fresh start removes the checkpoint of the run before."""
    stale = tmp_path / "checkpoint.safetensors"
    stale.write_bytes(b"of an earlier run")
    command = [sys.executable, str(PROJECT / "train.py"), *options(folder, tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as run:
        assert run.stdout.readline().startswith("epoch   1:")
        time.sleep(0.3)
        run.send_signal(signal.SIGKILL)
    trainer = project.train.make_trainer(project.train.parse(options(folder, tmp_path)))
    done = trainer.load(stale)
    assert done >= 1
    assert len(lines(tmp_path)) - done in (0, 1)  # the line is written first
    assert trainer.optimizer.t == [3 * done] * 62
