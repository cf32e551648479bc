"""Source of the analyses of week 6: the scale, what a trained head reads, and positions."""

# %% [markdown]
# # Week 6: what attention reads
#
# Attention is a mean, and its weights can be looked at. This notebook does so, with your functions of
# `attention.py`:
#
# 1. **The scale.** What becomes of weights and gradients without the division by $\sqrt d$.
# 2. **Looking up.** A head that learns to find what it is asked for, by your backward pass.
# 3. **Positions.** Why sines and cosines tell how far apart two places are.
#
# Nothing here is graded. Each section ends with *Your turn*: questions to answer by changing a cell
# and running it again.

# %% [markdown]
# ## Set-up
#
# The next cell finds your modules. In the students' tree they are those in
# `assignments/week6_attention/`; where the course's solutions are present, those are used instead (the
# environment variable `COURSE_MODULES=assignments` or `solutions` decides otherwise). If a gap that
# this notebook needs is not filled in yet, the cell stops and says which one.

# %%
import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, so it has to stand before that

from workbench import BLUE, COLOURS, GREEN, QUICK, prepare

root = prepare(
    week=6,
    needs={"attention.py": ("week6.attention", "week6.attention_backward", "week6.positions")},
)

# %%
import matplotlib.pyplot as plt
import numpy as np
from attention import (
    attention_backward,
    attention_weights,
    entropy,
    scaled_dot_product_attention,
    sinusoidal_positions,
)

# %% [markdown]
# ## 1. The scale
#
# ### The question
#
# Queries and keys are normal numbers. How evenly do their weights spread over 64 keys, and how large
# is the gradient that reaches a query, if products are divided by nothing, by $\sqrt d$, or by $d$?
# Longer queries undo the division that is built in.

# %%
SIZES = 2 ** np.arange(0, 11, 2 if QUICK else 1)
KEYS, BATCH = 64, 20
DIVISORS = {"nothing": 0.0, r"$\sqrt{d}$": 0.5, "$d$": 1.0}
rng = np.random.default_rng(0)
spread = {name: [] for name in DIVISORS}
slopes = {name: [] for name in DIVISORS}
for d in SIZES:
    Q, K = rng.normal(size=(2, BATCH, KEYS, d))
    V, grad = rng.normal(size=(2, BATCH, KEYS, 8))
    for name, power in DIVISORS.items():
        longer = Q * d ** (0.5 - power)
        spread[name].append(entropy(attention_weights(longer, K)))
        dQ, _, _ = attention_backward(grad, longer, K, V)
        slopes[name].append(np.median(np.linalg.norm(dQ, axis=-1)))

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for axis, found, title in (
    (axes[0], spread, "entropy, nats"),
    (axes[1], slopes, "gradient of a query, median"),
):
    for colour, (name, values) in zip(COLOURS, found.items(), strict=False):
        axis.plot(SIZES, values, color=colour, label=f"divided by {name}")
    axis.set(xscale="log", xlabel="features d", title=title)
axes[0].axhline(np.log(KEYS), color="gray", linestyle=":")
axes[1].set_yscale("log")
axes[0].legend()
plt.show()

# %% [markdown]
# **What to see.** Divided by nothing, attention becomes a choice of one key, and for most queries the
# gradient vanishes: a choice that is made is hard to change. Divided by $d$, all keys count alike, and
# nothing is looked up. The root keeps both nearly where they are for a single feature.
#
# ### Your turn
#
# 1. Draw the keys with a deviation of 3. By which factor does each curve move, and which one stays
#    nearest to where it was?
# 2. What does the second picture look like for 8 keys in place of 64?

# %% [markdown]
# ## 2. Looking up
#
# ### The question
#
# Eight pairs stand in a row, each of a symbol and a digit, such as *d 3, a 7, k 0, ...*; then comes a
# symbol, and the digit beside it is asked for. The symbols are drawn anew for each example, so nothing
# can be learnt by heart. One head of attention does it: queries and keys are the symbols, each through
# a matrix of its own, values are the digits. Can your backward pass teach the two matrices?
#
# The loss is the cross-entropy of the digit that was asked for. The result of the head is a mean of
# digits (of one-hot rows), so its entries are probabilities already.

# %%
SYMBOLS, DIGITS, PAIRS, WIDTH = 16, 10, 8, 12
STEPS, LR = 400, 3.0


def examples(count, rng):
    """Return symbols (count, 8), digits (count, 8), and which of the pairs is asked for (count,)."""
    symbols = rng.permuted(np.tile(np.arange(SYMBOLS), (count, 1)), axis=1)[:, :PAIRS]
    return symbols, rng.integers(0, DIGITS, (count, PAIRS)), rng.integers(0, PAIRS, count)


def head(Wq, Wk, symbols, digits, asked):
    """Return queries (count, 1, WIDTH), keys (count, 8, WIDTH), and values (count, 8, DIGITS)."""
    rows = np.arange(len(symbols))
    return Wq[symbols[rows, asked]][:, None], Wk[symbols], np.eye(DIGITS)[digits]


rng = np.random.default_rng(1)
Wq, Wk = 0.5 * rng.normal(size=(2, SYMBOLS, WIDTH))
seen = examples(6, np.random.default_rng(2))
before = attention_weights(*head(Wq, Wk, *seen)[:2])[:, 0]
right, losses = [], []
for _ in range(STEPS):
    symbols, digits, asked = batch = examples(64, rng)
    Q, K, V = head(Wq, Wk, *batch)
    y = scaled_dot_product_attention(Q, K, V)[:, 0]
    rows = np.arange(len(y))
    target = digits[rows, asked]
    losses.append(-np.log(y[rows, target] + 1e-9).mean())
    right.append(np.mean(y.argmax(axis=1) == target))
    grad = np.zeros_like(y)
    grad[rows, target] = -1.0 / (y[rows, target] + 1e-9) / len(y)
    dQ, dK, _ = attention_backward(grad[:, None], Q, K, V)
    dWq, dWk = np.zeros_like(Wq), np.zeros_like(Wk)
    np.add.at(dWq, symbols[rows, asked], dQ[:, 0])
    np.add.at(dWk, symbols, dK)
    Wq, Wk = Wq - LR * dWq, Wk - LR * dWk
after = attention_weights(*head(Wq, Wk, *seen)[:2])[:, 0]
print(
    f"right: {np.mean(right[:10]):.0%} of the first examples, {np.mean(right[-10:]):.0%} of the last"
)

fig, axis = plt.subplots(figsize=(8, 3))
axis.plot(losses, color=BLUE)
axis.set(xlabel="step", title="cross-entropy of the digit, nats")
plt.show()

# %%
LETTERS = "abcdefghijklmnop"
fig, axes = plt.subplots(1, 2, figsize=(10, 3.6))
for axis, weights, title in (
    (axes[0], before, "before training"),
    (axes[1], after, "after training"),
):
    axis.imshow(weights, vmin=0, vmax=1, cmap="Blues")
    axis.grid(False)
    for row in range(len(weights)):
        for place in range(PAIRS):
            words = f"{LETTERS[seen[0][row, place]]}{seen[1][row, place]}"
            colour = "white" if weights[row, place] > 0.5 else "gray"
            axis.text(place, row, words, ha="center", va="center", fontsize=9, color=colour)
    asks = [LETTERS[symbol] for symbol in seen[0][np.arange(len(weights)), seen[2]]]
    axis.set(
        yticks=range(len(weights)), yticklabels=asks, xticks=[], ylabel="asked for", title=title
    )
plt.show()

found = after[np.arange(len(after)), seen[2]]
print(f"weight of the pair that is asked for: {found.min():.2f} to {found.max():.2f}")

# %% [markdown]
# **What to see.** Before, the head looks everywhere; afterwards at the pair that it is asked for, wherever that stands:
# it has learnt how to look, not where. A recurrent network would have to carry all eight pairs.
#
# What the two matrices have become shows in their product: entry $(a, b)$ is the score of symbol $b$
# where $a$ is asked for.

# %%
scores = Wq @ Wk.T / np.sqrt(WIDTH)
fig, axis = plt.subplots(figsize=(8, 6))
picture = axis.imshow(scores, cmap="RdBu_r", vmin=-np.abs(scores).max(), vmax=np.abs(scores).max())
axis.set(
    xticks=range(SYMBOLS),
    xticklabels=list(LETTERS),
    yticks=range(SYMBOLS),
    yticklabels=list(LETTERS),
    xlabel="key",
    ylabel="query",
    title="scores after training",
)
fig.colorbar(picture)
plt.show()

# %% [markdown]
# ### Your turn
#
# 1. The head has 12 features for 16 symbols, so not all keys can be at right angles. How few features
#    do it? Look at the scores for 4.
# 2. Make both matrices the same, `Wq = Wk`, and add both gradients. Is one matrix enough?
# 3. Ask for the digit *after* the one that stands beside the symbol. Why can no head of this kind learn
#    that, and what would you add to the keys?

# %% [markdown]
# ## 3. Positions
#
# ### The question
#
# `sinusoidal_positions` gives each place a row. Attention compares rows by their products. What does
# the product of two rows say about the two places?

# %%
T, COLUMNS = 100, 64
P = sinusoidal_positions(T, COLUMNS)
products = P @ P.T
fig, axes = plt.subplots(1, 2, figsize=(10, 3.8))
axes[0].imshow(products, cmap="viridis")
axes[0].set(xlabel="position s", ylabel="position t", title="product of two rows")
for t, colour in ((20, BLUE), (50, GREEN)):
    axes[1].plot(np.arange(T) - t, products[t], color=colour, label=f"t = {t}")
axes[1].set(xlabel="distance s - t", title="the same by distance")
axes[1].legend()
plt.show()

# %% [markdown]
# **What to see.** The product depends on the distance alone, and is largest at 0: a pair of columns brings
# $\cos(\omega s) \cos(\omega t) + \sin(\omega s) \sin(\omega t) = \cos(\omega (s - t))$. So a query that
# is a row of the table prefers its own place and its neighbours. To prefer the place three steps back,
# it has to be turned: in each pair of columns by the angle $3 \omega$, which is a matrix, the same for
# all positions.

# %%
BACK = 3
angles = BACK / 10000.0 ** (np.arange(0, COLUMNS, 2) / COLUMNS)
turn = np.zeros((COLUMNS, COLUMNS))
for pair, angle in enumerate(angles):
    block = slice(2 * pair, 2 * pair + 2)
    turn[block, block] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
looks = attention_weights(4.0 * P @ turn, P)
places = looks.argmax(axis=1)
print("where positions 10 to 19 look most:", places[10:20].tolist())

fig, axis = plt.subplots(figsize=(8, 5.5))
axis.imshow(looks[:30, :30], cmap="Blues")
axis.set(xlabel="key", ylabel="query", title=f"a head that looks {BACK} places back")
plt.show()

# %% [markdown]
# ### Your turn
#
# 1. How sharply can such a head look? Change the factor 4 before the queries.
# 2. With 8 columns in place of 64: which places does it confuse, and why?
# 3. In a real network positions are *added* to vectors that mean something else. What do the products
#    of two such sums contain besides the distance?
