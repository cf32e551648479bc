"""Hidden tests of encode and BertClassifier: a real BERT whose weights are drawn here.

The logits are computed in NumPy; two ways to make one vector of a text are legal.
"""

import numpy as np
import pytest

from autograder.suite import expect

from .formula import SMALL, drawn_texts, drawn_weights, logits, pooled, shapes, wide

pytestmark = pytest.mark.item("bert.classifier")

NEAR = {"rtol": 1e-3, "atol": 1e-4}
CLASSES = 3
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNKNOWN, CLS, SEP = range(4)


# encode


def drawn_vocabulary(rng):
    """Return a vocabulary in a drawn order, and texts of known pieces by their numbers."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = {"".join(rng.permutation(list(letters))[:5]) for _ in range(16)}
    pieces = [*SPECIAL, *rng.permutation([*sorted(words), "##ly", "##ness", "!"])]
    return pieces, {piece: number for number, piece in enumerate(pieces)}


def drawn_sentence(rng, pieces, numbers, count):
    """Return a text of so many words, and its pieces' numbers without the special ones."""
    words = [piece for piece in pieces if piece.isalpha()]
    text, found = [], []
    for word in rng.choice(words, size=count):
        ending = str(rng.choice(["", "", "ly", "ness"]))
        sign = str(rng.choice(["", "", "!"]))
        text.append(f"{word}{ending}{sign}")
        found += [numbers[piece] for piece in (word, f"##{ending}", sign) if piece in numbers]
    return " ".join(text), found


def expected_of(rows, longest):
    """Return ids and mask of texts whose pieces are known."""
    rows = [[CLS, *row[: longest - 2], SEP] for row in rows]
    ids = np.full((len(rows), max(map(len, rows))), PAD, dtype=np.int64)
    mask = np.zeros_like(ids)
    for n, row in enumerate(rows):
        ids[n, : len(row)], mask[n, : len(row)] = row, 1
    return ids, mask


def encoded(student, pieces, texts, longest, shape):
    """Return what encode gives, each of this shape."""
    made = student.prepare("tokenizer", [str(piece) for piece in pieces])
    found = student.bert_finetune.encode(made, texts, longest)
    is_pair = isinstance(found, (tuple, list)) and len(found) == 2
    message = f"expected ids and attention_mask, got {expect.kind_of(found)}."
    expect.that("encode", is_pair, message)
    return [
        expect.array(name, one, shape)
        for name, one in zip(("ids", "attention_mask"), found, strict=True)
    ]


def check_encoded(student, rng, counts, longest):
    """Expect the right pieces for texts of so many words each."""
    pieces, numbers = drawn_vocabulary(rng)
    texts, rows = zip(*(drawn_sentence(rng, pieces, numbers, n) for n in counts), strict=True)
    ids, mask = expected_of(rows, longest)
    received = encoded(student, pieces, list(texts), longest, ids.shape)
    expect.equal("ids", received[0], ids)
    expect.equal("attention_mask", received[1], mask)


@pytest.mark.weight(2)
def test_pieces(student, rng):
    """Texts become numbers of pieces, [CLS] before and [SEP] behind them, padded on the right."""
    check_encoded(student, rng, (4, 2, 7, 1), 60)


@pytest.mark.parametrize("longest", [9, 6, 3])
def test_long_texts_are_cut(student, rng, longest):
    """No text is longer than max_length, special pieces included; the last one is [SEP]."""
    check_encoded(student, rng, (12, 15, 20), longest)


def test_only_as_long_as_needed(student, rng):
    """T is the length of the longest of these texts, or of max_length where one was cut."""
    check_encoded(student, rng, (3, 1), 40)
    check_encoded(student, rng, (2, 20, 1), 12)


def test_one_text(student, rng):
    """A single text is a batch of one."""
    check_encoded(student, rng, (5,), 30)


def test_types(student, rng):
    """Both are int64."""
    pieces, numbers = drawn_vocabulary(rng)
    text, row = drawn_sentence(rng, pieces, numbers, 5)
    ids, _ = expected_of([row], 30)
    received = encoded(student, pieces, [text], 30, ids.shape)
    expect.equal("ids", received[0], ids)
    for name, one in zip(("ids", "attention_mask"), received, strict=True):
        expect.dtype(name, one, "int64")


# BertClassifier


def classifier(student, rng, dropout=0.0, classes=CLASSES):
    """Return a classifier on a drawn BERT, its head drawn too, and all these numbers."""
    weights = drawn_weights(rng, SMALL)
    made = student.prepare("bert", SMALL["heads"], weights, dropout)
    model = student.bert_finetune.BertClassifier(made, classes)
    known(student, model, classes)
    head = [rng.normal(size=shape).astype(np.float32) for shape in ((classes, SMALL["D"]), classes)]
    student.drive("fill", model, {"head.weight": head[0], "head.bias": head[1]})
    student.drive("mode", model, False)
    return model, weights, head


def known(student, model, classes=CLASSES):
    """Return a classifier's parameters; fail where one lacks or has another shape."""
    held = student.drive("state", model)
    wanted = {f"bert.{name}": shape for name, shape in shapes(SMALL).items()}
    wanted |= {"head.weight": (classes, SMALL["D"]), "head.bias": (classes,)}
    found = {}
    for name, shape in wanted.items():
        there = isinstance(held, dict) and name in held
        expect.that("BertClassifier", there, f"there is no {name} among its parameters.")
        found[name] = expect.array(name, held[name], shape)
    return found


def answered(student, model, ids, mask, classes=CLASSES):
    """Return a classifier's logits."""
    received = student.drive("answers", model, ids, mask)
    return expect.array("logits", received, (len(ids), classes))


def close_to_either(received, expected):
    """Expect the logits of one of the two legal vectors; return which."""
    expect.any_of(
        *(lambda one=one: expect.close("logits", received, one, **NEAR) for one in expected)
    )
    return int(not np.allclose(received, expected[0], **NEAR))


def test_parts(student, rng):
    """BertClassifier keeps the BERT that it is given, and draws a head of the right shape."""
    weights = drawn_weights(rng, SMALL)
    heads = []
    for number in rng.integers(2**31, size=2):
        student.drive("seed", int(number))
        made = student.prepare("bert", SMALL["heads"], weights, 0.1)
        found = known(student, student.bert_finetune.BertClassifier(made, CLASSES))
        for name, array in weights.items():
            expect.close(name, found[f"bert.{name}"], array, rtol=0.0, atol=0.0)
        heads.append(found["head.weight"])
    expect.differ("head.weight", *heads, "it is the same in each new classifier.")


SIZES = [(5, 9, 3), (3, 6, 2), (1, 4, 5), (4, 12, 1)]


@pytest.mark.weight(3)
@pytest.mark.parametrize("size", SIZES, ids=[f"{n} x {t}, {c} classes" for n, t, c in SIZES])
def test_logits(student, rng, size):
    """The logits are those of BERT's weights and the head's."""
    n, t, classes = size
    model, weights, head = classifier(student, rng, classes=classes)
    ids, mask = drawn_texts(rng, n, t, SMALL["V"])
    received = answered(student, model, ids, mask, classes)
    close_to_either(received, logits(weights, head, ids, mask, SMALL["heads"]))


@pytest.mark.weight(3)
def test_padding(student, rng):
    """What stands where the mask is 0 changes no logit: more padding, or other pieces."""
    model, weights, head = classifier(student, rng)
    ids, mask = drawn_texts(rng, 5, 8, SMALL["V"])
    expected = logits(weights, head, ids, mask, SMALL["heads"])
    ways = []
    for fill in (np.zeros((5, 12), dtype=np.int64), rng.integers(1, SMALL["V"], size=(5, 12))):
        longer = np.zeros((5, 12), dtype=np.int64)
        longer[:, :8] = mask
        wider = fill.copy()
        wider[:, :8] = np.where(mask == 1, ids, fill[:, :8])
        ways.append(close_to_either(answered(student, model, wider, longer), expected))
    expect.that("logits", ways[0] == ways[1], "padding changes how a text becomes one vector.")


def test_each_text_alone(student, rng):
    """A text has the same logits in a batch as by itself."""
    model, weights, head = classifier(student, rng)
    ids, mask = drawn_texts(rng, 4, 9, SMALL["V"])
    expected = logits(weights, head, ids, mask, SMALL["heads"])
    for n, length in enumerate(mask.sum(axis=1)):
        alone = answered(student, model, ids[n : n + 1, :length], mask[n : n + 1, :length])
        close_to_either(alone, [one[n : n + 1] for one in expected])


@pytest.mark.weight(2)
def test_evaluation(student, rng):
    """In evaluation mode there is no dropout: the same question gets the same answer."""
    model, weights, head = classifier(student, rng, dropout=0.4)
    first, other = (drawn_texts(rng, 5, 7, SMALL["V"]) for _ in range(2))
    for ids, mask in (first, other, first):
        received = answered(student, model, ids, mask)
        close_to_either(received, logits(weights, head, ids, mask, SMALL["heads"]))


def slope(weights, head, direction, ids, mask, upstream):
    """Return how fast upstream * logits grows along a direction, for both poolings."""
    ends = []
    for sign in (1.0, -1.0):
        step = 1e-5 * sign
        moved = {name: array + step * direction[name] for name, array in wide(weights).items()}
        ends.append([(upstream * one).sum() for one in logits(moved, head, ids, mask, 3)])
    return [(up - down) / 2e-5 for up, down in zip(*ends, strict=True)]


@pytest.mark.weight(2)
def test_gradients(student, rng):
    """Gradients get to the head, and through all of BERT."""
    model, weights, head = classifier(student, rng)
    ids, mask = drawn_texts(rng, 4, 7, SMALL["V"])
    upstream = rng.normal(size=(4, CLASSES))
    received = student.drive("gradients", model, ids, mask, upstream.astype(np.float32))
    names = [f"bert.{name}" for name in weights] + ["head.weight", "head.bias"]
    for name in names:
        there = isinstance(received, dict) and received.get(name) is not None
        expect.that(name, there, "no gradient gets there.")
    vectors = pooled(wide(weights), ids, mask, SMALL["heads"])
    shape = CLASSES, SMALL["D"]
    of_head = expect.array("the gradient of head.weight", received["head.weight"], shape)
    expect.any_of(
        *(
            lambda one=one: expect.close(
                "the gradient of head.weight", of_head, upstream.T @ one, rtol=1e-3, atol=1e-3
            )
            for one in vectors
        )
    )
    direction = {name: rng.normal(size=array.shape) for name, array in weights.items()}
    grown = sum(
        float((expect.array(name, received[f"bert.{name}"], one.shape) * direction[name]).sum())
        for name, one in weights.items()
    )
    rates = slope(weights, head, direction, ids, mask, upstream)
    expect.any_of(
        *(
            lambda one=one: expect.close(
                "the slope by BERT's gradients",
                np.array(grown),
                np.array(one),
                rtol=1e-2,
                atol=1e-2,
            )
            for one in rates
        )
    )


def test_arguments(student, rng):
    """forward leaves ids and attention_mask as they are."""
    model, weights, head = classifier(student, rng)
    ids, mask = drawn_texts(rng, 4, 7, SMALL["V"])
    given = student.prepare("tensor", ids), student.prepare("tensor", mask)
    received = expect.array("logits", student.drive("said", model, *given), (4, CLASSES))
    close_to_either(received, logits(weights, head, ids, mask, SMALL["heads"]))
    expect.unchanged("ids", ids, student.fetch(given[0]))
    expect.unchanged("attention_mask", mask, student.fetch(given[1]))
