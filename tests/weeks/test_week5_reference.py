"""Week 5's reference: gradients by differences and against PyTorch, and what each part promises."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "solutions" / "week5_rnn"
T, N, D, H, V = 5, 3, 4, 6, 9
"""Steps, rows, features, states, characters: all differ, so that no axis stands for another."""


@pytest.fixture(scope="module", autouse=True)
def modules() -> dict[str, ModuleType]:
    """The reference's modules, imported as a student's are: by their names, from one folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        patch.syspath_prepend(FOLDER / "reviews")
        found = {}
        for name in ("rnn", "language", "reviews", "snippets", "sentiment"):
            home = FOLDER if name in ("rnn", "language") else FOLDER / "reviews"
            spec = importlib.util.spec_from_file_location(name, home / f"{name}.py")
            found[name] = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, found[name])
            spec.loader.exec_module(found[name])
        yield found


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


LAYERS = ("RNN", "LSTM")


def drawn(modules, name: str, rng: np.random.Generator):
    """Return a layer all of whose weights are drawn, biases too."""
    layer = getattr(modules["rnn"], name)(D, H, rng=rng)
    layer.b = rng.normal(size=layer.b.shape)
    return layer


def starts(name: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    names = ("h0", "c0") if name == "LSTM" else ("h0",)
    return {one: rng.normal(size=(N, H)) for one in names}


def differences(f: Callable[[], float], array: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return central differences of f with respect to an array that it reads."""
    found = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        values = []
        for moved in (kept + step, kept - step):
            array[place] = moved
            values.append(f())
        array[place] = kept
        found[place] = (values[0] - values[1]) / (2 * step)
    return found


# rnn.py


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("only", [None, *range(T)])
def test_gradients_are_the_slopes_of_the_loss(modules, rng, name: str, only: int | None) -> None:
    """Also where the loss uses one state alone, each in turn."""
    layer, start = drawn(modules, name, rng), starts(name, rng)
    x, g = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
    given = [one if only in (None, t) else None for t, one in enumerate(g)]
    used = np.array([one is not None for one in given])[:, None, None]

    def loss() -> float:
        return float(np.sum(np.stack(layer.forward(x, **start)) * g * used))

    loss()
    dx = layer.backward(given)
    found = {"Wx": layer.dL_dWx, "Wh": layer.dL_dWh, "b": layer.dL_db}
    arrays = {one: getattr(layer, one) for one in found}
    arrays |= {"x": x, **start}
    found |= {"x": np.stack(dx), **{one: getattr(layer, f"dL_d{one}") for one in start}}
    for one, array in arrays.items():
        slopes = differences(loss, array)
        np.testing.assert_allclose(found[one], slopes, rtol=1e-6, atol=1e-8, err_msg=one)


def in_torch(name: str, layer) -> tuple:
    """Return PyTorch's layer with the same weights, and how its rows of gates are ordered."""
    theirs = getattr(torch.nn, name)(D, H).double()
    blocks = {"RNN": [0], "LSTM": [0, 1, 3, 2]}[name]  # theirs are i, f, g, o
    order = np.concatenate([np.arange(H) + block * H for block in blocks])
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.from_numpy(layer.Wx.T[order]))
        theirs.weight_hh_l0.copy_(torch.from_numpy(layer.Wh.T[order]))
        theirs.bias_ih_l0.copy_(torch.from_numpy(layer.b[order]))
        theirs.bias_hh_l0.zero_()
    return theirs, order


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("steps", [1, T, 40])
def test_it_is_pytorchs_layer(modules, rng, name: str, steps: int) -> None:
    layer, start = drawn(modules, name, rng), starts(name, rng)
    theirs, order = in_torch(name, layer)
    x, g = rng.normal(size=(steps, N, D)), rng.normal(size=(steps, N, H))
    their_x = torch.from_numpy(x.copy()).requires_grad_()
    their_start = [torch.from_numpy(one[None].copy()).requires_grad_() for one in start.values()]
    states, last = theirs(their_x, tuple(their_start) if name == "LSTM" else their_start[0])
    (states * torch.from_numpy(g)).sum().backward()

    ours = np.stack(layer.forward(list(x), **start))
    np.testing.assert_allclose(ours, states.detach(), rtol=1e-10, atol=1e-12)
    if name == "LSTM":
        np.testing.assert_allclose(layer.c_last, last[1].detach()[0], rtol=1e-10)
    dx = np.stack(layer.backward(g))
    pairs = [
        (dx, their_x.grad),
        (layer.dL_dWx.T[order], theirs.weight_ih_l0.grad),
        (layer.dL_dWh.T[order], theirs.weight_hh_l0.grad),
        (layer.dL_db[order], theirs.bias_ih_l0.grad),
        *(
            (getattr(layer, f"dL_d{k}")[None], one.grad)
            for k, one in zip(start, their_start, strict=True)
        ),
    ]
    for own, their in pairs:
        np.testing.assert_allclose(own, their, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", LAYERS)
def test_backward_belongs_to_the_last_forward_and_may_be_repeated(modules, rng, name: str) -> None:
    layer, start = drawn(modules, name, rng), starts(name, rng)
    x, g = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
    kept = x.copy(), g.copy(), {k: one.copy() for k, one in start.items()}
    layer.forward(rng.normal(size=(2, 1, D)))
    states = layer.forward(x, **start)
    first = np.stack(layer.backward(g)), layer.dL_dWh.copy()
    for state in states:
        state[:] = 7.0  # whoever has them may change them
    again = np.stack(layer.backward(g)), layer.dL_dWh
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(g, kept[1])
    assert all((start[k] == kept[2][k]).all() for k in start)


@pytest.mark.parametrize("name", LAYERS)
def test_reading_in_two_pieces_is_reading_in_one(modules, rng, name: str) -> None:
    layer = drawn(modules, name, rng)
    x = rng.normal(size=(T, N, D))
    whole = layer.forward(x)
    first = layer.forward(x[:2])
    more = {"c0": layer.c_last} if name == "LSTM" else {}
    second = layer.forward(x[2:], first[-1], **more)
    np.testing.assert_allclose(np.stack([*first, *second]), np.stack(whole), rtol=1e-12)


@pytest.mark.parametrize("name", LAYERS)
def test_float32_stays(modules, rng, name: str) -> None:
    layer = getattr(modules["rnn"], name)(D, H, rng=rng, dtype=np.float32)
    x = rng.normal(size=(T, N, D)).astype(np.float32)
    states = layer.forward(x)
    dx = layer.backward([None, *states[1:]])
    arrays = (*states, *dx, layer.dL_dWx, layer.dL_dWh, layer.dL_db, layer.dL_dh0)
    assert {one.dtype for one in arrays} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", LAYERS)
def test_what_makes_no_sense_is_refused(modules, rng, name: str) -> None:
    layer = drawn(modules, name, rng)
    for x in (np.zeros((N, D)), np.zeros((T, N, D + 1)), np.zeros((0, N, D)), []):
        with pytest.raises(ValueError, match=r"sequence|array"):
            layer.forward(x)
    layer.forward(np.zeros((T, N, D)))
    with pytest.raises(ValueError, match="gradients for 5 steps"):
        layer.backward([None] * (T - 1))
    with pytest.raises(ValueError, match="the gradient of step 1"):
        layer.backward([None, np.zeros((N, H + 1)), *[None] * (T - 2)])


def test_the_worked_example_is_right(modules, rng) -> None:
    layer = modules["rnn"].Accumulator(D, H)
    layer.W = rng.normal(size=(D, H))
    x, g = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
    np.testing.assert_allclose(layer.forward(x)[1], (x[0] + x[1]) @ layer.W)
    dx = np.stack(layer.backward(g))
    slopes = differences(lambda: float(np.sum(np.stack(layer.forward(x)) * g)), layer.W)
    np.testing.assert_allclose(layer.dL_dW, slopes, rtol=1e-6)
    np.testing.assert_allclose(dx[-1], g[-1] @ layer.W.T)


def test_gradients_vanish_in_an_rnn_and_less_in_an_lstm_that_does_not_forget(modules) -> None:
    """Of the last step's gradient, what reaches the first of 50 steps: the median of 9 draws."""
    rnn = modules["rnn"]

    def median(make: Callable) -> float:
        found = []
        for seed in range(9):
            rng = np.random.default_rng(seed)
            x, g = rng.normal(size=(50, 16, 8)), rng.normal(size=(16, 32))
            found.append(rnn.gradient_by_step(make(rng), x, g)[0])
        return float(np.median(found))

    plain = median(lambda rng: rnn.RNN(8, 32, rng=rng))
    none, one, three = (
        median(lambda rng, bias=bias: rnn.LSTM(8, 32, bias, rng=rng)) for bias in (0.0, 1.0, 3.0)
    )
    assert plain < 1e-7
    assert none < 1e-7
    assert 1e-6 < one < 1e-3
    assert three > 0.1


# language.py


def test_an_embedding_is_a_linear_layer_of_one_hot_rows(modules, rng) -> None:
    layer = modules["language"].Embedding(V, D, rng=rng)
    ids, g = rng.integers(0, V, size=(7, 5)), rng.normal(size=(7, 5, D))
    hot = np.eye(V)[ids]
    np.testing.assert_allclose(layer.forward(ids), hot @ layer.W)
    assert layer.backward(g) is None
    np.testing.assert_allclose(layer.dL_dW, np.einsum("abv,abd->vd", hot, g))
    assert max(Counter(ids.ravel().tolist()).values()) > 1, (
        "repeated indices are what this is about"
    )


@pytest.mark.parametrize(
    ("length", "batch", "steps"), [(100, 3, 8), (97, 4, 6), (25, 1, 24), (25, 1, 25), (5, 4, 2)]
)
def test_pieces_read_the_text_on(modules, length: int, batch: int, steps: int) -> None:
    ids = np.random.default_rng(0).permutation(length)  # each character once: it is its place
    follows = dict(pairwise(ids.tolist()))
    pieces = list(modules["language"].batches(ids, batch, steps))
    assert len(pieces) == (length - 1) // batch // steps
    for x, y in pieces:
        assert x.shape == y.shape == (batch, steps)
        assert all(follows[a] == b for a, b in zip(x.ravel(), y.ravel(), strict=True))
    for (_, y), (x, _) in pairwise(pieces):
        np.testing.assert_array_equal(y[:, -1], x[:, 0])


def test_the_loss_is_pytorchs(modules, rng) -> None:
    logits, targets = 4 * rng.normal(size=(N, T, V)), rng.integers(0, V, size=(N, T))
    theirs = torch.from_numpy(logits.copy()).requires_grad_()
    loss = torch.nn.functional.cross_entropy(
        theirs.reshape(-1, V), torch.from_numpy(targets).ravel()
    )
    loss.backward()
    own, gradient = modules["language"].sequence_loss(logits, targets)
    assert own == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, theirs.grad, rtol=1e-10, atol=1e-14)
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        logits, targets = np.array([[[600.0, -600.0]]]), np.array([[1]])
        far, slope = modules["language"].sequence_loss(logits, targets)
    assert far == 1200.0
    assert slope.tolist() == [[[1.0, -1.0]]]


def test_clipping_keeps_the_direction(modules, rng) -> None:
    grads = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 4), (5,), (2, 1))]
    whole = np.concatenate([one.ravel() for one in grads])
    length = float(np.linalg.norm(whole))
    for limit in (length / 3, length * 3):
        clipped = modules["language"].clip_gradients(grads, limit)
        flat = np.concatenate([one.ravel() for one in clipped])
        np.testing.assert_allclose(flat, whole * min(1.0, limit / length), rtol=1e-6)
        assert [one.shape for one in clipped] == [one.shape for one in grads]
        assert {one.dtype for one in clipped} == {np.dtype(np.float32)}
    zeros = modules["language"].clip_gradients([np.zeros(3)], 1.0)
    assert zeros[0].tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_have_the_right_shares(modules, rng, temperature: float) -> None:
    """Chi-squared with 7 degrees of freedom is above 30 once in 10,000 times."""
    logits = rng.normal(size=8)
    expected = np.exp(logits / temperature)
    expected *= 4000 / expected.sum()
    drawn = [modules["language"].sample(logits, temperature, rng) for _ in range(4000)]
    counts = np.bincount(drawn, minlength=8)
    assert np.sum((counts - expected) ** 2 / expected) < 30


def test_sampling_at_no_temperature_and_of_large_logits(modules, rng) -> None:
    sample = modules["language"].sample
    assert sample(np.array([1.0, 3.0, 3.0]), 0.0, rng) == 1
    with np.errstate(over="raise", invalid="raise"):
        assert sample(np.array([-1e4, 1e4], dtype=np.float32), 1e-3, rng) == 1
    assert type(sample(np.zeros(3), 1.0, rng)) is int


@pytest.fixture
def model(modules, rng):
    found = modules["language"].CharLSTM(V, D, H, rng=rng, dtype=np.float64)
    found.by = rng.normal(size=V)
    return found


def test_the_networks_gradients_are_the_slopes_of_its_loss(modules, model, rng) -> None:
    x, y = rng.integers(0, V, size=(2, N, T))
    model.forward(rng.integers(0, V, size=(N, T)))
    state = model.state

    def loss() -> float:
        model.state = state
        return modules["language"].sequence_loss(model.forward(x), y)[0]

    model.state = state
    model.backward(modules["language"].sequence_loss(model.forward(x), y)[1])
    for array, gradient in zip(model.parameters(), model.gradients(), strict=True):
        np.testing.assert_allclose(gradient, differences(loss, array), rtol=1e-5, atol=1e-9)


def test_the_state_goes_on_and_no_character_knows_a_later_one(model, rng) -> None:
    ids = rng.integers(0, V, size=(N, 12))
    whole = model.forward(ids)
    model.reset()
    pieces = [model.forward(ids[:, :5]), model.forward(ids[:, 5:])]
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=1e-12)
    other = ids.copy()
    other[:, 7] = (other[:, 7] + 1) % V
    model.reset()
    changed = model.forward(other)
    np.testing.assert_array_equal(changed[:, :7], whole[:, :7])
    assert np.all(changed[:, 7] != whole[:, 7])


def test_bits_are_those_of_the_whole_text(modules, model, rng) -> None:
    """Also beyond the 256 characters that are read at once."""
    ids = rng.integers(0, V, size=700)
    model.reset()
    loss, _ = modules["language"].sequence_loss(model.forward(ids[None, :-1]), ids[None, 1:])
    state = model.state
    assert model.bits_per_char(ids) == pytest.approx(loss / np.log(2), rel=1e-10)
    assert model.state is state


def test_what_is_written_at_no_temperature_is_the_likeliest(model, rng) -> None:
    start = rng.integers(0, V, size=4)
    model.forward(start[None])
    state = model.state
    written = model.generate(start, 12, 0.0, rng)
    assert model.state is state
    text = start
    for character in written:
        model.reset()
        assert character == np.argmax(model.forward(text[None])[0, -1])
        text = np.append(text, character)
    assert model.generate(start, 0, 1.0, rng).shape == (0,)


def test_what_is_written_depends_on_the_generator_alone(model, rng) -> None:
    texts = [model.generate(np.array([1]), 40, 1.5, np.random.default_rng(s)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(texts[0], texts[1])
    assert np.any(texts[0] != texts[2])


def test_training_learns_a_text_that_takes_memory(modules) -> None:
    """Words of five letters in a fixed order: who knows the letter alone can't go on."""
    language = modules["language"]
    text = "stone notes onset tones seton " * 60
    alphabet = language.alphabet_of(text)
    ids = language.encode(text, alphabet)
    assert language.decode(ids, alphabet) == text
    rng = np.random.default_rng(0)
    model = language.CharLSTM(len(alphabet), 8, 32, rng=rng)
    before = model.bits_per_char(ids[:300])
    losses = list(language.train(model, ids, steps=120, batch=8, length=30))
    assert before > 2.5
    assert len(losses) == 120
    assert model.bits_per_char(ids[:300]) < 0.2
    said = language.decode(model.generate(ids[:30], 30, 0.0, rng), alphabet)
    assert said == text[:30]
    assert {one.dtype for one in model.parameters()} == {np.dtype(np.float32)}


# sentiment.py


@pytest.fixture
def batch(rng):
    ids = torch.from_numpy(rng.integers(1, 20, size=(6, 9)))
    lengths = torch.tensor([9, 1, 4, 7, 2, 9])
    for row, length in zip(ids, lengths, strict=True):
        row[length:] = 0
    return ids, lengths


def test_the_last_valid_state_is_that_of_the_last_word(modules, rng, batch) -> None:
    states = torch.from_numpy(rng.normal(size=(6, 9, 5))).requires_grad_()
    found = modules["sentiment"].last_valid(states, batch[1])
    for row, length, state in zip(states, batch[1], found, strict=True):
        assert torch.equal(row[length - 1], state)
    found.sum().backward()
    assert int((states.grad != 0).sum()) == 6 * 5


def test_padding_changes_nothing(modules, batch) -> None:
    ids, lengths = batch
    torch.manual_seed(0)
    model = modules["sentiment"].LSTMClassifier(20, 3, 5)
    more = torch.cat([ids, torch.full((6, 4), 7)], dim=1)
    logits = model(ids, lengths)
    assert logits.shape == (6,)
    assert torch.allclose(model(more, lengths), logits, atol=1e-6)
    for row, length, logit in zip(ids, lengths, logits, strict=True):
        alone = model(row[None, :length], length[None])
        assert torch.allclose(alone[0], logit, atol=1e-6)
    counts = modules["sentiment"].bag_of_words(more, lengths, 20)
    for row, length, own in zip(ids, lengths, counts, strict=True):
        assert own.tolist() == torch.bincount(row[:length], minlength=20).tolist()


def test_naive_bayes_is_by_the_formula(modules, rng) -> None:
    counts = torch.from_numpy(rng.integers(0, 4, size=(30, 6))).float()
    labels = torch.from_numpy(rng.integers(0, 2, size=30)).float()
    found = modules["sentiment"].NaiveBayes().fit(counts, labels).logits(counts)
    logs = []
    for kind in (0, 1):
        words = counts[labels == kind].sum(0) + 1
        prior = (labels == kind).float().mean().log()
        logs.append(prior + counts @ (words / words.sum()).log())
    assert torch.allclose(found, logs[1] - logs[0], atol=1e-5)


def test_in_generated_reviews_counting_words_says_nothing(modules) -> None:
    """Each bag of words is as often positive as negative: exactly, over all orders."""
    reviews = modules["reviews"]
    texts, labels = reviews.reviews(4000, np.random.default_rng(1))
    assert 0.45 < labels.mean() < 0.55
    assert len(set(texts)) == len(texts)
    ids, lengths = map(torch.from_numpy, reviews.as_numbers(texts))
    kinds = torch.from_numpy(labels)
    sentiment = modules["sentiment"]
    counts = sentiment.bag_of_words(ids, lengths, len(reviews.WORDS))
    bayes = sentiment.NaiveBayes().fit(counts[:3000], kinds[:3000])
    assert sentiment.accuracy(bayes.logits(counts[3000:]), kinds[3000:]) < 0.56
    for text, label in zip(texts[:300], labels[:300], strict=True):
        assert positive(reviews, text) == bool(label)


def positive(reviews: ModuleType, text: str) -> bool:
    """Judge a review by the rules that the module states, written in another way."""
    words = text.split()
    at = {word: n for n, word in enumerate(words)}
    signs = {at[w]: w in reviews.GOOD for w in words if w in (*reviews.GOOD, *reviews.BAD)}
    first, second = sorted(signs)
    turned = [n for n, word in enumerate(words) if word == "not"]
    values = [
        signs[first] != any(n < first for n in turned),
        signs[second] != any(first < n < second for n in turned),
    ]
    rest = next((at[w] for w in reviews.BEFORE_THE_REST if w in at), None)
    return values[0] if rest is not None and rest > first else values[1]


def test_the_lstm_learns_what_counting_cannot(modules) -> None:
    reviews, sentiment = modules["reviews"], modules["sentiment"]
    texts, labels = reviews.reviews(2500, np.random.default_rng(2))
    ids, lengths = map(torch.from_numpy, reviews.as_numbers(texts))
    kinds = torch.from_numpy(labels)
    torch.manual_seed(0)
    model = sentiment.LSTMClassifier(len(reviews.WORDS), 16, 32)
    losses = sentiment.train(model, ids[:2000], lengths[:2000], kinds[:2000], epochs=8)
    assert losses[-1] < losses[0]
    with torch.no_grad():
        right = sentiment.accuracy(model(ids[2000:], lengths[2000:]), kinds[2000:])
    assert right > 0.95
