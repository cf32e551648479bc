"""Week 7's reference: terms against closed values and draws, steps against PyTorch.

The mistakes of the catalogue are proved by the hidden suites (`author check`).
"""

from __future__ import annotations

import copy
import importlib.util
import math
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.proofs import Reads

torch = pytest.importorskip("torch")
functional = torch.nn.functional

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "solutions" / "week7_generative"
N, L, D, PIXELS = 7, 3, 11, 784
"""Images, coordinates of a code, pixels where they may be few, and where they may not."""

CHECKS: dict[str, list[Callable]] = {}
"""What must hold, by items: functions of the modules and a generator."""


def check(item: str) -> Callable[[Callable], Callable]:
    def register(function: Callable) -> Callable:
        CHECKS.setdefault(item, []).append(function)
        return function

    return register


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), made.__dict__)
    return made


def sources() -> dict[str, str]:
    return {name: (FOLDER / f"{name}.py").read_text("utf-8") for name in ("vae", "gan")}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def ours() -> SimpleNamespace:
    return SimpleNamespace(**{name: module(name, text) for name, text in sources().items()})


@pytest.fixture(scope="module")
def given() -> Iterator[SimpleNamespace]:
    """The modules that are given to students."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("image_data", "measures", "pictures"):
            if name == "pictures":
                pytest.importorskip("matplotlib")
            spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
            found[name] = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, found[name])
            spec.loader.exec_module(found[name])
        yield SimpleNamespace(**found)


def drawn(rng, *shape: int, scale: float = 1.0):
    return scale * torch.randn(*shape, generator=rng, dtype=torch.float64)


def close(found, expected, **tolerances: float) -> None:
    torch.testing.assert_close(found, expected, **{"rtol": 1e-9, "atol": 1e-11, **tolerances})


# week7.terms


@check("week7.terms")
def codes_have_the_means_and_variances_that_are_asked_for(ours, rng) -> None:
    mu, logvar = drawn(rng, N, L), drawn(rng, N, L)
    count = 20_000
    many = [one.repeat(count, 1) for one in (mu, logvar)]
    codes = ours.vae.reparameterize(*many, drawn(rng, count * N, L)).reshape(count, N, L)
    deviation = (logvar / 2).exp()
    assert ((codes.mean(dim=0) - mu).abs() < 6 * deviation / math.sqrt(count)).all()
    off = codes.var(dim=0) / logvar.exp() - 1
    assert (off.abs() < 6 * math.sqrt(2 / count)).all()


@check("week7.terms")
def gradients_reach_mean_variance_and_noise(ours, rng) -> None:
    mu, logvar, eps = (drawn(rng, N, L).requires_grad_() for _ in range(3))
    g = drawn(rng, N, L)
    (ours.vae.reparameterize(mu, logvar, eps) * g).sum().backward()
    deviation = (logvar.detach() / 2).exp()
    close(mu.grad, g)
    close(eps.grad, g * deviation)
    close(logvar.grad, g * deviation * eps.detach() / 2)


@check("week7.terms")
def the_divergence_is_pytorchs(ours, rng) -> None:
    mu, logvar, g = drawn(rng, N, L), drawn(rng, N, L, scale=2.0), drawn(rng, N)
    pairs = []
    for own in (True, False):
        m, v = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
        normal = torch.distributions.Normal(m, (v / 2).exp())
        standard = torch.distributions.Normal(torch.zeros_like(m), torch.ones_like(m))
        other = torch.distributions.kl_divergence(normal, standard).sum(dim=1)
        found = ours.vae.kl_to_standard_normal(m, v) if own else other
        assert found.shape == (N,)
        (found * g).sum().backward()
        pairs.append((found.detach(), m.grad, v.grad))
    for found, expected in zip(*pairs, strict=True):
        close(found, expected)
    zeros = torch.zeros(2, L, dtype=torch.float64)
    assert ours.vae.kl_to_standard_normal(zeros, zeros).tolist() == [0.0, 0.0]


@check("week7.terms")
def the_divergence_is_the_mean_over_draws(ours, rng) -> None:
    mu, logvar = drawn(rng, 1, L), drawn(rng, 1, L)
    eps = drawn(rng, 100_000, L)
    z = mu + (logvar / 2).exp() * eps
    terms = ((z.square() - eps.square() - logvar) / 2).sum(dim=1)
    found = float(ours.vae.kl_to_standard_normal(mu, logvar))
    assert abs(found - float(terms.mean())) < 6 * float(terms.std()) / math.sqrt(len(terms))


@check("week7.terms")
def the_log_probability_is_that_of_independent_pixels(ours, rng) -> None:
    logits, g = drawn(rng, N, D, scale=3.0).requires_grad_(), drawn(rng, N)
    x = torch.rand(N, D, generator=rng, dtype=torch.float64)
    chances = torch.sigmoid(logits.detach())
    for pixels in (x, (x > 0.5).double()):
        logits.grad = None
        found = ours.vae.bernoulli_nll(logits, pixels)
        expected = -(pixels * chances.log() + (1 - pixels) * (1 - chances).log()).sum(dim=1)
        close(found.detach(), expected)
        (found * g).sum().backward()
        close(logits.grad, g[:, None] * (chances - pixels))


@check("week7.terms")
def extreme_logits_are_answered(ours, rng) -> None:
    for dtype in (torch.float32, torch.float64):
        logits = torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]], dtype=dtype)
        x = torch.tensor([[1.0, 0.0], [0.0, 0.25]], dtype=dtype)
        logits.requires_grad_()
        found = ours.vae.bernoulli_nll(logits, x)
        assert found.dtype == dtype
        assert found.tolist() == [0.0, 1250.0]
        found.sum().backward()
        assert logits.grad.tolist() == [[0.0, 0.0], [1.0, -0.25]]


@check("week7.terms")
def other_shapes_are_refused(ours, rng) -> None:
    wide, one = drawn(rng, N, L), drawn(rng, 1, L)
    for function in (ours.vae.kl_to_standard_normal, ours.vae.bernoulli_nll):
        with pytest.raises(ValueError, match="have to be the same"):
            function(wide, one)
    with pytest.raises(ValueError, match="eps"):
        ours.vae.reparameterize(wide, wide, one)


# week7.vae


def autoencoder(ours, rng):
    torch.manual_seed(int(torch.randint(1000, (), generator=rng)))
    return ours.vae.VAE(5, 9).double()


def pixels(rng, count: int = N):
    return torch.rand(count, PIXELS, generator=rng, dtype=torch.float64)


@check("week7.vae")
def codes_and_logits_have_both_signs(ours, rng) -> None:
    model, x = autoencoder(ours, rng), pixels(rng)
    for _ in range(4):
        for weights in model.parameters():
            weights.data = drawn(rng, *weights.shape, scale=0.3)
        results = [*model.encode(x), model.decode(drawn(rng, 4, 5))]
        assert [tuple(one.shape) for one in results] == [(N, 5), (N, 5), (4, PIXELS)]
        for one in results:
            assert float(one.detach().min()) < 0.0 < float(one.detach().max())


@check("week7.vae")
def the_decoder_knows_codes_alone(ours, rng) -> None:
    model, z = autoencoder(ours, rng), drawn(rng, 4, 5)
    fresh = copy.deepcopy(model).decode(z)
    model.loss(pixels(rng))
    close(model.decode(z), fresh)
    close(model.sample(z), torch.sigmoid(fresh))
    close(model.decode(z[1:2]), fresh[1:2])


@check("week7.vae")
def the_loss_is_both_terms_of_the_same_image(ours, rng) -> None:
    model, x, eps = autoencoder(ours, rng), pixels(rng), drawn(rng, N, 5)
    mu, logvar = model.encode(x)
    logits = model.decode(mu + (logvar / 2).exp() * eps)
    likely = functional.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = ((mu.square() + logvar.exp() - 1 - logvar) / 2).sum()
    loss = model.loss(x, eps)
    assert loss.shape == ()
    close(loss, (likely + divergence) / N)
    loss.backward()
    assert all(one.grad.abs().max() > 0 for one in model.parameters())


@check("week7.vae")
def the_loss_does_not_grow_with_the_batch(ours, rng) -> None:
    model, x, eps = autoencoder(ours, rng), pixels(rng), drawn(rng, N, 5)
    alone = [float(model.loss(x[n : n + 1], eps[n : n + 1]).detach()) for n in range(N)]
    assert float(model.loss(x, eps).detach()) == pytest.approx(sum(alone) / N, rel=1e-10)


@check("week7.vae")
def each_image_has_noise_of_its_own(ours, rng) -> None:
    model, x, seen = autoencoder(ours, rng), pixels(rng, 1), []
    mu, logvar = model.encode(x)
    decode = model.decode
    model.decode = lambda z: (seen.append(z.detach()), decode(z))[1]
    for _ in range(2):
        model.loss(x.expand(400, -1))
    noise = [(z - mu) / (logvar / 2).exp() for z in seen]
    both = torch.stack(noise).detach()
    assert (both.std(dim=1) - 1).abs().max() < 0.25  # six of its deviations
    assert both.std(dim=2).mean() > 0.5
    assert (both[0] - both[1]).std() > 1


@check("week7.vae")
def reconstructions_are_those_of_the_means(ours, rng) -> None:
    model, x = autoencoder(ours, rng), pixels(rng)
    for _ in range(2):
        close(model.reconstruct(x), torch.sigmoid(model.decode(model.encode(x)[0])))


# week7.elbo


class Recorder(torch.nn.Module):
    """Stands for an autoencoder of one parameter; keeps what its loss is asked."""

    latent = 6

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(4.0))
        self.seen: list = []

    def loss(self, x, eps=None):
        assert self.training
        eps = torch.randn(len(x), self.latent) if eps is None else eps
        self.seen.append((x, eps))
        return (self.weight - x.mean()).square()


@check("week7.elbo")
def every_step_has_its_images_and_noise(ours, rng) -> None:
    images = torch.rand(40, PIXELS, generator=rng)
    kept, runs = images.clone(), []
    for seed in (3, 3, 4):
        model = Recorder()
        losses = ours.vae.train(model, images, steps=5, batch_size=8, lr=0.1, seed=seed)
        assert not model.training
        assert len(losses) == len(model.seen) == 5
        assert losses[-1] < losses[0]
        runs.append(model.seen)
    assert torch.equal(images, kept)
    noise = [torch.cat([eps for _, eps in seen]) for seen in runs]
    assert len(noise[0].flatten().unique()) > 0.99 * 5 * 8 * 6
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])
    known = {tuple(row[:9].tolist()) for row in images}
    assert {tuple(row[:9].tolist()) for x, _ in runs[0] for row in x} <= known


# week7.gan_losses


@check("week7.gan_losses")
def undecided_logits_cost_a_bit_each(ours, rng) -> None:
    zeros = torch.zeros(5)
    assert float(ours.gan.discriminator_loss(zeros, zeros[:2])) == pytest.approx(2 * math.log(2))
    assert float(ours.gan.generator_loss(zeros)) == pytest.approx(math.log(2))


@check("week7.gan_losses")
def losses_are_cross_entropies(ours, rng) -> None:
    real, fake = drawn(rng, 5, scale=3.0), drawn(rng, 8, scale=3.0)
    bce = functional.binary_cross_entropy_with_logits
    for own, theirs in (
        (
            ours.gan.discriminator_loss,
            lambda r, f: bce(r, torch.ones_like(r)) + bce(f, torch.zeros_like(f)),
        ),
        (
            lambda r, f: ours.gan.generator_loss(f) + 0 * r.sum(),
            lambda r, f: bce(f, torch.ones_like(f)) + 0 * r.sum(),
        ),
    ):
        results = []
        for loss in (own, theirs):
            r, f = real.clone().requires_grad_(), fake.clone().requires_grad_()
            value = loss(r, f)
            value.backward()
            results.append((value.detach(), r.grad, f.grad))
        for found, expected in zip(*results, strict=True):
            close(found, expected)


@check("week7.gan_losses")
def extreme_verdicts_are_answered(ours, rng) -> None:
    far = torch.tensor([1000.0])
    assert float(ours.gan.discriminator_loss(far, -far)) == 0.0
    assert float(ours.gan.discriminator_loss(-far, far)) == 2000.0
    assert float(ours.gan.generator_loss(far)) == 0.0
    assert float(ours.gan.generator_loss(-far)) == 1000.0


# week7.gan_step


def small_networks(rng) -> tuple:
    """Return a generator and a discriminator with batch normalisation, all weights drawn."""
    made = torch.nn.Sequential(torch.nn.Linear(L, D), torch.nn.Sigmoid()).double()
    judge = torch.nn.Sequential(
        torch.nn.Linear(D, 6),
        torch.nn.BatchNorm1d(6),
        torch.nn.Tanh(),
        torch.nn.Linear(6, 1),
        torch.nn.Flatten(0),
    ).double()
    for weights in (*made.parameters(), *judge.parameters()):
        weights.data = drawn(rng, *weights.shape)
    return made, judge


def prepared(ours, rng):
    """Return both networks with plain gradient descent, and gradients left over from elsewhere."""
    gan = ours.gan.GAN(*small_networks(rng))
    gan.generator_optimizer = torch.optim.SGD(gan.generator.parameters(), lr=0.1)
    gan.discriminator_optimizer = torch.optim.SGD(gan.discriminator.parameters(), lr=0.1)
    for network in (gan.generator, gan.discriminator):
        for weights in network.parameters():
            weights.grad = drawn(rng, *weights.shape)
    return gan


def gradients(network) -> list:
    return [None if one.grad is None else one.grad.clone() for one in network.parameters()]


def values(network) -> list:
    return [one.detach().clone() for one in network.parameters()]


def stepped(loss, network) -> list:
    slopes = torch.autograd.grad(loss, list(network.parameters()))
    return [one - 0.1 * slope for one, slope in zip(values(network), slopes, strict=True)]


def expected_of_discriminator(gan, x, z) -> tuple:
    made, judge = copy.deepcopy(gan.generator), copy.deepcopy(gan.discriminator)
    real, fake = judge(x), judge(made(z).detach())
    loss = -functional.logsigmoid(real).mean() - functional.logsigmoid(-fake).mean()
    return loss.item(), stepped(loss, judge)


def expected_of_generator(gan, z) -> tuple:
    made, judge = copy.deepcopy(gan.generator), copy.deepcopy(gan.discriminator)
    loss = -functional.logsigmoid(judge(made(z))).mean()
    return loss.item(), stepped(loss, made)


@check("week7.gan_step")
def the_discriminators_step_is_its_own(ours, rng) -> None:
    gan, x, z = prepared(ours, rng), drawn(rng, N, D), drawn(rng, N, L)
    before, left = values(gan.generator), gradients(gan.generator)
    loss, after = expected_of_discriminator(gan, x, z)
    assert gan.discriminator_step(x, z) == pytest.approx(loss, rel=1e-9)
    close(values(gan.discriminator), after)
    assert all(map(torch.equal, values(gan.generator), before))
    for found, old in zip(gradients(gan.generator), left, strict=True):
        assert found is None or torch.equal(found, old) or not found.any()


@check("week7.gan_step")
def the_generators_step_is_its_own(ours, rng) -> None:
    gan, x, z = prepared(ours, rng), drawn(rng, N, D), drawn(rng, 2, N, L)
    before = values(gan.discriminator)
    loss, after = expected_of_generator(gan, z[0])
    assert gan.generator_step(z[0]) == pytest.approx(loss, rel=1e-9)
    close(values(gan.generator), after)
    assert all(map(torch.equal, values(gan.discriminator), before))
    _, after = expected_of_discriminator(gan, x, z[1])
    gan.discriminator_step(x, z[1])
    close(values(gan.discriminator), after)


@check("week7.gan_step")
def a_step_of_both_is_one_after_the_other(ours, rng) -> None:
    gan, x, z = prepared(ours, rng), drawn(rng, N, D), drawn(rng, 2, N, L)
    first, after = expected_of_discriminator(gan, x, z[0])
    moved = copy.deepcopy(gan)
    for weights, new in zip(moved.discriminator.parameters(), after, strict=True):
        weights.data = new
    second, made = expected_of_generator(moved, z[1])
    assert gan.train_step(x, z) == pytest.approx((first, second), rel=1e-9)
    close(values(gan.discriminator), after)
    close(values(gan.generator), made)


@check("week7.gan_step")
def own_optimizers_go_downhill(ours, rng) -> None:
    """Each loss is lower after the step that its own network took, on the same batch."""
    gan = ours.gan.GAN(*small_networks(rng), lr=1e-4)
    x, z = drawn(rng, N, D), drawn(rng, N, L)
    before = gan.discriminator_step(x, z)
    assert expected_of_discriminator(gan, x, z)[0] < before
    before = gan.generator_step(z)
    assert expected_of_generator(gan, z)[0] < before


@check("week7.gan_step")
def generated_pixels_are_pixels(ours, rng) -> None:
    torch.manual_seed(1)
    made, judge = ours.gan.Generator(L), ours.gan.Discriminator()
    assert sum(one.numel() for one in made.parameters()) <= ours.gan.PARAMETERS
    with torch.no_grad():
        for training in (True, False):
            made.train(training)
            images = made(100 * torch.randn(N, L, generator=rng))
            assert images.shape == (N, PIXELS)
            assert images.min() >= 0.0
            assert images.max() <= 1.0
            assert images.std() > 0.01
        assert judge(images).shape == (N,)
        alone = made(torch.ones(1, L))
        close(made(torch.cat([torch.ones(1, L), torch.zeros(2, L)]))[:1], alone, atol=1e-6)


# week7.samples


@check("week7.samples")
def every_step_has_images_and_noise_for_both(ours, rng) -> None:
    images, runs = torch.rand(40, PIXELS, generator=rng), []
    for seed in (3, 3, 4):
        seen: list = []
        gan = SimpleNamespace(generator=torch.nn.Linear(4, PIXELS), discriminator=torch.nn.ReLU())
        gan.generator.latent = 4

        def step(x, z, gan=gan, seen=seen):
            assert gan.generator.training
            assert gan.discriminator.training
            seen.append((x, z))
            return 0.5, 0.25

        gan.train_step = step
        assert ours.gan.train(gan, images, steps=5, batch_size=8, seed=seed) == [(0.5, 0.25)] * 5
        assert not gan.generator.training
        assert not gan.discriminator.training
        assert {(tuple(x.shape), tuple(z.shape)) for x, z in seen} == {((8, PIXELS), (2, 8, 4))}
        runs.append(torch.stack([z for _, z in seen]))
    assert len(runs[0].flatten().unique()) > 0.99 * runs[0].numel()
    assert torch.equal(runs[0], runs[1])
    assert not torch.equal(runs[0], runs[2])


ALL = [(item, one) for item, found in CHECKS.items() for one in found]


@pytest.mark.parametrize(("item", "one"), ALL, ids=[one.__name__ for _, one in ALL])
def test_the_reference(ours, item: str, one: Callable) -> None:
    one(ours, torch.Generator().manual_seed(7))


# What is given


def test_measures_are_by_their_formulas(given) -> None:
    rng = torch.Generator().manual_seed(2)
    one, two = drawn(rng, 500, 4), drawn(rng, 300, 4)
    distance = given.measures.frechet_distance
    assert distance(one, one) == pytest.approx(0.0, abs=1e-9)
    assert distance(one, one + 3.0) == pytest.approx(4 * 9.0)
    assert distance(one, two) == pytest.approx(distance(two, one), rel=1e-9)
    spread = torch.cov(one.T).trace()
    assert distance(one, one.mean(dim=0) + 3 * (one - one.mean(dim=0))) == pytest.approx(
        4 * float(spread)
    )  # (3 - 1)^2 of each variance
    line = torch.tensor([[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]])
    assert given.measures.nearest_sibling(line) == pytest.approx((5 + 1 + 1) / 3)
    assert given.measures.nearest_sibling(torch.ones(3, 9)) == 0.0
    learnt, unseen = torch.tensor([[0.0], [10.0]]), torch.tensor([[2.0], [13.0]])
    images = torch.tensor([[1.0], [9.5], [5.0], [-2.5]])
    assert given.measures.nearest(images, learnt).tolist() == [1.0, 0.5, 5.0, 2.5]
    assert given.measures.copies(images, learnt, unseen) == 0.5


def test_real_images_are_split_by_turns(given) -> None:
    numbers = torch.arange(7)
    for most, expected in ((9, ([0, 2, 4], [1, 3, 5])), (2, ([0, 3], [1, 5]))):
        found = given.measures.two_real_sets(numbers, most)
        assert tuple(one.tolist() for one in found) == expected


def test_sheets_hold_images_row_by_row(given) -> None:
    images = torch.arange(5.0)[:, None].expand(-1, PIXELS)
    sheet = given.pictures.as_sheet(images, 2)
    assert sheet.shape == (84, 56)
    assert sheet[::28, ::28].tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 0.0]]
    one = torch.arange(float(PIXELS))[None]
    assert (given.pictures.as_sheet(one, 1).ravel() == one.numpy().ravel()).all()


def test_ways_and_maps_of_codes(ours, given) -> None:
    model = autoencoder(ours, torch.Generator().manual_seed(1)).float()
    images = torch.rand(30, PIXELS, generator=torch.Generator().manual_seed(1))
    way = ours.vae.between(torch.zeros(5), torch.ones(5), 3)
    assert way[:, 0].tolist() == [0.0, 0.5, 1.0]
    codes = ours.vae.map_of_codes(model, images, 3)
    assert codes.shape == (9, 5)
    assert (codes.abs().sum(dim=0) > 0).sum() == 2
    assert codes[4].tolist() == [0.0] * 5
    labels = torch.arange(30) % 10
    means = ours.vae.codes_of_classes(model, images, labels)
    close(means[3], model.encode(images[3::10])[0].mean(dim=0).detach(), rtol=1e-5, atol=1e-6)
    assert given.image_data.binarise(torch.tensor([0.0, 0.5, 0.51])).tolist() == [0.0, 0.0, 1.0]


# With training: half a minute of one thread in all


def reads(script: str = "", pictures: Collection[str] = ()) -> Reads:
    """Return what the training depends on, besides what is imported here."""
    return Reads((FOLDER, ROOT / "data"))


@pytest.mark.prove(reads=reads)
def test_both_begin_to_learn_the_digits(ours, given, monkeypatch) -> None:
    """Measured: 550 and 136 nats, and distances of 421 and 298."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = given.image_data.load_images()
    learn, test = map(given.image_data.binarise, (found.x_train, found.x_test))
    torch.manual_seed(0)
    model = ours.vae.VAE()
    before = ours.vae.bound(model, test)
    ours.vae.train(model, learn, steps=150)
    assert before > 540  # 784 times the logarithm of 2, and some more
    assert ours.vae.bound(model, test) < 150
    judge = given.measures.trained_judge(found.x_train, found.y_train, steps=150)
    gan = ours.gan.GAN(ours.gan.Generator(), ours.gan.Discriminator())
    distances = []
    for steps in (0, 120):
        ours.gan.train(gan, found.x_train, steps, batch_size=64)
        images = ours.gan.generate(gan.generator, 180, 64)
        distances.append(given.measures.measured(judge, images, found.x_test).distance)
    assert distances[1] < 0.85 * distances[0]


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize(
    ("script", "pictures"),
    [
        ("vae.py", {"vae_samples", "vae_reconstructed", "vae_means", "vae_between", "vae_map"}),
        ("gan.py", {"gan_in_training", "gan_samples", "gan_losses"}),
    ],
)
def test_the_scripts_draw(tmp_path: Path, script: str, pictures: set[str]) -> None:
    pytest.importorskip("matplotlib")
    command = [sys.executable, str(FOLDER / script), "--steps", "20", "--latent", "3"]
    done = subprocess.run(
        [*command, "--figures", str(tmp_path)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in tmp_path.iterdir()} == pictures
