"""The small GPT's reference: against NumPy and PyTorch, and what it promises."""

from __future__ import annotations

import importlib.util
import itertools
import math
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).resolve().parents[2] / "solutions" / "week6_attention" / "gpt"
N, TQ, TK = 2, 4, 5
"""Batch, queries and keys: all differ, so none stands for another."""
V, CONTEXT, WIDTH, HEADS = 11, 7, 12, 3
"""Characters, places, columns and heads of the small networks."""


@pytest.fixture(scope="module")
def transformer() -> ModuleType:
    """The reference, imported as a student's module is: by its name."""
    with pytest.MonkeyPatch.context() as patch:
        spec = importlib.util.spec_from_file_location("transformer", FOLDER / "transformer.py")
        found = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, "transformer", found)
        spec.loader.exec_module(found)
        yield found


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(6)


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


def plain_attention(q: np.ndarray, k: np.ndarray, v: np.ndarray, mask=None) -> np.ndarray:
    """Return the attention of one head; zeros where nothing is allowed."""
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(q.shape[-1])
    allowed = np.broadcast_to(True if mask is None else mask, scores.shape)
    powers = np.where(allowed, np.exp(scores), 0.0)
    return powers / np.maximum(powers.sum(axis=-1, keepdims=True), 1e-300) @ v


@pytest.fixture
def attention() -> SimpleNamespace:
    """What the first part of the week has, as far as it is needed here."""
    return SimpleNamespace(scaled_dot_product_attention=plain_attention)


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
