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

import data
import matplotlib.pyplot as plt
import numpy as np
from losses import CrossEntropyLoss
from mnist_mlp import TwoLayerMLP, minibatch_indices, standardise
from neural_net import Linear, Network, ReLU, Sigmoid, Tanh

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
# is float32 (4 bytes). Whoever compares the two defaults compares two precisions, not two libraries.

# %%
STEP = 0.01
BATCHES = (1, 4, 16, 64, 256, 1024)


def numpy_step(batch, width=128, dtype=np.float64):
    """Return a function that does one training step of your network on a batch of this size."""
    model = TwoLayerMLP(hidden_size=width, rng=np.random.default_rng(0))
    for layer in (model.layer1, model.layer2):
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
# - **float32 is about twice as fast on the plateau.** Twice as many numbers fit into a register, and
#   half as many bytes have to be moved.
# - **In the same precision, NumPy and PyTorch are close on the plateau.** Both spend their time in a
#   BLAS. On small batches PyTorch is not faster either: before it computes anything, each of its
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

    watch(model.layer1, "forward", "layer 1 forward")
    watch(model.layer2, "forward", "layer 2 forward")
    watch(model.layer1, "backward", "layer 1 backward")
    watch(model.layer2, "backward", "layer 2 backward")
    for owner in (model.activation, model.loss):
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
# - **Large batches: arithmetic.** Layer 1 takes nearly everything: (1) says that its
#   share of the operations is $784 \cdot 128 / (784 \cdot 128 + 128 \cdot 10) = 98.7\,\%$. Its backward pass
#   has two products and takes about twice as long as its forward pass, which has one.
# - **Small batches: memory.** The update touches 100,000 weights, whether the batch has one image or
#   a thousand. It does next to no arithmetic: one multiplication and one subtraction for each weight.
#   What takes time is to fetch the weights and gradients, and to write the results. The same is true
#   of the gradient of the weights, which has as many entries.
# - **Small batches: calls.** ReLU and loss have next to nothing to compute for a few
#   images. Yet each of their NumPy calls takes a microsecond or so to check its arguments, find
#   the right loop, and allocate a result; and Python itself takes about as long between the calls.
#
# ### Memory traffic, measured
#
# `W = W - lr * dL_dW` is two operations to NumPy. The first writes `lr * dL_dW` into a new array,
# the second reads that array again. Here are three ways to do the same arithmetic, on weights of two
# sizes. Below each time stands the rate at which the weights would stream by if each were read once.


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
# The arithmetic is the same in each row, so whatever differs is memory. New arrays are the dearest
# kind: the operating system has to hand out their pages, cleared, before the first write.
# The large weights take more than their sixteenfold share: they fit into no cache. This
# is why frameworks update in place, and why they offer *fused* operations (one pass over the memory
# for several steps of a formula): PyTorch's compiler does little else than that.
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
# does not. So the more processors, the larger the share of the time that goes to what they
# cannot help with: entry-by-entry functions, Python itself, memory. (The law behind it is named after
# Gene Amdahl. If a share $s$ of the work can't be divided, no number of processors makes the whole
# more than $1/s$ times faster.) PyTorch divides entry-by-entry functions as well, when
# arrays are large. If other programs keep your processors busy, threads may bring nothing at all.
#
# ### Your turn
#
# - At which batch size does a training step begin to cost noticeably more than a step on one
#   image? What does that say about training with batches of one?
# - Leave out `dL_dy @ W` in the first layer (make a subclass of `Linear` that returns None) and
#   measure a step at batch 1024 again. Is a third of the time gone?
# - What is the rate of `no_new_arrays` on the large weights, counted in bytes that really move: two
#   arrays read and one written by each of the two operations, minus what a cache may save? Compare
#   with the memory bandwidth that your computer's maker promises.

# %% [markdown]
# *Your answers:*
