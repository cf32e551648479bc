"""Public tests of bert_finetune.py, with numbers that can be followed by hand."""

import numpy as np
import pytest

from autograder.suite import expect

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "##s", "a", "very"]
TEXTS = ["good film", "a very very bad films"]
D, HEADS, CLASSES = 4, 2, 3

IDS = np.array([[2, 4, 6, 3, 0, 0], [2, 8, 9, 5, 6, 3], [2, 5, 3, 0, 0, 0]])
MASK = (IDS != 0).astype(np.int64)


def weights():
    """Return the weights of a BERT of one layer: numbers from -1 to 1, by a formula."""
    shapes = {
        "embeddings.word_embeddings.weight": (len(PIECES), D),
        "embeddings.position_embeddings.weight": (9, D),
        "embeddings.token_type_embeddings.weight": (2, D),
    }
    for norm in ("embeddings", "encoder.layer.0.attention.output", "encoder.layer.0.output"):
        shapes |= {f"{norm}.LayerNorm.{kind}": (D,) for kind in ("weight", "bias")}
    for name, shape in (
        ("attention.self.query", (D, D)),
        ("attention.self.key", (D, D)),
        ("attention.self.value", (D, D)),
        ("attention.output.dense", (D, D)),
        ("intermediate.dense", (6, D)),
        ("output.dense", (D, 6)),
    ):
        shapes |= {
            f"encoder.layer.0.{name}.weight": shape,
            f"encoder.layer.0.{name}.bias": shape[:1],
        }
    return {
        name: np.cos(3.0 * np.arange(np.prod(shape)) + len(name)).reshape(shape).astype(np.float32)
        for name, shape in shapes.items()
    }


def classifier(student):
    """Return a classifier in evaluation mode; its BERT has the weights above, and dropout."""
    made = student.prepare("bert", HEADS, weights(), 0.3)
    model = student.bert_finetune.BertClassifier(made, CLASSES)
    student.drive("mode", model, False)
    return model


def answered(student, model, ids, mask):
    """Return a classifier's logits."""
    return expect.array("logits", student.drive("answers", model, ids, mask), (len(ids), CLASSES))


@pytest.mark.item("bert.classifier")
def test_encode(student):
    """Two texts become [CLS] ... [SEP]; the shorter one is padded to the longer one's length."""
    tokenizer = student.prepare("tokenizer", PIECES)
    ids, mask = student.bert_finetune.encode(tokenizer, TEXTS, 20)
    expect.equal("ids", ids, np.array([[2, 4, 6, 3, 0, 0, 0, 0], [2, 8, 9, 9, 5, 6, 7, 3]]))
    expect.equal("attention_mask", mask, np.array([[1] * 4 + [0] * 4, [1] * 8]))


@pytest.mark.item("bert.classifier")
def test_encode_cuts(student):
    """With max_length 5 the second text keeps three of its pieces, and [SEP]."""
    tokenizer = student.prepare("tokenizer", PIECES)
    ids, mask = student.bert_finetune.encode(tokenizer, TEXTS, 5)
    expect.equal("ids", ids, np.array([[2, 4, 6, 3, 0], [2, 8, 9, 9, 3]]))
    expect.equal("attention_mask", mask, np.array([[1, 1, 1, 1, 0], [1] * 5]))


@pytest.mark.item("bert.classifier")
def test_parts(student):
    """A BERT of 4 columns and 3 classes: the head is (3, 4), and BERT is as it was."""
    state = student.drive("state", classifier(student))
    for name, shape in (("head.weight", (3, 4)), ("head.bias", (3,))):
        there = getattr(state.get(name), "shape", None) == shape
        expect.that(name, there, f"it is not there, or not of shape {shape}.")
    for name, array in weights().items():
        there = isinstance(state.get(f"bert.{name}"), np.ndarray)
        expect.that(f"bert.{name}", there, "it is not among the parameters.")
        expect.close(f"bert.{name}", state[f"bert.{name}"], array)


@pytest.mark.item("bert.classifier")
def test_logits_of_a_head_of_zeros(student):
    """Where the head's weights are 0, each text has the head's bias for logits."""
    model, bias = classifier(student), np.array([0.5, -1.0, 2.0], np.float32)
    student.drive("fill", model, {"head.weight": np.zeros((3, 4), np.float32), "head.bias": bias})
    expect.close("logits", answered(student, model, IDS, MASK), np.tile(bias, (3, 1)))


@pytest.mark.item("bert.classifier")
def test_padding_and_modes(student):
    """More padding, or other pieces there, changes no logit; without dropout nothing does."""
    model = classifier(student)
    first = answered(student, model, IDS, MASK)
    junk = np.where(MASK == 1, IDS, 7)
    wide = [np.hstack([one, np.full((3, 2), fill)]) for one, fill in ((junk, 9), (MASK, 0))]
    near = {"rtol": 1e-3, "atol": 1e-5}
    # Which logits these are is another test's affair; here, that padding has no part in them.
    expect.repeated("logits", first, answered(student, model, IDS, MASK), **near)
    expect.repeated("logits with more padding", first, answered(student, model, *wide), **near)
    other = answered(student, model, np.where(IDS == 4, 5, IDS), MASK)
    expect.differ("logits", first, other, "they are the same for other texts.")


LABELS = np.array([0, 2, 1])


def reader(student):
    """Return a model that adds up numbers of pieces: piece k has k / 10, 0 and -k / 10."""
    W = np.arange(10)[:, None] * np.array([0.1, 0.0, -0.1])
    zeros = np.zeros(3, dtype=np.float32)
    return student.prepare("reader", W.astype(np.float32), zeros, zeros)


def tuned(student, model, epochs, lr, batch, seed=0):
    """Fine-tune a model on the three texts."""
    given = [student.prepare("tensor", array) for array in (IDS, MASK, LABELS)]
    return student.bert_finetune.fine_tune(model, *given, epochs, lr, batch, seed)


@pytest.mark.item("bert.fine_tune")
def test_losses(student):
    """Logits 1.5 0 -1.5, 3.3 0 -3.3 and 1 0 -1 of labels 0, 2 and 1: the loss is 2.762149."""
    losses = tuned(student, reader(student), 2, 1e-9, 3)
    expect.close("losses", np.array(losses), np.full(2, 2.762149), rtol=1e-4)


@pytest.mark.item("bert.fine_tune")
def test_batches_and_modes(student):
    """Three texts in batches of two: each once in an epoch, in training mode, with its mask."""
    model = reader(student)
    tuned(student, model, 2, 1e-9, 2)
    notes = student.drive("notes", model)
    expect.equal("texts in each batch", [len(one) for one in notes["ids"]], [2, 1, 2, 1])
    expect.equal("in training mode", notes["training"], [True] * 4)
    expect.equal("parts in training mode afterwards", student.drive("training_parts", model), 0)
    for first in (0, 2):
        rows = [one for k in (first, first + 1) for one in notes["masks"][k]]
        lengths = sorted(int(one.sum()) for one in rows)
        expect.equal("pieces read in an epoch", lengths, [3, 4, 6])


@pytest.mark.item("bert.fine_tune")
def test_frozen_parts_stay(student):
    """What is frozen stays as it is and frozen, and what is free learns the three texts."""
    model = reader(student)
    student.drive("froze", model, "still")
    losses = tuned(student, model, 80, 0.1, 2)
    expect.that("losses", losses[-1] < 0.3, f"the last one is {losses[-1]:.3g}.")
    expect.equal("frozen numbers", student.drive("state", model)["still"].tolist(), [0.0] * 3)
    expect.equal("parameters that can be trained", sorted(student.drive("free", model)), ["W", "b"])


@pytest.mark.item("bert.fine_tune")
def test_seeds(student):
    """The same seed gives the same losses."""
    first, again = (tuned(student, reader(student), 4, 0.1, 2, seed=3) for _ in range(2))
    # Which losses these are is the loop's own affair.
    expect.repeated("losses with the same seed", np.array(first), np.array(again))
