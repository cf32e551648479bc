"""Public tests of transformer.py, with numbers that can be followed by hand."""

import numpy as np
import pytest

from autograder.suite import expect

F32 = np.float32
EYE = np.eye(4, dtype=F32)
IDS = np.array([[2, 0, 1, 2]])


def array(*rows):
    """Return numbers as float32."""
    return np.array(rows[0] if len(rows) == 1 else rows, dtype=F32)


# LayerNorm


@pytest.mark.item("gpt.layer_norm")
def test_four_numbers(student):
    """1 2 3 6 has mean 3 and variance 3.5: -1.069 -0.535 0 1.604, and the same times 10."""
    made = student.transformer.LayerNorm(4)
    x = array([[1, 2, 3, 6], [10, 20, 30, 60]])
    received = student.drive("outputs", made, x)
    row = np.array([-2.0, -1.0, 0.0, 3.0]) / np.sqrt(3.5)
    expect.close("LayerNorm(x)", received, np.stack([row, row]), rtol=1e-4, atol=1e-5)


@pytest.mark.item("gpt.layer_norm")
def test_scaled_and_moved(student):
    """With weight 2 and bias 1 the same row is -1.138 -0.069 1 4.207; x stays as it is."""
    made = student.transformer.LayerNorm(4)
    student.drive("write", made, {"weight": array(2, 2, 2, 2), "bias": array(1, 1, 1, 1)})
    x = array([1, 2, 3, 6])
    given = student.prepare("tensor", x)
    received = student.drive("said", made, given)
    row = 1.0 + 2.0 * np.array([-2.0, -1.0, 0.0, 3.0]) / np.sqrt(3.5)
    expect.close("LayerNorm(x)", received, row, rtol=1e-4, atol=1e-5)
    expect.unchanged("x", x, student.fetch(given))


@pytest.mark.item("gpt.layer_norm")
def test_eps(student):
    """With eps 0.5 the row 0 1 has 0.25 + 0.5 under the root: -0.577 0.577."""
    made = student.transformer.LayerNorm(2, 0.5)
    received = student.drive("outputs", made, array([0, 1]))
    expect.close("LayerNorm(x)", received, np.array([-0.57735, 0.57735]), rtol=1e-4)


# MultiHeadAttention


def plain_heads(student, heads):
    """Return attention on four columns whose layers hand on what they get."""
    made = student.transformer.MultiHeadAttention(4, heads)
    layers = ("q_proj", "k_proj", "v_proj", "out_proj")
    student.drive("write", made, {f"{one}.weight": EYE for one in layers})
    student.drive("write", made, {f"{one}.bias": np.zeros(4, F32) for one in layers})
    return made


KEYS = array([[1, 0, 0, 0], [0, 0, 2, 0]])[None]
VALUES = array([[1, 2, 3, 4], [5, 6, 7, 8]])[None]
QUERY = array([[2, 0, 2, 0]])[None]


@pytest.mark.item("gpt.heads")
def test_two_heads(student):
    """Head 0 has the scores 1.414 and 0, head 1 has 0 and 2.828: shares 0.804 and 0.056."""
    made = plain_heads(student, 2)
    received = student.drive("outputs", made, QUERY, KEYS, VALUES)
    first, second = (1 / (1 + np.exp(one)) for one in (-np.sqrt(2.0), np.sqrt(8.0)))
    expected = np.array([5 - 4 * first, 6 - 4 * first, 7 - 4 * second, 8 - 4 * second])
    expect.close("attention", received, expected[None, None], rtol=1e-4)


@pytest.mark.item("gpt.heads")
def test_weights(student):
    """The weights of the two heads, of shape (1, 2, 1, 2); with a mask the first key has all."""
    made = plain_heads(student, 2)
    received = student.drive("outputs", made.weights, QUERY, KEYS)
    first, second = (1 / (1 + np.exp(one)) for one in (-np.sqrt(2.0), np.sqrt(8.0)))
    expected = np.array([[[[first, 1 - first]], [[second, 1 - second]]]])
    expect.close("weights", received, expected, rtol=1e-4)
    masked = student.drive("outputs", made.weights, QUERY, KEYS, np.array([[[True, False]]]))
    expect.close("weights", masked, np.array([[[[1.0, 0.0]], [[1.0, 0.0]]]]))


@pytest.mark.item("gpt.heads")
def test_nothing_allowed(student):
    """Where a query may attend to nothing, the bias of out_proj is left."""
    made = plain_heads(student, 2)
    student.drive("write", made, {"out_proj.bias": array(1, 2, 3, 4)})
    mask = np.array([[[True, False], [False, False]]])
    received = student.drive("outputs", made, QUERY.repeat(2, axis=1), KEYS, VALUES, mask)
    expected = np.array([[[2.0, 4.0, 6.0, 8.0], [1.0, 2.0, 3.0, 4.0]]])
    expect.close("attention", received, expected, rtol=1e-4)


@pytest.mark.item("gpt.heads")
def test_arguments_stay(student):
    """Queries, keys, values and the mask stay as they are; there are four layers."""
    made = plain_heads(student, 4)
    given = [QUERY, KEYS, VALUES, np.array([[[True, True]]])]
    held = [student.prepare("tensor", one) for one in given]
    expect.array("attention", student.drive("said", made, *held), (1, 1, 4))
    for name, one, two in zip(("query", "key", "value", "mask"), given, held, strict=True):
        expect.unchanged(name, one, student.fetch(two))


# TransformerBlock


def block_of_zeros(student):
    """Return a block whose attention and inner layers give nothing but zeros."""
    made = student.transformer.TransformerBlock(4, 2, 8)
    zeros = {"attention.out_proj.weight": (4, 4), "attention.out_proj.bias": (4,)}
    zeros |= {"up.weight": (8, 4), "up.bias": (8,), "down.weight": (4, 8), "down.bias": (4,)}
    student.drive("write", made, {name: np.zeros(shape, F32) for name, shape in zeros.items()})
    student.drive("mode", made, False)
    return made


X = array([[1, 2, 3, 6], [0, -1, 4, 1]])[None]


@pytest.mark.item("gpt.block")
def test_parts_that_give_nothing(student):
    """Where both parts give zeros, a block gives x; biases of 1 and 2 are added to it."""
    made = block_of_zeros(student)
    expect.close("block(x)", student.drive("outputs", made, X), X, rtol=1e-5)
    more = {"attention.out_proj.bias": array(1, 1, 1, 1), "down.bias": array(2, 2, 2, 2)}
    student.drive("write", made, more)
    expect.close("block(x)", student.drive("outputs", made, X), X + 3.0, rtol=1e-5)


@pytest.mark.item("gpt.block")
def test_gelu(student):
    """An inner bias of 1 becomes gelu(1) = 0.841, and down adds it once for each of eight."""
    made = block_of_zeros(student)
    student.drive("write", made, {"up.bias": np.ones(8, F32), "down.weight": np.ones((4, 8), F32)})
    received = student.drive("outputs", made, X)
    expect.close("block(x)", received, X + 8 * 0.84134, rtol=1e-3)


@pytest.mark.item("gpt.block")
def test_causal_block(student):
    """With a causal mask the first place knows nothing of the second."""
    made = student.transformer.TransformerBlock(4, 2, 8)
    student.drive("mode", made, False)
    mask, found = np.tri(2, dtype=bool), []
    for last in (X[0, 1], -3 * X[0, 1]):
        x = X.copy()
        x[0, 1] = last
        found.append(expect.array("block(x)", student.drive("outputs", made, x, mask), (1, 2, 4)))
    # What a new block gives is drawn; here, that the second place has no part in the first.
    expect.repeated("the first place", found[0][:, 0], found[1][:, 0], rtol=1e-5, atol=1e-6)
    expect.differ("the second place", found[0][:, 1], found[1][:, 1], "it is the same.")


# MiniGPT


def network(student):
    """Return a network of three characters, five places, four columns, two heads, two blocks."""
    made = student.transformer.MiniGPT(3, 5, 4, 2, 2)
    student.drive("mode", made, False)
    return made


@pytest.mark.item("gpt.mini_gpt")
def test_shapes(student):
    """Four characters give four rows of three logits; one gives one."""
    made = network(student)
    expect.array("logits", student.drive("outputs", made, IDS), (1, 4, 3))
    expect.array("logits", student.drive("outputs", made, IDS[:, :1]), (1, 1, 3))
    expect.equal("context", made.context, 5)


@pytest.mark.item("gpt.mini_gpt")
def test_head(student):
    """Where the head's weights are 0, its bias 1 2 3 is left at each place."""
    made = network(student)
    head = {"head.weight": np.zeros((3, 4), F32), "head.bias": array(1, 2, 3)}
    student.drive("write", made, head)
    received = student.drive("outputs", made, IDS)
    expect.close("logits", received, np.broadcast_to([1.0, 2.0, 3.0], (1, 4, 3)))


@pytest.mark.item("gpt.mini_gpt")
def test_the_future(student):
    """Another last character changes the last logits alone; the same ids give the same again."""
    made = network(student)
    other = np.array([[2, 0, 1, 0]])
    found = [
        expect.array("logits", student.drive("outputs", made, ids), (1, 4, 3))
        for ids in (IDS, IDS, other)
    ]
    # What it says is drawn; here, that it says it again, and that the future has no part in it.
    expect.repeated("logits of the same ids", found[0], found[1], rtol=1e-5, atol=1e-6)
    expect.repeated("logits before", found[0][:, :3], found[2][:, :3], rtol=1e-5, atol=1e-6)
    expect.differ("the last logits", found[0][:, 3], found[2][:, 3], "they are the same.")


@pytest.mark.item("gpt.mini_gpt")
def test_a_new_network(student):
    """A new network of 65 characters has a loss of 4.17 = ln 65, give or take 0.1."""
    made = student.transformer.MiniGPT(65, 8, 64, 4, 2)
    ids = np.arange(65 * 8).reshape(65, 8) % 65
    logits = expect.array("logits", student.drive("outputs", made, ids), (65, 8, 65)).astype(float)
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    loss = -np.take_along_axis(logs, (ids[..., None] * 7 + 3) % 65, axis=-1).mean()
    expect.that("loss", abs(loss - np.log(65)) < 0.1, f"it is {loss:.2f}.")


# next_character and generate


def chosen(student, logits, temperature):
    """Return what next_character chooses."""
    given = student.prepare("tensor", logits), student.prepare("generator", 3)
    return student.transformer.next_character(given[0], temperature, given[1])


@pytest.mark.item("gpt.generate")
def test_the_likeliest(student):
    """At temperature 0 the largest of 1 3 2 and the first of 0 4 4 are number 1."""
    logits = array([1, 3, 2], [0, 4, 4])
    expect.equal("characters", chosen(student, logits, 0.0), np.array([1, 1]))
    expect.equal("characters", chosen(student, 1000 * logits[:1], 0.5), np.array([1]))


@pytest.mark.item("gpt.generate")
def test_shares(student):
    """Of logits 0 and ln 3 the second comes three times of four; at temperature 0.5 nine of ten."""
    logits = np.tile(array(0, np.log(3.0)), (2000, 1))
    for temperature, wanted in ((1.0, 0.75), (0.5, 0.9)):
        found = expect.array("characters", chosen(student, logits, temperature), (2000,))
        share = float(np.mean(found == 1))
        expect.that("characters", abs(share - wanted) < 0.05, f"its share is {share:.2f}.")


def next_one(student):
    """Return a model that finds the next number likeliest, counted from the one two places back."""
    table = np.zeros((2, 4, 4), F32)
    for number in range(4):
        table[1, number, (number + 1) % 4] = 5.0
        table[0, number, number] = 1.0
    return student.prepare("speaker", table)


@pytest.mark.item("gpt.generate")
def test_written_on(student):
    """After 0 2 come 1 3 2 0 3 1: each is one more than the one two places before."""
    model = next_one(student)
    student.drive("mode", model, True)
    start = np.array([[0, 2]])
    given = student.prepare("tensor", start), student.prepare("generator", 3)
    text = student.transformer.generate(model, given[0], 6, 0.0, given[1])
    expect.equal("text", text, np.array([[1, 3, 2, 0, 3, 1]]))
    expect.unchanged("ids", start, student.fetch(given[0]))
    noted = student.drive("noted", model)
    quiet = all(one == [False, False] for one in noted)
    expect.that("the network", quiet, "it is in training mode, or keeps gradients.")
    expect.equal("in training mode afterwards", student.drive("in_training", model), True)


# train


TEXT = np.arange(60) % 5


def trained(student, model, steps, lr):
    """Train a model on 0 1 2 3 4 0 1 2 ..., in batches of four pieces."""
    given = student.prepare("tensor", TEXT)
    losses = student.drive("trained", student.transformer.train, model, given, steps, 4, lr, 0)
    expect.unchanged("ids", TEXT, student.fetch(given))
    return np.array(losses, dtype=float)


@pytest.mark.item("gpt.trained")
def test_losses(student):
    """A model that finds all five characters alike has the loss ln 5 = 1.609."""
    model = student.prepare("pairs", np.zeros((5, 5), F32), 6)
    losses = trained(student, model, 3, 1e-9)
    expect.close("losses", losses, np.full(3, np.log(5.0)), rtol=1e-4)


@pytest.mark.item("gpt.trained")
def test_pieces(student):
    """Each step reads four pieces of six characters; the gradient of the logits is the mean's."""
    model = student.prepare("pairs", np.zeros((5, 5), F32), 6)
    trained(student, model, 2, 1e-9)
    noted = student.drive("noted", model)
    expect.equal("steps", len(noted), 2)
    for ids, training, gradient in noted:
        ids = expect.array("a batch", ids, (4, 6))
        follow = bool((ids[:, 1:] == (ids[:, :-1] + 1) % 5).all())
        expect.that("a batch", follow, "these are no pieces of the text.")
        expect.that("the network", training is True, "it is in evaluation mode.")
        expected = (0.2 - np.eye(5)[(ids + 1) % 5]) / 24
        expect.close("the gradient of the logits", gradient, expected, rtol=1e-3)


@pytest.mark.item("gpt.trained")
def test_it_learns(student):
    """After 60 steps of rate 0.2 the loss is below 0.5; the network is in evaluation mode."""
    model = student.prepare("pairs", np.zeros((5, 5), F32), 6)
    losses = trained(student, model, 60, 0.2)
    expect.that("losses", losses[-1] < 0.5, f"the last one is {losses[-1]:.3g}.")
    expect.equal("in training mode afterwards", student.drive("in_training", model), False)
