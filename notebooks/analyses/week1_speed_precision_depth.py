"""Source of the analyses of week 1: speed against PyTorch, precision of a loss, depth."""

# %% [markdown]
# # Week 1: speed, precision, depth
#
# Your network of week 1 works. This notebook looks at it from three sides that no test shows:
#
# 1. **Speed.** How does your NumPy code compare with PyTorch, and where does the time go?
# 2. **Precision.** Formulas that are equal on paper are not equal in a computer. What does each
#    way to write the cross-entropy lose?
# 3. **Depth.** What happens to gradients on their way through twenty layers?
#
# Nothing here is graded. Each section ends with *Your turn*: questions to answer by changing a cell
# and running it again.

# %% [markdown]
# ## Set-up
#
# The next cell finds your modules. In the students' tree they are those in
# `assignments/week1_backprop/`; where the course's solutions are present, those are used instead
# (the environment variable `COURSE_MODULES=assignments` or `solutions` decides otherwise). If a gap
# that this notebook needs is not filled in yet, the cell stops and says which one.
#
# It also limits NumPy and PyTorch to one thread. We compare code with code first; what more
# processors do comes at the end of part 1.

# %%
import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, so it has to stand before that

from workbench import BLUE, GREEN, ORANGE, PINK, QUICK, SKY, prepare, seconds_of

root = prepare(
    week=1,
    needs={
        "neural_net.py": (
            "week1.linear",
            "week1.relu",
            "week1.sigmoid",
            "week1.tanh",
            "week1.network",
        ),
        "losses.py": ("week1.cross_entropy",),
        "mnist_mlp.py": ("week1.mlp",),
    },
)

# %%
import cProfile
import decimal
import itertools
import pstats
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from losses import CrossEntropyLoss
from mnist_mlp import TwoLayerMLP, minibatch_indices, standardise
from neural_net import Linear, Network, ReLU, Sigmoid, Tanh

import data

digits = data.load("digits")
x_train, x_test = standardise(digits.x_train, digits.x_test)
y_train, y_test = digits.y_train, digits.y_test
print(f"digits: {len(x_train)} images to train on, {x_train.shape[1]} numbers each")

# %%
try:
    import torch
except ModuleNotFoundError:
    torch = None
    print("PyTorch is not installed: part 1 shows NumPy alone. Everything else needs no PyTorch.")
else:
    torch.set_num_threads(1)
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}")

# %% [markdown]
# ## 1. Speed: NumPy against PyTorch
#
# ### The question
#
# One training step on a batch of $N$ images runs through the network of the handout, $D = 784$
# inputs, $H = 128$ hidden units, $C = 10$ classes: forward, loss, backward, update. Almost all
# of its arithmetic is in products of matrices. A product of an $(N, D)$ and a $(D, H)$ matrix takes
# $2NDH$ operations, one multiplication and one addition for each of $NDH$ pairs. A linear layer
# has three such products: $xW^\top$ forward, and backward $(\partial L/\partial y)^\top x$ for the
# weights and $(\partial L/\partial y)\,W$ for the input. So a step takes about
#
# $$ \text{operations} \approx 3 \cdot 2N\,(DH + HC). \tag{1} $$
#
# Both libraries hand products to carefully tuned machine code (a *BLAS*, "basic linear algebra
# subprograms"). Is there any difference left then?
#
# ### The experiment
#
# We time one step of your `TwoLayerMLP` and of the same network in PyTorch, for several batch
# sizes, in both precisions. That matters: NumPy's default is float64 (8 bytes a number), PyTorch's
# is float32 (4 bytes). Whoever compares the two defaults compares two precisions, not two
# libraries.

# %%
STEP = 0.01
BATCHES = (1, 4, 16, 64, 256, 1024)


def numpy_step(batch, width=128, dtype=np.float64):
    """Return a function that does one training step of your network on a batch of this size."""
    model, rng = TwoLayerMLP(), np.random.default_rng(0)
    model.layers = [Linear(784, width, rng=rng), ReLU(), Linear(width, 10, rng=rng)]
    for layer in model.layers[::2]:
        layer.W, layer.b = layer.W.astype(dtype), layer.b.astype(dtype)
    x, y = x_train[:batch].astype(dtype), y_train[:batch]
    return lambda: model.train_step(x, y, STEP)


def torch_step(batch, width=128, dtype=np.float64):
    """Return a function that does the same step in PyTorch."""
    kind = torch.float64 if dtype == np.float64 else torch.float32
    linear1 = torch.nn.Linear(784, width, dtype=kind)
    linear2 = torch.nn.Linear(width, 10, dtype=kind)
    model = torch.nn.Sequential(linear1, torch.nn.ReLU(), linear2)
    optimizer = torch.optim.SGD(model.parameters(), lr=STEP)
    x = torch.from_numpy(x_train[:batch].astype(dtype))
    y = torch.from_numpy(y_train[:batch].astype(np.int64))

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


LIBRARIES = {"NumPy": numpy_step} | ({"PyTorch": torch_step} if torch else {})
DTYPES = {"float64": np.float64, "float32": np.float32}
STYLES = {"NumPy": BLUE, "PyTorch": ORANGE, "float64": "-", "float32": "--"}

by_batch = {
    (library, name): [seconds_of(make(n, dtype=dtype)) for n in BATCHES]
    for library, make in LIBRARIES.items()
    for name, dtype in DTYPES.items()
}

# %%
operations = np.array([3 * 2 * n * (784 * 128 + 128 * 10) for n in BATCHES])
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4))
for (library, name), seconds in by_batch.items():
    look = {"color": STYLES[library], "linestyle": STYLES[name], "marker": "o", "markersize": 4}
    left.loglog(BATCHES, 1e3 * np.array(seconds), label=f"{library}, {name}", **look)
    right.semilogx(BATCHES, operations / np.array(seconds) / 1e9, **look)
left.set(xlabel="batch size $N$", ylabel="time of one step [ms]", title="Time")
right.set(xlabel="batch size $N$", title="Arithmetic reached, counted by (1)")
right.set(ylabel="billions of operations per second", ylim=(0, None))
for axes in (left, right):
    axes.set_xticks(BATCHES, [str(n) for n in BATCHES])
    axes.minorticks_off()
left.legend()
plt.show()

print("batch size     " + "".join(f"{n:>9}" for n in BATCHES))
for (library, name), seconds in by_batch.items():
    print(f"{library:8}{name}" + "".join(f"{1e3 * s:9.3f}" for s in seconds) + "  ms")

# %% [markdown]
# ### What is to be seen
#
# - **Small batches cost almost as much as larger ones.** From batch 1 to batch 16 there is sixteen
#   times as much arithmetic, but far less than sixteen times the time. Something else than
#   arithmetic is being paid for: the calls themselves, and the weights, which have to be read and
#   updated however few images there are.
# - **Large batches reach a plateau.** On the right, the rate stops growing: there the products of
#   matrices dominate, and the processor multiplies as fast as it can. The time is then
#   proportional to $N$: the slope of the lines on the left is 1.
# - **float32 is about twice as fast on the plateau.** Twice as many numbers fit into a register,
#   and half as many bytes have to be moved.
# - **In the same precision, NumPy and PyTorch are close on the plateau.** Both spend their time in
#   a BLAS. On small batches PyTorch is not faster either: before it computes anything, each of its
#   operations chooses an implementation and records a node for the backward pass. That is the price
#   of its comfort, some microseconds each time.
#
# One difference favours PyTorch and is no magic. Formula (1) counts three products for each layer.
# The third one of the *first* layer gives $\partial L/\partial x$ of the images, which nobody uses.
# Your `Linear.backward` computes it all the same, since a layer does not know that it is the
# first; PyTorch knows that the images require no gradient, and leaves it out. It is
# nearly a third of all operations.

# %% [markdown]
# ### Wider layers
#
# More hidden units mean more arithmetic per call, too. At a batch of 64:

# %%
WIDTHS = (16, 64, 256, 1024)
by_width = {
    (library, name): [seconds_of(make(64, width=h, dtype=dtype), 0.1) for h in WIDTHS]
    for library, make in LIBRARIES.items()
    for name, dtype in DTYPES.items()
}
figure, axes = plt.subplots(figsize=(6.4, 4.2))
for (library, name), seconds in by_width.items():
    look = {"color": STYLES[library], "linestyle": STYLES[name], "marker": "o", "markersize": 4}
    axes.loglog(WIDTHS, 1e3 * np.array(seconds), label=f"{library}, {name}", **look)
axes.set(xlabel="hidden units $H$", ylabel="time of one step [ms]", title="Batches of 64")
axes.set_xticks(WIDTHS, [str(h) for h in WIDTHS])
axes.minorticks_off()
axes.legend()
plt.show()

# %% [markdown]
# The picture is the same with another axis: a floor at the left, where what happens once per call
# dominates, and a straight line of slope 1 at the right, where operations and bytes do. With
# $H = 1024$ the network has 0.8 million weights, or 6.5 MB in float64; they no longer fit into the
# caches near the processor, and every step reads and writes them several times.
#
# ### Where the time goes
#
# To find out, we put a stopwatch around every part of your network and let it train. A
# stopwatch of one's own is a handful of lines; the standard library's `cProfile` is the same idea,
# applied to every function.

# %%
import time


def timed_step(batch, repeats):
    """Return the seconds that each part of a training step takes, as a dict, and the steps' sum."""
    model = TwoLayerMLP(rng=np.random.default_rng(0))
    spent = {}

    def watch(owner, method, name):
        """Replace a method by one that adds the time of each call to `spent[name]`."""
        original = getattr(owner, method)

        def watched(*arguments):
            start = time.perf_counter()
            result = original(*arguments)
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - start
            return result

        setattr(owner, method, watched)

    first, activation, second = model.layers
    watch(first, "forward", "layer 1 forward")
    watch(second, "forward", "layer 2 forward")
    watch(first, "backward", "layer 1 backward")
    watch(second, "backward", "layer 2 backward")
    for owner in (activation, model.loss_fn):
        for method in ("forward", "backward"):
            watch(owner, method, "ReLU and loss")
    watch(model, "update_parameters", "update")
    x, y = x_train[:batch], y_train[:batch]
    model.train_step(x, y, STEP)
    spent.clear()
    start = time.perf_counter()
    for _ in range(repeats):
        model.train_step(x, y, STEP)
    total = time.perf_counter() - start
    spent["everything else"] = max(0.0, total - sum(spent.values()))
    return {name: seconds / repeats for name, seconds in spent.items()}


PARTS = {
    "layer 1 forward": BLUE,
    "layer 1 backward": SKY,
    "layer 2 forward": "#7F5F00",
    "layer 2 backward": "#E69F00",
    "ReLU and loss": PINK,
    "update": GREEN,
    "everything else": "0.75",
}
profiles = {n: timed_step(n, repeats=max(5, 600 // n)) for n in BATCHES}

figure, axes = plt.subplots(figsize=(9.5, 4.2))
start = np.zeros(len(BATCHES))
for name, colour in PARTS.items():
    share = np.array(
        [100 * profiles[n].get(name, 0.0) / sum(profiles[n].values()) for n in BATCHES]
    )
    axes.barh(range(len(BATCHES)), share, left=start, color=colour, label=name, height=0.75)
    start += share
axes.set_yticks(range(len(BATCHES)), [str(n) for n in BATCHES])
axes.set(xlabel="share of the step's time [%]", ylabel="batch size $N$", xlim=(0, 100))
axes.invert_yaxis()
axes.grid(visible=False)
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
plt.show()

# %%
profiler = cProfile.Profile()
step = numpy_step(64)
step()
profiler.enable()
for _ in range(50):
    step()
profiler.disable()
rows = pstats.Stats(profiler).stats  # (file, line, function) -> calls, calls, own time, time, ...
whole = sum(row[2] for row in rows.values())
print("cProfile, batch 64: time in the function itself")
for (file, line, name), row in sorted(rows.items(), key=lambda item: -item[1][2])[:6]:
    print(f"{row[2] / whole:6.0%}  {name} ({Path(file).name}, line {line})")

# %% [markdown]
# Three regimes, and three causes:
#
# - **Large batches: arithmetic.** Layer 1 takes nearly everything: (1) says that its share of the
#   operations is $784 \cdot 128 / (784 \cdot 128 + 128 \cdot 10) = 98.7\,\%$. Its backward pass has
#   two products and takes about twice as long as its forward pass, which has one.
# - **Small batches: memory.** The update touches 100,000 weights, whether the batch has one image
#   or a thousand. It does next to no arithmetic: one multiplication and one subtraction for each
#   weight. What takes time is to fetch the weights and gradients, and to write the results. The
#   same is true of the gradient of the weights, which has as many entries.
# - **Small batches: calls.** ReLU and loss have next to nothing to compute for a few
#   images. Yet each of their NumPy calls takes a microsecond or so to check its arguments, find
#   the right loop, and allocate a result; and Python itself takes about as long between the calls.
#
# ### Memory traffic, measured
#
# `W = W - lr * dL_dW` is two operations to NumPy. The first writes `lr * dL_dW` into a new array,
# the second reads that array again. Here are three ways to do the same arithmetic, on weights of
# two sizes. Below each time stands the rate at which the weights stream by, if each is counted
# once.


# %%
def replace(state):
    """W <- W - lr g, with a new array for the product and another one for the result."""
    state["W"] = state["W"] - STEP * state["g"]


def in_place(state):
    """The result goes into W; a new array for the product is left."""
    state["W"] -= STEP * state["g"]


def no_new_arrays(state):
    """Both go into arrays that are there already."""
    np.multiply(state["g"], STEP, out=state["room"])
    np.subtract(state["W"], state["room"], out=state["W"])


update_times = {}
print(f"{'weights':>12}" + "".join(f"{f.__name__:>16}" for f in (replace, in_place, no_new_arrays)))
for width in (128, 2048):
    for update in (replace, in_place, no_new_arrays):
        state = {name: np.full((width, 784), 1e-9) for name in ("W", "g", "room")}
        update_times[width, update.__name__] = seconds_of(lambda u=update, s=state: u(s), 0.1)
    row = [update_times[width, f.__name__] for f in (replace, in_place, no_new_arrays)]
    print(f"{f'{width} x 784':>12}" + "".join(f"{1e6 * t:13.0f} us" for t in row))
    print(f"{'':>12}" + "".join(f"{width * 784 * 8 / t / 1e9:11.1f} GB/s" for t in row))

# %% [markdown]
# The arithmetic is the same in each row, so whatever differs is memory. A large new array is the
# dearest kind: the operating system has to hand out its pages, cleared, before the first write. And
# where the large weights take more than their sixteenfold share, it is because they no longer fit
# into the caches. This is why frameworks update in place, and why they offer *fused* operations,
# one pass over the memory for several steps of a formula.
#
# Then why does your code replace `W` instead? Because a layer never changes an array that somebody
# else may hold. Convenience and safety cost something; it is good to know what.
#
# ### Threads
#
# So far everything ran on one thread. A BLAS divides a large product among several processors; most
# other functions of NumPy use one, whatever is there. As the number of threads is fixed when NumPy
# is imported, each line is measured in a fresh Python process.

# %%
MEASURE = """
import sys, time
import numpy as np
x, W = np.ones((1024, 784)), np.ones((128, 784))
for work in (lambda: x @ W.T, lambda: np.maximum(x, 0.5)):
    times = []
    for _ in range(15):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    print(min(times))
"""
thread_times = {}
available = os.cpu_count() or 1
print("threads   product of matrices   ReLU of the same batch")
for threads in sorted({1, 2, min(4, available), min(8, available)}):
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
    }
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], env=environment, capture_output=True, text=True, check=True
    )
    thread_times[threads] = [float(line) for line in done.stdout.split()]
    product, relu = thread_times[threads]
    print(f"{threads:7}   {1e3 * product:16.2f} ms   {1e3 * relu:19.2f} ms")

# %% [markdown]
# Where processors are free, the product gets faster with threads, at best by their number. The ReLU
# does not. So the more processors, the larger the share of the time that goes to what they cannot
# help with: entry-by-entry functions, Python itself, memory. (The law behind it is named after Gene
# Amdahl. If a share $s$ of the work can't be divided, no number of processors makes the whole more
# than $1/s$ times faster.) PyTorch divides entry-by-entry functions as well, when arrays are large.
# If other programs keep your processors busy, threads may bring nothing at all.
#
# ### Your turn
#
# - At which batch size does a training step begin to cost noticeably more than a step on one
#   image? What does that say about training with batches of one? (On some machines NumPy needs
#   *longer* for one image than for four. Which part of the profile is to blame?)
# - Leave out the input's gradient in the first layer (make a subclass of `Linear` that returns
#   None) and measure a step at batch 1024 again. Is a third of the time gone?
# - What is the rate of `no_new_arrays` on the large weights, counted in bytes that really move: two
#   arrays read and one written by each of the two operations, minus what a cache may save? Compare
#   with the memory bandwidth that your computer's maker promises.

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 2. Precision: one loss, five formulas
#
# ### The question
#
# For logits $z$ and the true class $t$, the cross-entropy of one example is
#
# $$ \ell = -\log \frac{e^{z_t}}{\sum_j e^{z_j}} = \log \sum_j e^{z_j} - z_t. \tag{2} $$
#
# On paper, all of these are the same number, with $m = \max_j z_j$:
#
# | name | formula |
# |---|---|
# | naive | $-\log\big(e^{z_t} / \sum_j e^{z_j}\big)$ |
# | shifted | $-\log\big(e^{z_t - m} / \sum_j e^{z_j - m}\big)$ |
# | log-sum-exp | $\big(m + \log \sum_j e^{z_j - m}\big) - z_t$ |
# | log-softmax | $\log \sum_j e^{z_j - m} - (z_t - m)$ |
# | log1p | $\log\big(1 + \sum_{j \ne k} e^{z_j - m}\big) - (z_t - m)$, where $k$ is the place of the maximum |
#
# A float has a limited number of digits and a limited range: float32 about 7 digits and numbers up
# to $3 \cdot 10^{38} \approx e^{88.7}$, float64 about 16 digits and up to $1.8 \cdot 10^{308}
# \approx e^{709.8}$. Every operation rounds its result by up to the relative amount $u$, half of
# `eps`: $6 \cdot 10^{-8}$ and $1.1 \cdot 10^{-16}$. The question is what becomes of that on the way
# to $\ell$.
#
# ### The experiment
#
# Two classes are enough. Let the true class lead by a *gap* $g$: $z = (c + g, c)$, so that
#
# $$ \ell = \log(1 + e^{-g}), \tag{3} $$
#
# about $e^{-g}$ where the class leads by much ($g \gg 0$), and about $|g|$ where it trails
# ($g \ll 0$). The offset $c = 10$ changes nothing on paper. The exact value comes from Python's
# `decimal`, with 120 digits, for just the rounded logits that the formulas are given.


# %%
def naive(z, t):
    p = np.exp(z) / np.sum(np.exp(z))
    return -np.log(p[t])


def shifted(z, t):
    powers = np.exp(z - z.max())
    return -np.log(powers[t] / np.sum(powers))


def log_sum_exp(z, t):
    return (z.max() + np.log(np.sum(np.exp(z - z.max())))) - z[t]


def log_softmax(z, t):
    return np.log(np.sum(np.exp(z - z.max()))) - (z[t] - z.max())


def log1p(z, t):
    others = np.delete(z, z.argmax())
    return np.log1p(np.sum(np.exp(others - z.max()))) - (z[t] - z.max())


FORMULAS = {
    "naive": naive,
    "shifted": shifted,
    "log-sum-exp": log_sum_exp,
    "log-softmax": log_softmax,
    "log1p": log1p,
}


def exact(z, t):
    """Return the loss of these logits with 120 digits."""
    with decimal.localcontext(decimal.Context(prec=120)):
        numbers = [decimal.Decimal(float(number)) for number in z]
        total = sum((number - numbers[t]).exp() for number in numbers)
        return total.ln()


def relative_error(formula, z, t):
    """Return |computed - exact| / exact of the loss; infinite where the result is no number."""
    with np.errstate(all="ignore"):  # overflow and log(0) are what we are looking for
        computed = float(formula(z, t))
    if not np.isfinite(computed):
        return np.inf
    truth = exact(z, t)
    return float(abs(decimal.Decimal(computed) - truth) / truth)


GAPS = np.linspace(0.5, 120.0, 240)
OFFSET = 10.0
errors = {
    (name, dtype, side): np.array(
        [relative_error(f, np.array([OFFSET + side * g, OFFSET], dtype), 0) for g in GAPS]
    )
    for name, f in FORMULAS.items()
    for dtype in ("float32", "float64")
    for side in (1, -1)
}

# %%
LOOKS = {
    "naive": {"color": ORANGE, "linewidth": 4.5, "alpha": 0.55},
    "shifted": {"color": PINK, "linewidth": 3.0, "linestyle": "--"},
    "log-sum-exp": {"color": SKY, "linewidth": 2.4},
    "log-softmax": {"color": BLUE, "linewidth": 1.6, "linestyle": "--"},
    "log1p": {"color": GREEN, "linewidth": 1.8},
}
SIDES = {1: "the true class leads by $g$", -1: "the true class trails by $g$"}
LOST, FLOOR = 1e3, 1e-19

figure, grid = plt.subplots(2, 2, figsize=(11, 7.2), sharex=True, sharey=True)
for (row, dtype), (column, side) in itertools.product(
    enumerate(("float32", "float64")), enumerate(SIDES)
):
    axes = grid[row, column]
    for name, look in LOOKS.items():
        axes.semilogy(GAPS, np.clip(errors[name, dtype, side], FLOOR, LOST), label=name, **look)
    unit = np.finfo(dtype).eps / 2
    axes.axhline(unit, color="0.35", linewidth=1, linestyle=":")
    axes.annotate("$u$", (119, unit), va="bottom", ha="right", color="0.35")
    axes.set(title=f"{dtype}, {SIDES[side]}", ylim=(FLOOR / 3, LOST * 5), xlim=(0, 120))
for axes in grid[1]:
    axes.set_xlabel("gap $g$")
for axes in grid[:, 0]:
    axes.set_ylabel("relative error of the loss")
powers = [-4, -8, -12, -16]
grid[0, 0].set_yticks(
    [LOST, 1, *[10.0**power for power in powers], FLOOR],
    ["no number", "1 (100 %)", *[f"$10^{{{power}}}$" for power in powers], "exact"],
)
figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
plt.show()

# %% [markdown]
# ### What is to be seen
#
# *The true class trails* (right column): the loss is large, about $g$, and all formulas do well for
# a while. Then, in float32 at $g \approx 104$, **naive and shifted give no number any more**. Their
# $p_t = e^{-g} / (1 + e^{-g})$ is smaller than the smallest positive float32, $1.4 \cdot 10^{-45}
# \approx e^{-103.3}$. It becomes 0, and $-\log 0 = \infty$. The error rises already from $g \approx
# 90$ on, where $p_t$ is below the smallest *normal* number, $e^{-87.3}$, and loses its digits one
# by one. In float64 the same happens at $g \approx 745$, outside of this picture. Subtracting the
# maximum does not help here: it prevents overflow, and this is underflow. What helps is to never
# compute $p_t$: the last three formulas take the difference of *logits* instead, which is exact or
# nearly so.
#
# *The true class leads* (left column): the loss is tiny, about $e^{-g}$, and four of the five
# formulas lose it. They compute $\log(1 + e^{-g})$, and in floats $1 + e^{-g}$ is a number near 1,
# where the next one is `eps` away. Of $e^{-g}$ remains what lies above `eps`; the error is about
# $u\,e^{g}$, the straight line in the picture. **From $g \approx 17$ in float32, and $g \approx 37$
# in float64, the result is exactly 0**, an error of 100 %. Log-sum-exp is worst: it adds the offset
# $m$ to the small number, then takes it away again. The function `log1p(x)` computes $\log(1 + x)$
# without ever forming $1 + x$, and keeps all digits as long as $e^{-g}$ itself is a normal number.
#
# And *naive* has a third way to fail: on the left, in float32, **$e^{c+g}$ overflows for
# $c + g > 88.7$**, here from $g \approx 79$ on, and $\infty / \infty$ is no number.
#
# Does it matter that a loss of $10^{-9}$ is reported as 0? For training, hardly: week 1 asks
# for log-softmax, as PyTorch has it, whose *absolute* error is never more than a few units of
# the last place of the largest number that occurs. An infinite loss, on the other hand, ends a
# training run.

# %% [markdown]
# ### Catastrophes on real data
#
# Here is your network, trained for five epochs on the digits. Its logits on the test images, in
# float32, are then multiplied by a factor $s$. That is what happens to a network that grows more
# and more sure of itself, or to one whose learning rate is too high. A fourth candidate is often
# seen in the wild: $-\log(p_t + 10^{-12})$, which "cannot be infinite".

# %%
model = TwoLayerMLP(rng=np.random.default_rng(0))
rng = np.random.default_rng(1)
for _ in range(5):
    for batch in minibatch_indices(len(x_train), 64, rng):
        model.train_step(x_train[batch], y_train[batch], 0.05)
logits = model.forward(x_test).astype(np.float32)
rows = np.arange(len(logits))
print(
    f"test accuracy {model.evaluate(x_test, y_test):.1%}, logits from {logits.min():.0f} ", end=""
)
print(f"to {logits.max():.0f}")


def probabilities(z, shift):
    powers = np.exp(z - z.max(axis=1, keepdims=True)) if shift else np.exp(z)
    return powers / powers.sum(axis=1, keepdims=True)


LOSSES = {
    "naive": lambda z: -np.log(probabilities(z, shift=False)[rows, y_test]),
    "shifted": lambda z: -np.log(probabilities(z, shift=True)[rows, y_test]),
    "$p + 10^{-12}$": lambda z: -np.log(probabilities(z, shift=True)[rows, y_test] + 1e-12),
}

scales = np.geomspace(1, 300, 60)
curves = {name: [] for name in (*LOSSES, "your CrossEntropyLoss", "float64")}
for scale in scales:
    z = logits * np.float32(scale)
    with np.errstate(all="ignore"):
        for name, loss in LOSSES.items():
            curves[name].append(float(loss(z).mean()))
    curves["your CrossEntropyLoss"].append(CrossEntropyLoss().forward(z, y_test))
    curves["float64"].append(CrossEntropyLoss().forward(z.astype(np.float64), y_test))

figure, axes = plt.subplots(figsize=(8.5, 4.6))
look = {
    "float64": {"color": "0.8", "linewidth": 7, "label": "your CrossEntropyLoss, float64"},
    "your CrossEntropyLoss": {"color": GREEN, "label": "your CrossEntropyLoss, float32"},
    "$p + 10^{-12}$": {"color": SKY, "linestyle": "--"},
    "shifted": {"color": PINK, "linewidth": 3},
    "naive": {"color": ORANGE, "linewidth": 5, "alpha": 0.6},
}
last = {}
for name, style in look.items():
    curve = np.array(curves[name])
    axes.loglog(scales, curve, **({"label": f"{name}, float32"} | style))
    if not np.isfinite(curve).all():
        last[name] = int(np.argmin(np.isfinite(curve))) - 1
        place = scales[last[name]], curve[last[name]]
        axes.plot(*place, "x", color=style["color"], markersize=11, markeredgewidth=3)
        axes.annotate(
            f"{name} ends here", place, xytext=(0, 14), textcoords="offset points", ha="right"
        )
axes.set(xlabel="factor $s$ on all logits", ylabel="mean loss on the test images")
axes.legend(loc="upper left")
plt.show()

# %% [markdown]
# Where all curves lie on each other, everything is fine. (The loss even falls at first: after five
# epochs this network is less sure than it has a right to be.) Then one after the other drops out:
#
# - *naive* at the factor that brings the largest logit, about 12, to 88.7: $e^z$ overflows;
# - *shifted* when one test image is so wrong that its $p_t$ becomes 0. A single such image
#   makes the mean infinite, and the gradients NaN;
# - $p + 10^{-12}$ gives a number forever, a wrong one. An example's loss can't exceed $-\log
#   10^{-12} = 27.6$, and the formula's gradient for such an example is nearly 0: **the examples
#   that are most wrong teach nothing.** It hides the catastrophe instead of preventing it;
# - your loss in float32 lies on the one in float64 all the way.
#
# ### Your turn
#
# - Change `OFFSET` to 1000. Which formulas survive? Which lose digits although they survive?
# - The gradient with respect to $z_t$ is $p_t - 1$, divided by $N$. For a class that leads by $g =
#   40$, what is it in float64, and what should it be? Which entries of the gradient would give it
#   with all its digits?
# - At which gap does *naive* fail in float16, whose largest number is 65504? Try it: add
#   `"float16"` to the experiment.

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 3. Depth: gradients on their way through twenty layers
#
# ### The question
#
# A stack of $K$ layers of the same width $n$ computes, without biases, $a_k = h_{k-1} W_k^\top$ and
# $h_k = f(a_k)$, from the input $h_0$. Backward, the gradient takes the same way:
#
# $$ \frac{\partial L}{\partial h_{k-1}} = \Big( \frac{\partial L}{\partial h_k} \odot f'(a_k) \Big) W_k. \tag{4} $$
#
# Let the entries of $W_k$ have mean 0 and variance $\sigma^2 / n$; call $\sigma$ the *gain*. Then
# each entry of the product in (4) is a sum of $n$ terms of variance $\sigma^2/n$ times a square,
# and on average
#
# $$ \Big\lVert \frac{\partial L}{\partial h_{k-1}} \Big\rVert \approx r \, \Big\lVert \frac{\partial L}{\partial h_k} \Big\rVert, \qquad
# r = \sigma \sqrt{\text{mean of } f'(a_k)^2}. \tag{5} $$
#
# After $K$ layers that is $r^K$. With $K = 20$, $r = 0.8$ leaves about 1 %, and $r = 1.25$ makes 87
# times as much. The gradient *vanishes* or *explodes*, unless $r$ is very close to 1.
#
# ### The experiment
#
# Twenty of your `Linear` layers of 100 units, with one of your activations after each, for several
# gains. The input is 200 digits. From the top comes a random upstream gradient of norm 1.

# %%
DEPTH, UNITS, EXAMPLES = 20, 100, 200


def stack(activation, gain, seed=0):
    """Return `DEPTH` pairs of a Linear layer and an activation, as one list."""
    rng = np.random.default_rng(seed)
    layers = []
    for k in range(DEPTH):
        inputs = x_train.shape[1] if k == 0 else UNITS
        linear = Linear(inputs, UNITS, rng=rng)
        W = rng.normal(0.0, gain / np.sqrt(inputs), size=(UNITS, inputs))
        linear.W = W if linear.W.shape == W.shape else W.T
        layers += [linear, activation()]
    return layers


def norms_by_layer(activation, gain, seed=0):
    """Return the norms of dL/dh_1, ..., dL/dh_K, and those of h_1, ..., h_K."""
    layers = stack(activation, gain, seed)
    h, sizes = x_train[:EXAMPLES], []
    for linear, nonlinear in zip(layers[::2], layers[1::2], strict=True):
        h = nonlinear.forward(linear.forward(h))
        sizes.append(np.linalg.norm(h))
    gradient = np.random.default_rng(seed + 1).normal(size=h.shape)
    gradient /= np.linalg.norm(gradient)
    norms = [1.0]
    for linear, nonlinear in reversed(list(zip(layers[2::2], layers[3::2], strict=True))):
        gradient = linear.backward(nonlinear.backward(gradient))
        norms.append(np.linalg.norm(gradient))
    return np.array(norms[::-1]), np.array(sizes)


ACTIVATIONS = {"Sigmoid": Sigmoid, "Tanh": Tanh, "ReLU": ReLU}
GAINS = {0.5: BLUE, 1.0: SKY, float(np.sqrt(2)): GREEN, 2.0: ORANGE, 4.0: PINK}
norms = {
    (name, gain): norms_by_layer(activation, gain)[0]
    for name, activation in ACTIVATIONS.items()
    for gain in GAINS
}

figure, grid = plt.subplots(1, 3, figsize=(12, 4.6), sharey=True)
for axes, name in zip(grid, ACTIVATIONS, strict=True):
    for gain, colour in GAINS.items():
        label = r"$\sqrt{2}$" if abs(gain**2 - 2) < 1e-9 else f"{gain:g}"
        axes.semilogy(range(1, DEPTH + 1), norms[name, gain], color=colour, label=label)
        axes.plot(1, norms[name, gain][0], "o", color=colour, clip_on=False)
    axes.set(title=name, xlabel="layer $k$ (the gradient comes from the right)", xlim=(1, DEPTH))
    axes.set_xticks([1, 5, 10, 15, 20])
grid[0].set_ylabel(r"$\Vert \partial L / \partial h_k \Vert$")
figure.legend(
    *grid[0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=len(GAINS),
    title=r"gain $\sigma$",
)
plt.show()

# %% [markdown]
# On the logarithmic scale all curves are nearly straight: a factor per layer, as (5) says. Let us
# measure this factor over a range of gains. For ReLU, $f'^2$ is 0 or 1, each for half of the
# inputs, so (5) says $r = \sigma / \sqrt 2$.

# %%
fine_gains = np.geomspace(0.25, 8.0, 11)
factors = {
    name: np.array([norms_by_layer(kind, g)[0][0] ** (1 / (DEPTH - 1)) for g in fine_gains])
    for name, kind in ACTIVATIONS.items()
}
figure, axes = plt.subplots(figsize=(7.5, 4.6))
axes.axhline(1.0, color="0.35", linewidth=1)
axes.loglog(
    fine_gains, fine_gains / np.sqrt(2), color="0.8", linewidth=6, label=r"$\sigma / \sqrt{2}$"
)
for (name, factor), colour in zip(factors.items(), (ORANGE, BLUE, GREEN), strict=True):
    axes.loglog(fine_gains, factor, "o-", markersize=4, color=colour, label=name)
axes.annotate("explodes", (0.26, 1.12), color="0.35")
axes.annotate("vanishes", (0.26, 0.79), color="0.35")
axes.set(xlabel=r"gain $\sigma$", ylabel="factor $r$ of the gradient per layer", ylim=(0.05, 8))
axes.set_xticks([0.25, 0.5, 1, 2, 4, 8], ["0.25", "0.5", "1", "2", "4", "8"])
axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
axes.minorticks_off()
axes.legend()
plt.show()

for name, factor in factors.items():
    nearest = [
        factor[np.argmin(np.abs(fine_gains - g))] for g in (0.5, 1.0, np.sqrt(2), 2.0, 4.0, 8.0)
    ]
    print(f"{name:8} r at gains 0.5, 1, 1.41, 2, 4, 8: " + ", ".join(f"{r:.2f}" for r in nearest))

# %% [markdown]
# ### What is to be seen
#
# - **ReLU** follows $\sigma/\sqrt2$ over the whole range. The one gain that keeps gradients alive
#   is $\sigma = \sqrt 2$: the variance $2/n$ of He's initialisation, which your `Linear` uses. A
#   gain of 1 loses a factor of 0.71 per layer, and of a gradient of norm 1 about 0.001 is left
#   after 19 layers.
# - **Tanh** has $f' \approx 1$ near 0, so for small gains $r = \sigma$. For larger ones the units
#   saturate, $f'$ becomes small, and the two effects nearly cancel: from $\sigma = 1$ to $1.4$ the
#   factor stays within 10 % of 1. That makes tanh forgiving.
# - **Sigmoid** has $f' \le 1/4$ everywhere. So $r \le \sigma/4$, and for all gains drawn here the
#   gradient vanishes: with $\sigma = 1$ by a factor of about 0.24 per layer, to $10^{-12}$ in all.
#   Deep networks of sigmoids did not train, and this is why.
#
# ### What it means for training
#
# We put a readout on top of such stacks and train them for some epochs, all with the same learning
# rate.

# %%
EPOCHS = 4 if QUICK else 8
RATE = 0.02


def train_stack(activation, gain):
    """Train 20 layers and a readout on the digits; return mean loss and test accuracy by epoch.

    Ends with the first epoch in which the loss is no number any more.
    """
    layers = [*stack(activation, gain), Linear(UNITS, 10, rng=np.random.default_rng(5))]
    network, rng = Network(layers), np.random.default_rng(2)
    losses, accuracies = [], []
    for _ in range(EPOCHS):
        epoch = []
        for batch in minibatch_indices(len(x_train), 50, rng):
            with np.errstate(all="ignore"):  # what explodes may overflow
                epoch.append(network.train_step(x_train[batch], y_train[batch], RATE))
            if not np.isfinite(epoch[-1]):
                return [*losses, np.nan], [*accuracies, np.nan]
        losses.append(np.mean(epoch))
        accuracies.append(np.mean(network.forward(x_test).argmax(axis=1) == y_test))
    return losses, accuracies


RUNS = {
    r"Tanh, $\sigma = 1$": (Tanh, 1.0, BLUE),
    r"ReLU, $\sigma = \sqrt{2}$": (ReLU, np.sqrt(2), GREEN),
    r"ReLU, $\sigma = 0.5$": (ReLU, 0.5, SKY),
    r"ReLU, $\sigma = 2$": (ReLU, 2.0, ORANGE),
    r"Sigmoid, $\sigma = 4$": (Sigmoid, 4.0, PINK),
}
runs = {name: train_stack(kind, gain) for name, (kind, gain, _) in RUNS.items()}
trained = {name: losses for name, (losses, _) in runs.items()}

figure, (axes, right) = plt.subplots(1, 2, figsize=(12, 4.2))
axes.axhline(
    np.log(10), color="0.35", linewidth=1, linestyle=":", label=r"$\log 10$: all classes equal"
)
for name, (_, _, colour) in RUNS.items():
    losses = np.array(trained[name])
    epochs = np.arange(1, len(losses) + 1)
    axes.plot(epochs, losses, "o-", markersize=4, color=colour, label=name)
    right.plot(epochs, runs[name][1], "o-", markersize=4, color=colour)
    if np.isnan(losses[-1]):
        axes.plot(epochs[-1], 2.9, "x", color=colour, markersize=11, markeredgewidth=3)
        axes.annotate("no number", (epochs[-1] + 0.15, 2.9), va="center")
axes.set(xlabel="epoch", ylabel="mean training loss", ylim=(0, 3.1), xlim=(0.8, EPOCHS + 0.2))
right.axhline(0.1, color="0.35", linewidth=1, linestyle=":")
right.set(xlabel="epoch", ylabel="test accuracy", ylim=(0, 1), xlim=(0.8, EPOCHS + 0.2))
for panel in (axes, right):
    panel.set_xticks(range(1, EPOCHS + 1))
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
plt.show()

# %% [markdown]
# Of five deep networks, two learn: those with $r$ near 1. Two stay at $\log 10 = 2.3$, the loss
# of a network that gives every class the same probability: their lower layers get no gradient worth
# mentioning, and the differences between images fade on the way up as gradients do on the way
# down. And one is no number within its first epoch: with a factor of 1.41 for 20 layers, logits and
# gradients are a thousand times too large.
#
# No learning rate mends this. Where $r = 0.35$, the first layer's gradient is $10^{-9}$ of the last
# one's: a rate that is right for one is wrong by nine orders of magnitude for the other. In week 3,
# batch normalisation takes another way out.
#
# ### Your turn
#
# - `norms_by_layer` returns the norms of the activations, too. Draw them for ReLU. Which gain keeps
#   them, and why is it the same one as for gradients?
# - Add `LeakyReLU` with $\alpha = 0.5$. What is the mean of $f'^2$ now, and which gain does it
#   need? Check your prediction.
# - Try to train the stack of sigmoids with a gain of 8 and with other learning rates. Does anything
#   work?

# %% [markdown]
# *Your answers:*
