"""Week 6's reference: gradients by complex steps, against NumPy and PyTorch, and its promises."""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "solutions" / "week6_attention"
HOMES = {"attention": "", "transformer": "gpt", "bert_finetune": "bert"}
N, TQ, TK, D, DV = 2, 4, 5, 6, 3
"""Batch, queries, keys, features of keys and of values: all differ, so none stands for another."""
V, CONTEXT, WIDTH, HEADS = 11, 7, 12, 3
"""Characters, places, columns and heads of the small networks."""


@pytest.fixture(scope="module")
def modules() -> dict[str, ModuleType]:
    """The reference's modules, imported as a student's are: by their names."""
    with pytest.MonkeyPatch.context() as patch:
        found = {}
        for name, home in HOMES.items():
            spec = importlib.util.spec_from_file_location(name, FOLDER / home / f"{name}.py")
            found[name] = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, found[name])
            spec.loader.exec_module(found[name])
        yield found


@pytest.fixture
def attention(modules) -> ModuleType:
    return modules["attention"]


@pytest.fixture
def transformer(modules) -> ModuleType:
    return modules["transformer"]


@pytest.fixture
def bert(modules) -> ModuleType:
    return modules["bert_finetune"]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(6)


# attention.py

LEADING = [(), (N,), (N, 3)]


def drawn(rng: np.random.Generator, leading: tuple[int, ...] = (N,)) -> tuple[np.ndarray, ...]:
    """Return queries, keys and values."""
    shapes = ((TQ, D), (TK, D), (TK, DV))
    return tuple(rng.normal(size=(*leading, *shape)) for shape in shapes)


def masks(rng: np.random.Generator, leading: tuple[int, ...] = (N,)) -> dict[str, np.ndarray]:
    """Return masks of all kinds: causal, one for each batch, one with an empty row and column."""
    holes = rng.random((*leading, TQ, TK)) < 0.6
    holes[..., 1, :] = False
    holes[..., :, 2] = False
    return {
        "none": None,
        "causal": np.tri(TQ, TK, dtype=bool),
        "holes": holes,
        "keys": np.array([True, False, True, True, False]),
        "queries": np.array([True, True, False, True])[:, None],
        "empty": np.array(False),
    }


KINDS = ("none", "causal", "holes", "keys", "queries", "empty")


def plain(Q: np.ndarray, K: np.ndarray, V: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Return attention, query by query and key by key; complex numbers go through it."""
    leading = Q.shape[:-2]
    allowed = np.broadcast_to(True if mask is None else mask, (*leading, TQ, TK))
    found = np.zeros((*leading, TQ, DV), np.result_type(Q, K, V))
    for place in np.ndindex(*leading, TQ):
        *one, i = place
        keys = [j for j in range(TK) if allowed[(*one, i, j)]]
        scores = [sum(Q[place][c] * K[(*one, j)][c] for c in range(D)) / math.sqrt(D) for j in keys]
        exponentials = [np.exp(score) for score in scores]
        for j, exponential in zip(keys, exponentials, strict=True):
            found[place] += exponential / sum(exponentials) * V[(*one, j)]
    return found


@pytest.mark.parametrize("leading", LEADING)
@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_the_formula(attention, rng, leading, kind: str) -> None:
    Q, K, V = drawn(rng, leading)
    mask = masks(rng, leading)[kind]
    kept = [np.copy(one) for one in (Q, K, V)]
    found = attention.scaled_dot_product_attention(Q, K, V, mask)
    assert found.shape == (*leading, TQ, DV)
    np.testing.assert_allclose(found, plain(Q, K, V, mask), rtol=1e-12, atol=1e-14)
    for one, before in zip((Q, K, V), kept, strict=True):
        np.testing.assert_array_equal(one, before)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_add_to_one_or_are_zeros(attention, rng, kind: str) -> None:
    Q, K, _ = drawn(rng)
    mask = masks(rng)[kind]
    allowed = np.broadcast_to(True if mask is None else mask, (N, TQ, TK))
    weights = attention.attention_weights(Q, K, mask)
    assert weights.shape == (N, TQ, TK)
    assert np.all(weights[~allowed] == 0.0)
    assert np.all(weights[allowed] > 0.0)
    np.testing.assert_allclose(weights.sum(axis=-1), allowed.any(axis=-1), rtol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_attention_is_pytorchs(attention, rng, kind: str) -> None:
    """PyTorch's function gives zeros for an empty row too."""
    Q, K, V = drawn(rng)
    mask = masks(rng)[kind]
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.from_numpy, (Q, K, V)),
        None if mask is None else torch.from_numpy(np.broadcast_to(mask, (N, TQ, TK)).copy()),
    )
    ours = attention.scaled_dot_product_attention(Q, K, V, mask)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def complex_steps(f: Callable[[], np.ndarray], array: np.ndarray) -> np.ndarray:
    """Return the slopes of f's sum with respect to a complex array that it reads."""
    found = np.zeros(array.shape)
    for place in np.ndindex(array.shape):
        array[place] += 1e-30j
        found[place] = np.sum(f()).imag / 1e-30
        array[place] = array[place].real
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_the_slopes_of_the_loss(attention, rng, kind: str) -> None:
    Q, K, V = drawn(rng)
    mask, g = masks(rng)[kind], rng.normal(size=(N, TQ, DV))
    found = attention.attention_backward(g, Q, K, V, mask)
    steps = [one.astype(complex) for one in (Q, K, V)]
    for own, array in zip(found, steps, strict=True):
        slopes = complex_steps(lambda: g * plain(*steps, mask), array)
        assert own.shape == slopes.shape
        np.testing.assert_allclose(own, slopes, rtol=1e-11, atol=1e-14)


def test_what_takes_no_part_gets_no_gradient(attention, rng) -> None:
    Q, K, V = drawn(rng)
    g = rng.normal(size=(N, TQ, DV))
    kept = [one.copy() for one in (g, Q, K, V)]
    dQ, dK, dV = attention.attention_backward(g, Q, K, V, masks(rng)["holes"])
    assert np.all(dQ[:, 1] == 0.0)
    assert np.all(dK[:, 2] == 0.0)
    assert np.all(dV[:, 2] == 0.0)
    for one, before in zip((g, Q, K, V), kept, strict=True):
        np.testing.assert_array_equal(one, before)


def test_hidden_keys_and_the_future_change_nothing(attention, rng) -> None:
    Q, K, V = drawn(rng)
    keys = np.array([True, True, False, True, False])
    before = attention.scaled_dot_product_attention(Q, K, V, keys)
    K[:, ~keys], V[:, ~keys] = 50.0, -1e6
    np.testing.assert_array_equal(attention.scaled_dot_product_attention(Q, K, V, keys), before)

    Q, K, V = (one[:, :TQ] for one in drawn(rng))
    causal = attention.causal_mask(TQ)
    before = attention.scaled_dot_product_attention(Q, K, V, causal)
    K[:, 2:], V[:, 2:] = rng.normal(size=(2, TQ - 2, D)), 9.0
    after = attention.scaled_dot_product_attention(Q, K, V, causal)
    np.testing.assert_allclose(after[:, :2], before[:, :2], rtol=1e-14)
    assert np.all(after[:, 2:] != before[:, 2:])


def test_attention_knows_no_order(attention, rng) -> None:
    Q, K, V = drawn(rng)
    whole = attention.scaled_dot_product_attention(Q, K, V)
    keys, queries = np.array([3, 0, 4, 2, 1]), np.array([2, 0, 3, 1])
    same = attention.scaled_dot_product_attention(Q, K[:, keys], V[:, keys])
    np.testing.assert_allclose(same, whole, rtol=1e-13)
    moved = attention.scaled_dot_product_attention(Q[:, queries], K, V)
    np.testing.assert_allclose(moved, whole[:, queries], rtol=1e-13)


@pytest.mark.parametrize("size", [1e2, 1e4, -1e4])
@pytest.mark.parametrize("kind", ["none", "holes"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_scores_overflow_nowhere_and_float32_stays(
    attention, rng, size: float, kind: str, dtype: type
) -> None:
    Q, K, V = (one.astype(dtype) for one in drawn(rng))
    mask = masks(rng)[kind]
    allowed = np.broadcast_to(True if mask is None else mask, (N, TQ, TK))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        result = attention.scaled_dot_product_attention(Q * dtype(size), K, V, mask)
        slopes = attention.attention_backward(result, Q * dtype(size), K, V, mask)
    assert {one.dtype for one in (result, *slopes)} == {np.dtype(dtype)}
    assert all(np.isfinite(one).all() for one in (result, *slopes))
    if abs(size) == 1e4:  # then one key has all
        scores = np.where(allowed, Q @ K.swapaxes(1, 2) * np.sign(size), -np.inf)
        first = np.take_along_axis(V, scores.argmax(axis=-1)[..., None], axis=1)
        expected = np.where(allowed.any(axis=-1)[..., None], first, 0.0)
        np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_shapes_that_do_not_fit_are_refused(attention, rng) -> None:
    Q, K, V = drawn(rng)
    for wrong in ((Q[..., 1:], K, V), (Q[0], K, V), (Q, K, V[:, 1:]), (Q[0, 0], K[0, 0], V)):
        with pytest.raises(ValueError, match="don't fit"):
            attention.scaled_dot_product_attention(*wrong)
    with pytest.raises(ValueError, match="broadcast"):
        attention.attention_weights(Q, K, np.ones((TK, TQ), dtype=bool))
    with pytest.raises(ValueError, match="a result has shape"):
        attention.attention_backward(np.ones((N, TQ, DV + 1)), Q, K, V)


@pytest.mark.parametrize("T", [1, 2, 5])
def test_the_causal_mask_allows_what_was(attention, T: int) -> None:
    mask = attention.causal_mask(T)
    assert mask.dtype == bool
    assert mask.tolist() == [[s <= t for s in range(T)] for t in range(T)]


@pytest.mark.parametrize(("T", "d"), [(1, 4), (9, 6), (5, 7), (3, 1)])
def test_positions_alternate(attention, T: int, d: int) -> None:
    found = attention.sinusoidal_positions(T, d)
    assert found.shape == (T, d)
    assert found.dtype == np.float64
    for t, column in np.ndindex(T, d):
        angle = t / 10000 ** (2 * (column // 2) / d)
        expected = math.cos(angle) if column % 2 else math.sin(angle)
        assert found[t, column] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_a_step_on_turns_each_pair_by_the_same_angle(attention) -> None:
    """So the product of two positions depends on their distance alone."""
    P = attention.sinusoidal_positions(20, 8)
    products = P @ P.T
    for distance in range(1, 6):
        np.testing.assert_allclose(np.diagonal(products, distance), products[0, distance])


def test_the_worked_example_smooths(attention, rng) -> None:
    q, k, V = rng.normal(size=(N, TQ)), rng.normal(size=(N, TK)), rng.normal(size=(N, TK, DV))
    found = attention.smooth(q, k, V, 0.7)
    for n, i in np.ndindex(N, TQ):
        weights = np.exp(-((q[n, i] - k[n]) ** 2) / (2 * 0.7**2))
        np.testing.assert_allclose(found[n, i], weights @ V[n] / weights.sum())
    far = attention.smooth(q + 1e4, k, V, 0.1)
    last = np.take_along_axis(V, k.argmax(axis=1)[:, None, None], axis=1)
    np.testing.assert_allclose(far, np.broadcast_to(last, far.shape))


def test_the_scale_keeps_attention_from_becoming_a_maximum(attention, rng) -> None:
    assert attention.entropy(np.full((3, 8), 1 / 8)) == pytest.approx(math.log(8))
    assert attention.entropy(np.eye(4)) == 0.0
    Q, K = rng.normal(size=(2, 20, 64, 256))
    assert attention.entropy(attention.attention_weights(Q, K)) > 3.5
    assert attention.entropy(attention.attention_weights(Q * 16.0, K)) < 0.6


# transformer.py


def filled(module, rng: np.random.Generator):
    """Return a module in float64 with all its parameters drawn, in evaluation mode."""
    module = module.double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(rng.normal(size=parameter.shape) * 0.5))
    return module


def arrays(module) -> dict[str, np.ndarray]:
    return {name: one.detach().numpy() for name, one in module.named_parameters()}


def numpy_norm(x: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    variance = x.var(axis=-1, keepdims=True)
    return weight * (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(variance + 1e-5) + bias


def numpy_heads(attention, weights, heads: int, inputs, mask=None) -> np.ndarray:
    """Return multi-head attention, head by head, of a module's weights."""
    projected = [
        x @ weights[f"{one}_proj.weight"].T + weights[f"{one}_proj.bias"]
        for one, x in zip("qkv", inputs, strict=True)
    ]
    blocks = [np.split(one, heads, axis=-1) for one in projected]
    results = [
        attention.scaled_dot_product_attention(q, k, v, mask)
        for q, k, v in zip(*blocks, strict=True)
    ]
    whole = np.concatenate(results, axis=-1)
    return whole @ weights["out_proj.weight"].T + weights["out_proj.bias"]


def numpy_gpt(attention, model, ids: np.ndarray) -> np.ndarray:
    """Return a MiniGPT's logits from its weights alone."""
    all_weights = arrays(model)
    gelu = np.vectorize(lambda z: z * 0.5 * (1.0 + math.erf(z / math.sqrt(2.0))))

    def of(prefix: str) -> dict[str, np.ndarray]:
        return {
            name.removeprefix(prefix): one
            for name, one in all_weights.items()
            if name.startswith(prefix)
        }

    T = ids.shape[1]
    x = all_weights["tokens.weight"][ids] + all_weights["positions.weight"][:T]
    for number in range(len(model.blocks)):
        w = of(f"blocks.{number}.")
        normed = numpy_norm(x, w["norm1.weight"], w["norm1.bias"])
        own = of(f"blocks.{number}.attention.")
        x = x + numpy_heads(attention, own, HEADS, [normed] * 3, np.tri(T, dtype=bool))
        normed = numpy_norm(x, w["norm2.weight"], w["norm2.bias"])
        wide = gelu(normed @ w["up.weight"].T + w["up.bias"])
        x = x + wide @ w["down.weight"].T + w["down.bias"]
    x = numpy_norm(x, all_weights["norm.weight"], all_weights["norm.bias"])
    return x @ all_weights["head.weight"].T + all_weights["head.bias"]


@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layer_norm_is_pytorchs(transformer, rng, eps: float) -> None:
    """Four numbers: there the unbiased variance is a third larger."""
    ours = filled(transformer.LayerNorm(4, eps), rng)
    assert [one.shape for one in ours.parameters()] == [(4,), (4,)]
    x = [torch.from_numpy(rng.normal(3.0, 2.0, size=(N, 5, 4))) for _ in range(2)]
    x[1].copy_(x[0])
    g = torch.from_numpy(rng.normal(size=(N, 5, 4)))
    for one in x:
        one.requires_grad_()
    own = ours(x[0])
    theirs = torch.nn.functional.layer_norm(x[1], (4,), ours.weight, ours.bias, eps)
    np.testing.assert_allclose(own.detach(), theirs.detach(), rtol=1e-11)
    (own * g).sum().backward()
    slopes = [ours.weight.grad.clone(), ours.bias.grad.clone()]
    ours.zero_grad()
    (theirs * g).sum().backward()
    np.testing.assert_allclose(x[0].grad, x[1].grad, rtol=1e-9, atol=1e-12)
    for own, their in zip(slopes, ours.parameters(), strict=True):
        np.testing.assert_allclose(own, their.grad, rtol=1e-10)
    new = transformer.LayerNorm(3)
    assert new.weight.tolist() == [1.0] * 3
    assert new.bias.tolist() == [0.0] * 3


def inputs(rng: np.random.Generator) -> list[np.ndarray]:
    return [rng.normal(size=(N, steps, WIDTH)) for steps in (TQ, TK, TK)]


@pytest.mark.parametrize("kind", KINDS)
def test_heads_are_single_attentions_side_by_side(attention, transformer, rng, kind: str) -> None:
    heads, given = filled(transformer.MultiHeadAttention(WIDTH, HEADS), rng), inputs(rng)
    mask = masks(rng)[kind]
    expected = numpy_heads(attention, arrays(heads), HEADS, given, mask)
    tensors = [torch.from_numpy(one) for one in given]
    mask = None if mask is None else torch.from_numpy(mask)
    np.testing.assert_allclose(heads(*tensors, mask).detach(), expected, rtol=1e-9, atol=1e-12)
    weights = heads.weights(*tensors[:2], mask).detach().numpy()
    assert weights.shape == (N, HEADS, TQ, TK)
    allowed = np.broadcast_to(True if mask is None else mask, (N, TQ, TK))
    sums = np.broadcast_to(allowed.any(axis=-1)[:, None], (N, HEADS, TQ))
    np.testing.assert_allclose(weights.sum(axis=-1), sums, rtol=1e-12)
    assert np.all(weights[~np.broadcast_to(allowed[:, None], weights.shape)] == 0.0)


def test_heads_are_pytorchs(transformer, rng) -> None:
    """Its masks are True where attention is *not* allowed."""
    ours = filled(transformer.MultiHeadAttention(WIDTH, HEADS), rng)
    theirs = torch.nn.MultiheadAttention(WIDTH, HEADS, batch_first=True).double()
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = [getattr(getattr(ours, f"{one}_proj"), kind) for one in "qkv"]
            getattr(theirs, f"in_proj_{kind}").copy_(torch.cat(parts))
        theirs.out_proj.load_state_dict(ours.out_proj.state_dict())
    given = [torch.from_numpy(one) for one in inputs(rng)]
    mask = torch.ones(TQ, TK, dtype=torch.bool).tril()
    expected, weights = theirs(*given, attn_mask=~mask, average_attn_weights=False)
    np.testing.assert_allclose(ours(*given, mask).detach(), expected.detach(), rtol=1e-9)
    np.testing.assert_allclose(ours.weights(*given[:2], mask).detach(), weights.detach())


def test_an_empty_row_gives_zeros_and_no_nan_anywhere(transformer, rng) -> None:
    heads = filled(transformer.MultiHeadAttention(WIDTH, HEADS), rng)
    given = [torch.from_numpy(one).requires_grad_() for one in inputs(rng)]
    mask = torch.ones(N, TQ, TK, dtype=torch.bool)
    mask[1, 2] = False
    result = heads(*given, mask)
    assert torch.equal(result[1, 2], heads.out_proj.bias)
    result.square().sum().backward()
    for one in (*given, *heads.parameters()):
        assert torch.isfinite(one.grad).all()
    assert not given[0].grad[1, 2].any()


def test_heads_that_do_not_share_evenly_are_refused(transformer) -> None:
    with pytest.raises(ValueError, match="12 columns can't be shared by 5 heads"):
        transformer.MultiHeadAttention(WIDTH, 5)


def test_a_block_is_pytorchs(transformer, rng) -> None:
    ours = filled(transformer.TransformerBlock(WIDTH, HEADS, 20), rng)
    theirs = torch.nn.TransformerEncoderLayer(
        WIDTH, HEADS, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    pairs = {
        "norm1": "norm1",
        "norm2": "norm2",
        "attention.out_proj": "self_attn.out_proj",
        "up": "linear1",
        "down": "linear2",
    }
    with torch.no_grad():
        for own, their in pairs.items():
            theirs.get_submodule(their).load_state_dict(ours.get_submodule(own).state_dict())
        for kind in ("weight", "bias"):
            parts = [getattr(getattr(ours.attention, f"{one}_proj"), kind) for one in "qkv"]
            getattr(theirs.self_attn, f"in_proj_{kind}").copy_(torch.cat(parts))
    x = torch.from_numpy(rng.normal(size=(N, TQ, WIDTH)))
    for mask in (None, torch.ones(TQ, TQ, dtype=torch.bool).tril()):
        expected = theirs(x, src_mask=None if mask is None else ~mask)
        np.testing.assert_allclose(ours(x, mask).detach(), expected.detach(), rtol=1e-9)


@pytest.fixture
def model(transformer, rng):
    return filled(transformer.MiniGPT(V, CONTEXT, WIDTH, HEADS, 2), rng)


@pytest.mark.parametrize("T", [1, 4, CONTEXT])
def test_the_network_is_what_numpy_says(attention, model, rng, T: int) -> None:
    ids = rng.integers(0, V, size=(3, T))
    logits = model(torch.from_numpy(ids))
    assert logits.shape == (3, T, V)
    np.testing.assert_allclose(logits.detach(), numpy_gpt(attention, model, ids), rtol=1e-8)
    assert torch.equal(model(torch.from_numpy(ids)), logits)


def test_no_place_knows_what_follows_and_too_much_is_refused(model, rng) -> None:
    ids = torch.from_numpy(rng.integers(0, V, size=(3, CONTEXT)))
    other = ids.clone()
    other[:, 4] = (other[:, 4] + 1) % V
    before, after = model(ids), model(other)
    assert torch.equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()
    with pytest.raises(ValueError, match="8 characters are more than the context of 7"):
        model(torch.cat([ids, ids[:, :1]], dim=1))


def test_a_new_network_knows_nothing(transformer, rng) -> None:
    torch.manual_seed(0)
    model = transformer.MiniGPT(65, 32, 64, 4, 2)
    assert sum(one.numel() for one in model.parameters()) == 110_529
    ids = torch.from_numpy(rng.integers(0, 65, size=(20, 33)))
    logits = model(ids[:, :-1])
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(65), abs=0.1)
    loss.backward()
    assert all(one.grad.any() for one in model.parameters())


def test_what_is_written_at_no_temperature_is_the_likeliest_beyond_the_context(
    attention, transformer, model, rng
) -> None:
    # Of drawn weights, biases decide too much: the same character would be the likeliest for ever,
    # whatever was read.
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(0.0 if name.endswith("bias") else 1.0)
        model.tokens.weight *= 4.0
        model.norm.weight.fill_(1.0)
    for length in (1, CONTEXT, CONTEXT + 4):
        text = rng.integers(0, V, size=(2, length))
        ids = torch.from_numpy(text.copy())
        written = transformer.generate(model, ids, CONTEXT + 3, 0.0, torch.Generator())
        assert ids.tolist() == text.tolist()
        assert written.dtype == torch.int64
        assert written.shape == (2, CONTEXT + 3)
        assert len(set(written.flatten().tolist())) >= 5
        for character in written.numpy().T:
            logits = numpy_gpt(attention, model, text[:, -CONTEXT:])[:, -1]
            assert character.tolist() == logits.argmax(axis=-1).tolist()
            text = np.concatenate([text, character[:, None]], axis=1)
    assert transformer.generate(model, ids, 0, 1.0, torch.Generator()).shape == (2, 0)


def test_what_is_written_depends_on_the_generator_alone(transformer, model) -> None:
    start = torch.tensor([[1], [3]])
    texts = []
    for seed, training in ((1, True), (1, False), (2, False)):
        model.train(training)
        torch.manual_seed(seed + training)
        generator = torch.Generator().manual_seed(seed)
        texts.append(transformer.generate(model, start, 30, 2.0, generator))
        assert model.training is training
    assert torch.equal(texts[0], texts[1])
    assert (texts[0] != texts[2]).any()
    assert not texts[0].requires_grad


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_samples_have_the_right_shares(transformer, rng, temperature: float) -> None:
    """Chi-squared with 7 degrees of freedom is above 30 once in 10,000 times."""
    logits = torch.from_numpy(rng.normal(size=8))
    expected = 4000 * (logits / temperature).softmax(0).numpy()
    generator = torch.Generator().manual_seed(3)
    found = transformer.next_character(logits.expand(4000, 8), temperature, generator)
    counts = np.bincount(found.numpy(), minlength=8)
    assert np.sum((counts - expected) ** 2 / expected) < 30


def test_sampling_at_no_temperature_and_of_large_logits(transformer) -> None:
    generator = torch.Generator()
    assert transformer.next_character(torch.tensor([[1.0, 3.0, 3.0]]), 0.0, generator).item() == 1
    far = torch.tensor([[-1e4, 1e4], [1e4, -1e4]])
    assert transformer.next_character(far, 1e-3, generator).tolist() == [1, 0]


def test_bits_are_those_of_each_piece(attention, transformer, model, rng) -> None:
    """Also where there are more than are read at once; the last one, too short, is left out."""
    for pieces, more in ((3, 5), (203, 1)):
        text = rng.integers(0, V, size=pieces * CONTEXT + more)
        x = text[: pieces * CONTEXT].reshape(pieces, CONTEXT)
        y = text[1 : pieces * CONTEXT + 1].reshape(pieces, CONTEXT)
        with torch.no_grad():
            logits = model(torch.from_numpy(x)).numpy()
        logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
        bits = -np.take_along_axis(logs, y[..., None], axis=-1).mean() / math.log(2)
        found = transformer.bits_per_char(model, torch.from_numpy(text))
        assert found == pytest.approx(bits, rel=1e-10)


def test_windows_are_pieces_of_the_text(transformer) -> None:
    ids = torch.arange(20)
    found = transformer.windows(ids, 300, 6, torch.Generator().manual_seed(0))
    assert found.shape == (300, 6)
    assert (found.diff(dim=1) == 1).all()
    assert set(found[:, 0].tolist()) == set(range(15))


def test_training_learns_a_text_that_takes_attention(transformer) -> None:
    """Words of the same letters in a fixed order: who knows the last letter alone can't go on."""
    text = "stone notes onset tones seton " * 40
    alphabet = "".join(sorted(set(text)))
    ids = transformer.encode(text, alphabet)
    assert transformer.decode(ids, alphabet) == text
    torch.manual_seed(0)
    model = transformer.MiniGPT(len(alphabet), 12, 24, 2, 1)
    assert transformer.bits_per_char(model, ids) > 2.5
    losses = transformer.train(model, ids, steps=150, batch=16, lr=0.01)
    assert not model.training
    assert len(losses) == 150
    pairs, letters = Counter(itertools.pairwise(text)), Counter(text[:-1])
    last_letter_alone = -sum(
        count / (len(text) - 1) * math.log2(count / letters[pair[0]])
        for pair, count in pairs.items()
    )
    assert last_letter_alone > 1.4
    assert transformer.bits_per_char(model, ids) < 0.7


def test_the_seed_decides_the_training(transformer, rng) -> None:
    ids = torch.from_numpy(rng.integers(0, V, size=100))
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(0)
        model = transformer.MiniGPT(V, CONTEXT, WIDTH, HEADS, 1)
        results.append(transformer.train(model, ids, steps=3, batch=4, seed=seed))
    assert results[0] == results[1] != results[2]


@pytest.mark.prove
def test_the_small_gpt_learns_shakespeare(transformer) -> None:
    """Better than counting three letters in a row, 2.87 bits. It takes about a minute."""
    text, held_out = transformer.load_text()
    alphabet = "".join(sorted(set(text + held_out)))
    torch.manual_seed(0)
    model = transformer.MiniGPT(len(alphabet), 32, 64, 4, 2)
    transformer.train(model, transformer.encode(text, alphabet), steps=2000)
    assert transformer.bits_per_char(model, transformer.encode(held_out, alphabet)) < 2.75


# bert_finetune.py


class SmallReader(torch.nn.Module):
    """Called as Hugging Face's BertModel is: embedding, attention, dropout, and an unused part."""

    def __init__(self, transformer: ModuleType, words: int, width: int) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=width)
        self.words = torch.nn.Embedding(words, width)
        self.attention = transformer.MultiHeadAttention(width, 2)
        self.dropout = torch.nn.Dropout(0.2)
        self.pooler = torch.nn.Linear(width, width)

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids)
        heads = self.attention(x, x, x, attention_mask[:, None] == 1)
        return SimpleNamespace(last_hidden_state=x + self.dropout(heads))


@pytest.fixture
def reader(transformer):
    torch.manual_seed(0)
    return SmallReader(transformer, 30, 8)


def some_texts(rng: np.random.Generator, count: int = 40) -> tuple:
    """Return pieces, where they are, and labels: whether a text's first half has piece 3."""
    ids = torch.from_numpy(rng.integers(4, 30, size=(count, 9)))
    lengths = torch.from_numpy(rng.integers(4, 10, size=count))
    mask = (torch.arange(9) < lengths[:, None]).long()
    labels = torch.from_numpy(rng.integers(0, 2, size=count))
    ids[labels == 1, 2] = 3
    return ids * mask, mask, labels


def test_padding_changes_no_logit(bert, reader, rng) -> None:
    model = bert.BertClassifier(reader, 3).eval()
    ids, mask, _ = some_texts(rng)
    logits = model(ids, mask)
    assert logits.shape == (40, 3)
    other = torch.where(mask == 1, ids, 7)
    more = [torch.cat([one, torch.full((40, 4), fill)], 1) for one, fill in ((other, 5), (mask, 0))]
    np.testing.assert_allclose(model(*more).detach(), logits.detach(), rtol=1e-4, atol=1e-6)
    for row, here, logit in zip(ids, mask, logits, strict=True):
        alone = row[None, : here.sum()]
        found = model(alone, torch.ones_like(alone))[0]
        np.testing.assert_allclose(found.detach(), logit.detach(), rtol=1e-4, atol=1e-6)
    assert torch.equal(bert.predict(model.train(), ids, mask), logits)
    assert model.training


@pytest.mark.parametrize("frozen", [True, False])
def test_fine_tuning_changes_what_is_free_alone(bert, reader, rng, frozen: bool) -> None:
    ids, mask, labels = some_texts(rng)
    model = bert.BertClassifier(reader, 2)
    if frozen:
        bert.freeze(model.bert)
    before = {name: one.clone() for name, one in model.state_dict().items()}
    kept = [one.clone() for one in (ids, mask, labels)]
    losses = bert.fine_tune(model, ids, mask, labels, epochs=3, lr=0.01, batch_size=16)
    assert len(losses) == 3
    assert not any(module.training for module in model.modules())
    same = {name for name, one in model.state_dict().items() if torch.equal(one, before[name])}
    unused = {"bert.pooler.weight", "bert.pooler.bias"}
    trunk = {name for name in before if name.startswith("bert.")}
    assert same == (trunk if frozen else unused)
    assert all(one.requires_grad is not frozen for one in model.bert.parameters())
    assert all(torch.equal(*pair) for pair in zip(kept, (ids, mask, labels), strict=True))


def test_fine_tuning_learns_and_the_seed_decides(bert, transformer, rng) -> None:
    ids, mask, labels = some_texts(rng, 120)
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(0)
        model = bert.BertClassifier(SmallReader(transformer, 30, 8), 2)
        losses = bert.fine_tune(model, ids, mask, labels, 12, 0.03, batch_size=16, seed=seed)
        results.append(losses)
    assert results[0] == results[1] != results[2]
    assert losses[-1] < losses[0] / 2
    assert bert.accuracy(bert.predict(model, ids, mask), labels) > 0.9


def test_naive_bayes_is_by_the_formula(bert) -> None:
    texts, labels = ["Good good film", "bad film", "a bad one"], torch.tensor([1, 0, 0])
    found = bert.naive_bayes(texts, labels, ["good", "bad film unseen", ""])
    # The words are a, bad, film, good, one; the counts, begun at 1, add to 10 and 8.
    expected = [
        [math.log(2 * 1 / 10), math.log(1 * 3 / 8)],
        [math.log(2 * 3 / 10 * 2 / 10), math.log(1 * 1 / 8 * 2 / 8)],
        [math.log(2), 0.0],
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.fixture
def hugging_face():
    reason = "Hugging Face's transformers is not installed: BERT itself is not tested"
    return pytest.importorskip("transformers", reason=reason)


@pytest.fixture
def tokenizer(hugging_face):
    """A tokenizer of word pieces in BERT's form, with a vocabulary of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "##s", "a", "very"]
    numbers = {word: number for number, word in enumerate(words)}
    inner = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    return hugging_face.PreTrainedTokenizerFast(
        tokenizer_object=inner, sep_token="[SEP]", **special
    )


def test_texts_are_padded_and_cut(bert, tokenizer) -> None:
    texts = ["good film", "a very very bad films"]
    ids, mask = bert.encode(tokenizer, texts, 20)
    assert ids.dtype == mask.dtype == torch.int64
    assert ids.tolist() == [[2, 4, 6, 3, 0, 0, 0, 0], [2, 8, 9, 9, 5, 6, 7, 3]]
    assert mask.sum(dim=1).tolist() == [4, 8]
    ids, mask = bert.encode(tokenizer, texts, 5)
    assert ids.tolist() == [[2, 4, 6, 3, 0], [2, 8, 9, 9, 3]]
    assert bert.encode(tokenizer, tuple(texts[:1]), 20)[0].shape == (1, 4)


def test_a_drawn_bert_is_fine_tuned(bert, hugging_face, rng) -> None:
    torch.manual_seed(0)
    config = hugging_face.BertConfig(
        vocab_size=30,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        attn_implementation="eager",
    )
    model = bert.BertClassifier(hugging_face.BertModel(config), 2)
    ids, mask, labels = some_texts(rng)
    logits = bert.predict(model, ids, mask)
    for more in itertools.accumulate([1, 2]):
        padded = [torch.nn.functional.pad(one, (0, more)) for one in (ids, mask)]
        np.testing.assert_allclose(bert.predict(model, *padded), logits, rtol=1e-4, atol=1e-6)
    weights = bert.attentions(model.bert.eval(), ids, mask)
    assert weights.shape == (2, 40, 2, 9, 9)
    np.testing.assert_allclose(weights.sum(dim=-1), 1.0, rtol=1e-5)
    bert.freeze(model.bert.encoder.layer[0])
    before = {name: one.clone() for name, one in model.state_dict().items()}
    bert.fine_tune(model, ids, mask, labels, epochs=2, lr=1e-3)
    changed = {name for name, one in model.state_dict().items() if (one != before[name]).any()}
    assert not any(name.startswith("bert.encoder.layer.0.") for name in changed)
    assert any(name.startswith("bert.encoder.layer.1.") for name in changed)
    assert any(name.startswith("head.") for name in changed)
