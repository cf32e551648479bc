"""Public tests of sentiment.py, with numbers that can be followed by hand."""

import numpy as np
import pytest

from autograder.suite import expect

IDS = np.array([[3, 1, 2, 1], [2, 4, 0, 0], [1, 0, 0, 0]])
LENGTHS = np.array([4, 2, 1])
STATES = np.arange(24.0).reshape(3, 4, 2)
LABELS = np.array([1.0, 0.0, 0.0], dtype=np.float32)
JUNK = np.array([[3, 1, 2, 1], [2, 4, 3, 3], [1, 4, 2, 2]])
"""The same reviews as IDS, with other numbers behind them."""


def sizes_of(student):
    """Return a classifier of 5 words, 3 features and 2 states, and its weights' shapes."""
    made = student.sentiment.LSTMClassifier(5, 3, 2)
    return made, {name: array.shape for name, array in student.drive("state", made).items()}


@pytest.mark.item("sentiment.classifier")
def test_last_valid(student):
    """States 0 to 23, three reviews of 4, 2 and 1 words: rows 6 7, 10 11 and 16 17."""
    given = student.prepare("tensor", STATES), student.prepare("tensor", LENGTHS)
    received = student.sentiment.last_valid(*given)
    expected = np.array([[6.0, 7.0], [10.0, 11.0], [16.0, 17.0]])
    expect.close("last_valid(states, lengths)", received, expected)


@pytest.mark.item("sentiment.classifier")
def test_parts(student):
    """A classifier of 5 words, 3 features and 2 states has the parts that it promises."""
    _, shapes = sizes_of(student)
    for name, shape in (
        ("embedding.weight", (5, 3)),
        ("lstm.weight_ih_l0", (8, 3)),
        ("lstm.weight_hh_l0", (8, 2)),
        ("head.weight", (1, 2)),
        ("head.bias", (1,)),
    ):
        expect.that(name, shapes.get(name) == shape, f"its shape is {shapes.get(name)}.")


@pytest.mark.item("sentiment.classifier")
def test_one_logit_each(student):
    """Three reviews give three logits; where the head's weights are 0, each is its bias."""
    made, _ = sizes_of(student)
    head = {"head.weight": np.zeros((1, 2), np.float32), "head.bias": np.array([2.5], np.float32)}
    student.drive("fill", made, head)
    logits = student.drive("answers", made, IDS, LENGTHS)
    expect.close("logits", logits, np.full(3, 2.5))


@pytest.mark.item("sentiment.classifier")
def test_padding(student):
    """Words behind the end of a review change no logit, and words before it do."""
    made, _ = sizes_of(student)
    logits = expect.array("logits", student.drive("answers", made, IDS, LENGTHS), (3,))
    again = student.drive("answers", made, JUNK, LENGTHS)
    # Which logits these are is the network's own affair; here, that padding has no part in them.
    expect.repeated("logits with other words behind", logits, again, rtol=1e-4, atol=1e-6)
    other = expect.array("logits", student.drive("answers", made, 5 - IDS - 1, LENGTHS), (3,))
    expect.differ("logits", logits, other, "they are the same for other reviews.")


@pytest.mark.item("sentiment.classifier")
def test_one_review(student):
    """A review has the same logit alone as beside others, and other reviews have other logits."""
    made, _ = sizes_of(student)
    logits = expect.array("logits", student.drive("answers", made, IDS, LENGTHS), (3,))
    alone = [
        expect.array("logit of a review alone", student.drive("answers", made, *one), (1,))
        for one in ((IDS[n : n + 1], LENGTHS[n : n + 1]) for n in range(3))
    ]
    # Which logits these are depends on drawn weights; here, that no review has part in another's.
    expect.repeated("logits", logits, np.concatenate(alone), rtol=1e-4, atol=1e-6)
    expect.differ("logits", logits[:1], logits[1:2], "two reviews have the same.")


@pytest.mark.item("sentiment.classifier")
def test_every_part_gets_a_gradient(student):
    """The logits depend on the embedding, the LSTM and the head, and so does their gradient."""
    made, _ = sizes_of(student)
    found = student.drive("gradients", made, IDS, LENGTHS, np.array([1.0, 2.0, -4.0], np.float32))
    for name, shape in (
        ("embedding.weight", (5, 3)),
        ("lstm.weight_hh_l0", (8, 2)),
        ("head.weight", (1, 2)),
    ):
        received = expect.array(f"gradient of {name}", found.get(name), shape)
        expect.differ(f"gradient of {name}", received, 0, "it is 0 everywhere.")


@pytest.mark.item("sentiment.bag_of_words")
def test_counts(student):
    """The words 3 1 2 1 are counted 0 2 1 1 0, and what stands behind a review is no word of it."""
    expected = np.array([[0, 2, 1, 1, 0], [0, 0, 1, 0, 1], [0, 1, 0, 0, 0]])
    for ids in (IDS, JUNK):
        given = student.prepare("tensor", ids), student.prepare("tensor", LENGTHS)
        received = student.sentiment.bag_of_words(*given, 5)
        expect.close("bag_of_words(ids, lengths, 5)", received, expected)


def model(student):
    """Return a model that adds 0.5, -1, 1 and 2 for the words 1 to 4."""
    W = np.array([0.0, 0.5, -1.0, 1.0, 2.0], dtype=np.float32)
    return student.prepare("reader", W, np.zeros(2, dtype=np.float32))


def trained(student, made, epochs, batch, lr):
    """Train a model on the three reviews."""
    given = [student.prepare("tensor", array) for array in (IDS, LENGTHS, LABELS)]
    return student.sentiment.train(made, *given, epochs, batch, lr, 0)


@pytest.mark.item("sentiment.trained")
@pytest.mark.parametrize("batch", [3, 1])
def test_losses(student, batch):
    """Logits 1, 1 and 0.5 of labels 1, 0 and 0: the mean loss is 0.866867, in batches of 1 too."""
    losses = trained(student, model(student), 2, batch, 1e-9)
    expect.close("losses", np.array(losses), np.full(2, 0.866867), rtol=1e-4)


@pytest.mark.item("sentiment.trained")
def test_batches(student):
    """Three reviews in batches of two: two steps in each epoch, and each review once."""
    made = model(student)
    trained(student, made, 2, 2, 1e-9)
    lengths = student.drive("notes", made)["lengths"]
    expect.equal("reviews in each batch", [len(one) for one in lengths], [2, 1, 2, 1])
    both = [sorted([*lengths[k], *lengths[k + 1]]) for k in (0, 2)]
    expect.equal(
        "lengths read in each epoch", [[int(n) for n in one] for one in both], [[1, 2, 4]] * 2
    )


@pytest.mark.item("sentiment.trained")
def test_orders(student):
    """Ten epochs have different orders, and the same seed gives the same ones again."""
    runs = []
    for _ in range(2):
        made = model(student)
        trained(student, made, 10, 1, 1e-9)
        read = [int(n) for one in student.drive("notes", made)["lengths"] for n in one]
        runs.append(expect.array("lengths read", np.array(read), (30,)))
    orders = runs[0].reshape(10, 3)
    expect.that("orders", bool(np.any(orders != orders[0])), "they are the same in each epoch.")
    # Which orders a seed gives is the student's affair; that they are orders is asked above.
    expect.repeated("lengths read, with the same seed", runs[0], runs[1])


@pytest.mark.item("sentiment.trained")
def test_it_learns(student):
    """After 60 epochs the three reviews are told apart; the model is in evaluation mode."""
    made = model(student)
    losses = trained(student, made, 60, 2, 0.1)
    expect.that("losses", losses[-1] < 0.3, f"the last one is {losses[-1]:.3g}.")
    after = student.drive("notes", made)
    expect.equal("in training mode afterwards", after["afterwards"], [False])
    modes = all(one is True for one in after["training"])
    expect.that("model", modes, "it trains in evaluation mode.")


@pytest.mark.item("sentiment.trained")
def test_gradients(student):
    """With one batch in each epoch and hardly any step, the gradient stays the same."""
    made = model(student)
    trained(student, made, 3, 3, 1e-9)
    errors = np.array([1 / (1 + np.exp(-1)) - 1, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(-0.5))]) / 3
    expected = np.array([errors.sum(), (errors * LENGTHS).sum()])
    for one in student.drive("notes", made)["of_b"]:
        expect.close("the gradient of a bias", one, expected, rtol=1e-3)
