"""Source of the analyses of week 5: gradients through time, gates at work, text and temperature."""

# %% [markdown]
# # Week 5: what is remembered, and what is written
#
# A recurrent network is one small layer, used again and again. This notebook looks at what that does
# to gradients, at an LSTM while it remembers, and at text:
#
# 1. **Gradients through time.** How the size of one matrix decides whether they vanish or explode.
# 2. **Gates at work.** A network that has to remember one symbol, before and after it can.
# 3. **Text.** Counting against reading, and what the temperature does.
#
# Nothing here is graded. Each section ends with *Your turn*: questions to answer by changing a cell
# and running it again.

# %% [markdown]
# ## Set-up
#
# The next cell finds your modules. In the students' tree they are those in `assignments/week5_rnn/`;
# where the course's solutions are present, those are used instead (the environment variable
# `COURSE_MODULES=assignments` or `solutions` decides otherwise). If a gap that this notebook needs is
# not filled in yet, the cell stops and says which one.
#
# It also limits NumPy to one thread: the networks here are small, and threads that wait for each
# other cost more than they bring.

# %%
import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, so it has to stand before that

from workbench import BLUE, COLOURS, GREEN, QUICK, prepare

root = prepare(
    week=5,
    needs={
        "rnn.py": ("week5.rnn", "week5.rnn_backward", "week5.lstm", "week5.lstm_backward"),
        "language.py": (
            "week5.embedding",
            "week5.batches",
            "week5.loss",
            "week5.clipping",
            "week5.sampling",
            "week5.char_lstm",
        ),
    },
)

# %%
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from compare_memory import SYMBOLS, Recall, first_symbols
from language import CharLSTM, alphabet_of, decode, encode, train
from rnn import LSTM, RNN, gradient_by_step, sigmoid

import data

# %% [markdown]
# ## 1. Gradients through time
#
# ### The question
#
# On its way from the last state to the first input a gradient is multiplied by one matrix for each
# step. We take an RNN whose $W_h$ is a rotation, times a number $s$: a matrix that makes every row
# $s$ times as long and does nothing else. How much of the gradient of $x_T$ is left at $x_t$?
#
# Two kinds of inputs: none at all, so that all states are 0 and tanh has the slope 1 everywhere; and
# normal ones, which drive it into its bends.

# %%
STEPS, HIDDEN, INPUTS = 60, 32, 4
rng = np.random.default_rng(0)
rotation = np.linalg.qr(rng.normal(size=(HIDDEN, HIDDEN)))[0]
upstream = rng.normal(size=(8, HIDDEN))
inputs = rng.normal(size=(STEPS, 8, INPUTS))
SCALES = (0.8, 1.0, 1.2, 2.0)


def remaining(scale, x):
    """Return how much of the last step's gradient reaches each input."""
    layer = RNN(INPUTS, HIDDEN, rng=np.random.default_rng(1))
    layer.Wh = scale * rotation
    return np.array(gradient_by_step(layer, x, upstream))


kept = {(s, quiet): remaining(s, inputs * (not quiet)) for s in SCALES for quiet in (True, False)}
figure, pair = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
for axes, quiet in zip(pair, (True, False), strict=True):
    for scale, colour in zip(SCALES, COLOURS, strict=False):
        axes.semilogy(
            np.arange(STEPS)[::-1], kept[scale, quiet], color=colour, label=f"s = {scale}"
        )
    axes.set(title="no inputs" if quiet else "normal inputs", xlabel="steps back from the last one")
pair[0].set(ylabel=r"$|dL/dx_t|\ /\ |dL/dx_T|$", ylim=(1e-20, 1e20))
pair[0].legend()
plt.show()

# %% [markdown]
# **What to see.** Without inputs the lines are straight: a factor $s$ for each step, so that 60 steps
# multiply 0.8 and 1.2 into a millionth and 50,000. With inputs, tanh takes its share: it bends, its
# slopes are below 1, and what neither vanished nor exploded vanishes now. $s = 1$ is not the border any
# more, and there is no $s$ that is right for all inputs.
#
# ### An LSTM by its forget gate
#
# The cell of an LSTM has no matrix on its way, only the forget gate. Here is the same for LSTMs whose
# forget gate begins at a bias, beside the gate's own value to the power of the number of steps.

# %%
BIASES = (0.0, 1.0, 2.0, 3.0, 5.0)
by_bias = {}
figure, axes = plt.subplots(figsize=(8, 4))
for bias, colour in zip(BIASES, COLOURS, strict=True):
    layer = LSTM(INPUTS, HIDDEN, bias, rng=np.random.default_rng(1))
    by_bias[bias] = np.array(gradient_by_step(layer, inputs, upstream))
    back = np.arange(STEPS)[::-1]
    gate = sigmoid(np.array(bias))
    axes.semilogy(back, by_bias[bias], color=colour, label=f"bias {bias:g}: gate {gate:.2f}")
    axes.semilogy(back, gate**back, color=colour, linestyle=":", linewidth=1)
axes.set(
    xlabel="steps back from the last one", ylabel=r"$|dL/dx_t|\ /\ |dL/dx_T|$", ylim=(1e-20, 10)
)
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
plt.show()

# %% [markdown]
# **What to see.** The dotted lines are the gate alone, as it would be without inputs. The gradient keeps more:
# inputs open the gate now and then, and there is a second way, through the states. But the order is that of
# the biases: at 0 it forgets as fast as an RNN, at 3 most of the gradient is there after 60 steps.
#
# ### Your turn
#
# - Find the $s$ for which the curve with inputs is as flat as possible. Does it stay flat if the inputs
#   are twice as large?
# - Which forget bias would you need to keep a tenth of the gradient over 500 steps?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 2. Gates at work
#
# ### The question
#
# `compare_memory.py recall` trains a layer to name the first of 30 symbols at the end, where all that
# comes between is noise. We train an LSTM with forget bias 3, and look at one sequence: what do the
# gates do, before training and after?

# %%
LENGTH, UNITS = 30, 32


def gates_of(layer, x):
    """Return gates i, f, o, candidate and cells over the time, each (T, N, H), step by step."""
    h = c = np.zeros((x.shape[1], UNITS))
    found = []
    for step in x:
        z = step @ layer.Wx + h @ layer.Wh + layer.b
        blocks = np.split(z, 4, axis=1)
        h = layer.forward(step[None], h, c)[0]
        c = layer.c_last
        found.append([*(sigmoid(block) for block in blocks[:3]), np.tanh(blocks[3]), c])
    return np.array(found).swapaxes(0, 1)


network = Recall(LSTM(SYMBOLS + 2, UNITS, 3.0, rng=np.random.default_rng(0)))
x, symbols = first_symbols(np.random.default_rng(7), 200, LENGTH)
before, rng = gates_of(network.layer, x), np.random.default_rng(0)
right = []
for step in range(401):
    if step % 25 == 0:
        right.append(float((network.logits(x).argmax(axis=1) == symbols).mean()))
    network.train_step(*first_symbols(rng, 32, LENGTH), lr=0.1)
after = gates_of(network.layer, x)

figure, axes = plt.subplots(figsize=(7, 3.2))
axes.plot(np.arange(len(right)) * 25, np.array(right) * 100, color=BLUE, marker=".")
axes.axhline(100 / SYMBOLS, color="0.6", linestyle=":")
axes.set(xlabel="steps of training", ylabel="first symbol named, in %", ylim=(0, 104))
plt.show()


# %%
def apart(cells):
    """Return how far apart the cells of the four symbols are, at each step, for each unit.

    The share of a unit's variance that lies between the symbols: 1 is all of it, 0 none.
    """
    between = np.zeros(cells.shape[::2])
    for symbol in range(SYMBOLS):
        chosen = cells[:, symbols == symbol]
        weight = chosen.shape[1] / cells.shape[1]
        between += weight * (chosen.mean(axis=1) - cells.mean(axis=1)) ** 2
    return between / cells.var(axis=1)


known = {"before training": apart(before[4]), "after training": apart(after[4])}
figure, pair = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
for axes, (title, shares) in zip(pair, known.items(), strict=True):
    order = np.argsort(-known["after training"][-1])
    image = axes.imshow(shares.T[order], aspect="auto", vmin=0, vmax=1, cmap="viridis")
    axes.set(title=title, xlabel="step")
    axes.grid(visible=False)
pair[0].set(ylabel="unit")
figure.colorbar(image, ax=pair, label="share of its variance that the symbol explains")
plt.show()

# %% [markdown]
# **What to see.** Before training, what a cell knows of the first symbol drowns in what the noise writes
# over it. After training nearly all units know it, to the end. How do they do it? Here is one of them, by
# symbol: its cell, and what is written into it at each step, the product of input gate and candidate.

# %%
best = int(np.argmax(after[4, -1].std(axis=0)))
pushed = {"before training": before[0] * before[3], "after training": after[0] * after[3]}
cells = {"before training": before[4], "after training": after[4]}
figure, grid = plt.subplots(2, 2, figsize=(11, 6), sharex=True, sharey="row")
for (title, values), pair in zip(pushed.items(), grid.T, strict=True):
    for axes, shown in zip(pair, (cells[title], values), strict=True):
        for symbol, colour in zip(range(SYMBOLS), COLOURS, strict=False):
            chosen = shown[:, symbols == symbol, best]
            low, middle, high = np.percentile(chosen, (10, 50, 90), axis=1)
            axes.plot(middle, color=colour, label=f"symbol {symbol}")
            axes.fill_between(range(LENGTH), low, high, color=colour, alpha=0.15)
    pair[0].set(title=f"{title}, unit {best}")
    pair[1].set(xlabel="step")
grid[0, 0].set(ylabel="cell")
grid[1, 0].set(ylabel="written, $i \\odot g$")
grid[0, 1].legend(fontsize="small")
plt.show()

forget = {
    title: float(gates[1, 1:].mean()) for title, gates in (("before", before), ("after", after))
}
into = {
    title: float(gates[0, 1:].mean()) for title, gates in (("before", before), ("after", after))
}
print(f"forget gates, mean over noise: {forget['before']:.2f} before, {forget['after']:.2f} after")
print(f"input gates, mean over noise: {into['before']:.2f} before, {into['after']:.2f} after")

# %% [markdown]
# **What to see.** The books' answer would be: the forget gates open wide, and the input gates shut while the
# noise passes. This network has found another one. Its forget gates are no more open than at the beginning,
# its input gates are half open. But what is written has the sign of what is there already: the state tells
# the gates on which side the cell is, and each step pushes it further to this side. It is a *latch*, and the
# noise can't turn it over. Forget bias 3 was needed to find it: the gradient had to reach the first step.
#
# ### Your turn
#
# - Begin with forget bias 1 and train for longer. Does it ever start to learn? Then take sequences of
#   length 8 first, and longer ones little by little.
# - Freeze the forget gate at 1 (set its bias to 50 and don't let the optimizer move it). Does the network
#   still learn? What could it not do any more?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 3. Text
#
# ### Counting against reading
#
# The oldest language model counts. For each context of $k$ characters, how often did each character follow?
# Where a context was rare, the shorter one says more, so the model of order $k$ mixes its counts with what
# the model of order $k - 1$ says:
#
# $$ p_k(x \mid \text{context}) = \frac{n(\text{context}\ x) + 10\, p_{k-1}(x)}{n(\text{context}) + 10} . $$
#
# The text is Shakespeare's, or, where that is not there, that of the course's own handouts.


# %%
def some_text():
    """Return a text, and what it is."""
    try:
        return data.load("shakespeare"), "Shakespeare"
    except data.DataError:
        handouts = sorted(root.glob("assignments/**/README.md"))
        return "".join(path.read_text("utf-8") for path in handouts), "the course's handouts"


text, title = some_text()
text = text[: 150_000 if QUICK else 600_000]
alphabet = alphabet_of(text)
ids = encode(text, alphabet)
end = int(0.9 * len(ids))
print(f"{title}: {len(text):,} characters, {len(alphabet)} different ones")


def counted_bits(order):
    """Return the bits per character of counting so many in a row, on the end of the text."""
    train_text, test_text = text[:end], text[end:][: 4_000 if QUICK else 10_000]
    p = np.full(len(test_text), 1 / len(alphabet))
    for k in range(order):
        long = Counter(train_text[n : n + k + 1] for n in range(len(train_text) - k))
        short = Counter(train_text[n : n + k] for n in range(len(train_text) - k))
        for n in range(k, len(test_text)):
            context = test_text[n - k : n]
            p[n] = (long[context + test_text[n]] + 10 * p[n]) / (short[context] + 10)
    return float(-np.log2(p[order:]).mean())


counted = [counted_bits(order) for order in range(8)]
for order, bits in enumerate(counted):
    print(f"{order} in a row: {bits:.2f} bits per character")

# %%
model = CharLSTM(len(alphabet), 24, 48 if QUICK else 128, rng=np.random.default_rng(0))
test_ids = ids[end:][: 4_000 if QUICK else 10_000]
read = [model.bits_per_char(test_ids)]
TRAINED, EVERY = (200, 50) if QUICK else (1200, 200)
for done, _ in enumerate(train(model, ids[:end], steps=TRAINED), 1):
    if done % EVERY == 0:
        read.append(model.bits_per_char(test_ids))

figure, axes = plt.subplots(figsize=(8, 4))
axes.plot(np.arange(len(read)) * EVERY, read, color=BLUE, marker=".", label="your LSTM")
for order in range(1, 6):
    axes.axhline(counted[order], color="0.6", linestyle=":", linewidth=1)
    axes.text(0, counted[order] + 0.03, f"{order} in a row, counted", color="0.4", fontsize="small")
axes.set(xlabel="steps of training", ylabel="bits per character, text never read", ylim=(1.5, None))
axes.legend()
plt.show()

# %% [markdown]
# **What to see.** Counting gets better with each character more, until contexts become so rare that nothing
# is gained. The network passes one table after the other. Small as it is, it doesn't pass the best: bits
# prove that it *learns*, and not that it uses what lies far back.
#
# ### The temperature
#
# The logits divided by $T$, before softmax. We write 1,500 characters at each temperature (the first 300 are
# shown below), and measure two things: how many bits each choice was worth (the entropy of what was drawn from), and how many of the
# words stand in the text as well.

# %%
TEMPERATURES = (0.1, 0.3, 0.5, 0.8, 1.0, 1.5, 2.5)
words = set(text[:end].split())
known_words, entropies, said = [], [], {}
for temperature in TEMPERATURES:
    written = model.generate(ids[:1], 300 if QUICK else 1500, temperature, np.random.default_rng(3))
    said[temperature] = decode(written, alphabet)
    parts = said[temperature].split()[1:-1]
    known_words.append(sum(part in words for part in parts) / max(len(parts), 1))
    model.reset()
    logits = model.forward(written[None])[0].astype(float) / temperature
    model.reset()
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    entropies.append(float(-(p * np.log2(np.maximum(p, 1e-300))).sum(axis=1).mean()))

figure, axes = plt.subplots(figsize=(8, 3.8))
axes.plot(TEMPERATURES, entropies, color=BLUE, marker=".", label="bits of each choice")
axes.set(xlabel="temperature", ylabel="bits of each choice")
other = axes.twinx()
other.grid(visible=False)
other.plot(TEMPERATURES, np.array(known_words) * 100, color=GREEN, marker=".")
other.set(ylabel="words that stand in the text, in % (green)", ylim=(0, 104))
plt.show()
for temperature in (0.3, 0.8, 1.5):
    print(f"--- temperature {temperature}\n{said[temperature][:300]}\n")

# %% [markdown]
# **What to see.** A low temperature writes right words, and the same ones again and again; a high one writes
# many, few of which exist. There is no temperature that is right: it buys variety with mistakes.
#
# ### Your turn
#
# - Count seven in a row on a tenth of the text, and on all of it. Which order is best for each?
# - Write with the counted model: draw each character from its probabilities. How does it read beside the LSTM
#   of the same bits?
# - Give `generate` the beginning of a line that stands in the text. Does it go on as the text does?

# %% [markdown]
# *Your answers:*
