"""Week 3's batch normalisation and regularization: the reference against torch, and the picture."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "solutions" / "week3_training"
TOLERANCE = 1e-10


@pytest.fixture(scope="module")
def reference():
    """The two modules of the reference, by name."""
    names = ("batch_norm", "regularization")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in names:
            patch.delitem(sys.modules, name, raising=False)
        yield {name: importlib.import_module(name) for name in names}
        for name in names:
            del sys.modules[name]


@pytest.fixture(scope="module")
def batch_norm(reference) -> ModuleType:
    return reference["batch_norm"]


@pytest.fixture(scope="module")
def regularization(reference) -> ModuleType:
    return reference["regularization"]


@pytest.fixture
def rng():
    return np.random.default_rng(20)


def close(received, expected) -> None:
    """The shapes are the same, and the values are to within TOLERANCE."""
    expected = expected.detach().numpy() if isinstance(expected, torch.Tensor) else expected
    assert np.shape(received) == np.shape(expected)
    np.testing.assert_allclose(received, expected, rtol=TOLERANCE, atol=TOLERANCE)


def leaf(array):
    """A float64 tensor with a copy of the array, that collects a gradient."""
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


class Theirs:
    """torch's function with parameters and running statistics of its own."""

    def __init__(self, ours) -> None:
        self.gamma, self.beta = leaf(ours.gamma), leaf(ours.beta)
        self.mean, self.var = torch.tensor(ours.running_mean), torch.tensor(ours.running_var)
        self.settings = {"momentum": ours.momentum, "eps": ours.eps}

    def forward(self, x, training):
        return torch.nn.functional.batch_norm(
            x, self.mean, self.var, self.gamma, self.beta, training=training, **self.settings
        )


def pair(batch_norm, rng, features, **settings):
    """A layer of the reference with random parameters, and torch's with the same ones."""
    ours = batch_norm.BatchNorm1d(features, **settings)
    ours.gamma, ours.beta = rng.normal(size=features), rng.normal(size=features)
    return ours, Theirs(ours)


def data(rng, n, features, offset=0.0, scale=1.0):
    return offset + scale * rng.uniform(0.5, 3, size=features) * rng.normal(size=(n, features))


def compare(ours, theirs, x, dL_dy, training):
    """Compare outputs and all gradients of one batch."""
    given_x, given_upstream = x.copy(), dL_dy.copy()
    y = ours.forward(x)
    inputs = leaf(x)
    expected = theirs.forward(inputs, training)
    close(y, expected)
    theirs.gamma.grad = theirs.beta.grad = None
    expected.backward(torch.tensor(dL_dy))
    for _ in range(2):  # the second backward gives the same again
        close(ours.backward(dL_dy), inputs.grad)
        close(ours.dL_dgamma, theirs.gamma.grad)
        close(ours.dL_dbeta, theirs.beta.grad)
    assert np.array_equal(x, given_x)
    assert np.array_equal(dL_dy, given_upstream)


SHAPES = [(2, 1), (2, 5), (4, 4), (7, 3), (64, 10), (500, 2)]


@pytest.mark.parametrize(("n", "features"), SHAPES)
@pytest.mark.parametrize("eps", [1e-5, 0.7, 1e-12])
def test_training_mode_is_torchs(batch_norm, rng, n, features, eps):
    ours, theirs = pair(batch_norm, rng, features, eps=eps)
    for _ in range(3):
        x = data(rng, n, features, offset=2.0)
        compare(ours, theirs, x, rng.normal(size=x.shape), training=True)
        close(ours.running_mean, theirs.mean)
        close(ours.running_var, theirs.var)


@pytest.mark.parametrize("momentum", [0.0, 0.1, 0.35, 1.0])
def test_running_statistics_are_torchs_over_batches_of_many_sizes(batch_norm, rng, momentum):
    ours, theirs = pair(batch_norm, rng, 4, momentum=momentum)
    for n in (5, 2, 31, 8, 3):
        x = data(rng, n, 4, offset=rng.normal(size=4))
        compare(ours, theirs, x, rng.normal(size=x.shape), training=True)
        close(ours.running_mean, theirs.mean)
        close(ours.running_var, theirs.var)


@pytest.mark.parametrize("n", [1, 2, 9])
def test_evaluation_mode_is_torchs(batch_norm, rng, n):
    ours, theirs = pair(batch_norm, rng, 5)
    for x in (data(rng, 6, 5), data(rng, 8, 5)):
        compare(ours, theirs, x, rng.normal(size=x.shape), training=True)
    ours.eval()
    mean, variance = ours.running_mean.copy(), ours.running_var.copy()
    for _ in range(2):
        x = data(rng, n, 5)
        compare(ours, theirs, x, rng.normal(size=x.shape), training=False)
    assert np.array_equal(ours.running_mean, mean)
    assert np.array_equal(ours.running_var, variance)
    ours.train()
    x = data(rng, 4, 5)
    compare(ours, theirs, x, rng.normal(size=x.shape), training=True)
    close(ours.running_mean, theirs.mean)


def test_offsets_cost_no_digits_that_the_numbers_had(batch_norm, rng):
    """The mean of 1e8 has 8 digits behind the point, so x_hat agrees to about as many."""
    x = rng.normal(size=(50, 3)) + np.array([1e8, -1e8, 0.0])
    layer = batch_norm.BatchNorm1d(3)
    exact = x.astype(np.longdouble)
    centred = exact - exact.mean(axis=0)
    expected = centred / np.sqrt((centred**2).mean(axis=0) + 1e-5)
    np.testing.assert_allclose(layer.forward(x), expected.astype(float), rtol=0, atol=1e-6)


def test_a_feature_that_does_not_vary_gives_beta_and_no_nan(batch_norm):
    layer = batch_norm.BatchNorm1d(2)
    layer.beta = np.array([3.0, -1.0])
    y = layer.forward(np.array([[5.0, 1.0], [5.0, 2.0]]))
    close(y[:, 0], np.array([3.0, 3.0]))
    assert np.isfinite(layer.backward(np.ones((2, 2)))).all()


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 1), (2, 4, 3)])
def test_other_shapes_are_refused_in_both_modes(batch_norm, shape):
    layer = batch_norm.BatchNorm1d(3)
    for switch in (layer.train, layer.eval):
        switch()
        with pytest.raises(ValueError, match=r"shape \(N, 3\) here, but x has shape"):
            layer.forward(np.zeros(shape))


def test_a_batch_of_one_is_refused_in_training_and_changes_nothing(batch_norm):
    layer = batch_norm.BatchNorm1d(3)
    for count in (0, 1):
        with pytest.raises(ValueError, match=f"at least 2 examples, but this batch has {count}"):
            layer.forward(np.ones((count, 3)))
    assert np.array_equal(layer.running_mean, np.zeros(3))
    assert np.array_equal(layer.running_var, np.ones(3))
    layer.eval()
    close(layer.forward(np.ones((1, 3))), np.full((1, 3), 1 / np.sqrt(1 + 1e-5)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"num_features": 0}, "num_features must be at least 1"),
        ({"num_features": 2, "eps": 0.0}, "eps must be positive"),
        ({"num_features": 2, "eps": float("nan")}, "eps must be positive"),
        ({"num_features": 2, "momentum": -0.1}, "momentum must be from 0 to 1"),
        ({"num_features": 2, "momentum": 1.1}, "momentum must be from 0 to 1"),
    ],
)
def test_impossible_settings_of_batch_norm_are_refused(batch_norm, arguments, said):
    with pytest.raises(ValueError, match=said):
        batch_norm.BatchNorm1d(**arguments)


def test_the_worked_example_centres_and_its_gradient_is_torchs(batch_norm, rng):
    layer, x, dL_dy = batch_norm.BatchCentre(), data(rng, 6, 3, 5.0), rng.normal(size=(6, 3))
    inputs = leaf(x)
    expected = inputs - inputs.mean(dim=0)
    expected.backward(torch.tensor(dL_dy))
    close(layer.forward(x), expected)
    close(layer.backward(dL_dy), inputs.grad)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.8])
def test_dropout_gives_torchs_gradient_for_the_same_mask(regularization, rng, p):
    layer = regularization.Dropout(p, rng=np.random.default_rng(1))
    x, dL_dy = rng.uniform(1, 2, size=(30, 20)), rng.normal(size=(30, 20))
    y = layer.forward(x)
    kept = torch.tensor(y != 0)
    inputs = leaf(x)
    expected = torch.where(kept, inputs / (1 - p), 0.0)
    expected.backward(torch.tensor(dL_dy))
    close(y, expected)
    close(layer.backward(dL_dy), inputs.grad)


def test_dropout_keeps_the_expected_value_as_torchs_does(regularization):
    x = np.full((400, 250), 3.0)
    ours = regularization.Dropout(0.3, rng=np.random.default_rng(2)).forward(x)
    torch.manual_seed(2)
    theirs = torch.nn.functional.dropout(torch.tensor(x), 0.3, training=True).numpy()
    for y in (ours, theirs):
        assert abs(y.mean() - 3.0) < 0.05
        np.testing.assert_allclose(np.unique(y), [0.0, 3.0 / 0.7])


def test_l2_is_torchs_gradient(regularization, rng):
    weights = [rng.normal(size=shape) for shape in ((4, 3), (5,), (2, 2, 2))]
    tensors = [leaf(W) for W in weights]
    expected = 0.5 * 0.03 * sum((W**2).sum() for W in tensors)
    expected.backward()
    penalty = regularization.L2(0.03)
    assert type(penalty.penalty(weights)) is float
    close(penalty.penalty(weights), expected)
    for gradient, W in zip(penalty.gradients(weights), tensors, strict=True):
        close(gradient, W.grad)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("Dropout", (1.0,), "p must be at least 0 and below 1"),
        ("Dropout", (float("nan"),), "p must be at least 0 and below 1"),
        ("GaussianNoise", (-1.0,), "deviation must not be negative"),
        ("L2", (-0.1,), "strength must not be negative"),
        ("EarlyStopping", (0,), "patience must be at least 1"),
        ("EarlyStopping", (3, -0.1), "min_delta must not be negative"),
        ("random_crop", (np.zeros((4, 4)), 1, None), r"\(N, H, W, C\), got \(4, 4\)"),
        ("random_crop", (np.zeros((2, 4, 4)), -1, None), "padding must not be negative"),
        ("horizontal_flip", (np.zeros((2, 4, 4, 3, 1)), None), r"\(N, H, W, C\), got"),
        ("horizontal_flip", (np.zeros((2, 4, 4)), None, 1.5), "p must be from 0 to 1"),
    ],
)
def test_impossible_arguments_of_regularization_are_refused(regularization, name, arguments, said):
    with pytest.raises(ValueError, match=said):
        getattr(regularization, name)(*arguments)


def test_augmentation_of_no_images_gives_no_images(regularization):
    none = np.zeros((0, 5, 4, 3), dtype=np.uint8)
    generator = np.random.default_rng(0)
    for result in (
        regularization.random_crop(none, 2, generator),
        regularization.horizontal_flip(none, generator),
    ):
        assert result.shape == none.shape
        assert result.dtype == none.dtype


def test_augmentation_returns_arrays_of_its_own(regularization, rng):
    images = rng.normal(size=(5, 4, 4))
    for result in (
        regularization.random_crop(images, 0, rng),
        regularization.horizontal_flip(images, rng, 0.0),
    ):
        assert np.array_equal(result, images)
        assert not np.shares_memory(result, images)


@pytest.fixture
def pictures(reference, monkeypatch, tmp_path):
    """pictures_batch_norm.py with the reference's BatchNorm1d; the data cache is empty."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "no_cache"))
    monkeypatch.setattr(sys, "path", [str(ROOT / "assignments" / "week3_training"), *sys.path])
    yield importlib.import_module("pictures_batch_norm")
    del sys.modules["pictures_batch_norm"]


def test_the_picture_is_saved_whole_with_nothing_beside_it(pictures, tmp_path, capsys):
    path = tmp_path / "figures" / "batch_norm.png"
    pictures.batch_norm_curves(path, epochs=2, seed=1)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(path.parent.iterdir()) == [path]
    printed = capsys.readouterr().out
    assert printed.count("with batch norm") == printed.count("without it") == 2
    assert f"saved {path}" in printed


def test_the_curves_show_what_batch_norm_is_for(pictures, capsys):
    """At the large learning rate only the network with it learns; the seed fixes every number."""
    _, *arrays = pictures.load_rows()
    kept, again, lost = (
        pictures.train(kind, 1.0, arrays, 8, seed=0)
        for kind in (pictures.WITH, pictures.WITH, pictures.WITHOUT)
    )
    assert kept.losses == again.losses
    assert kept.accuracies == again.accuracies
    assert kept.accuracies[-1] > 0.95
    assert lost.diverged or lost.accuracies[-1] < 0.5


def test_a_run_of_nothing_but_nan_is_drawn_too(pictures, tmp_path):
    nan = float("nan")
    runs = [
        pictures.Run(kind, lr, [nan]) for kind in pictures.COLOURS for lr in pictures.LEARNING_RATES
    ]
    pictures.draw(runs, 14, "nothing", tmp_path / "nan.png")
    assert (tmp_path / "nan.png").is_file()


def test_a_gap_in_batch_norm_is_said_before_any_training(pictures, monkeypatch, tmp_path):
    class Gap(pictures.BatchNorm1d):
        def forward(self, x):
            raise NotImplementedError("week3.batch_norm_forward: fill in BatchNorm1d.forward")

    monkeypatch.setattr(pictures, "BatchNorm1d", Gap)
    with pytest.raises(NotImplementedError, match=r"week3\.batch_norm_forward"):
        pictures.batch_norm_curves(tmp_path / "figures" / "batch_norm.png", epochs=1)
    assert not (tmp_path / "figures").exists()


def test_no_epochs_are_refused(pictures, tmp_path):
    with pytest.raises(ValueError, match="epochs must be at least 1, got 0"):
        pictures.batch_norm_curves(tmp_path / "batch_norm.png", epochs=0)
