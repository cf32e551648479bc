"""Source of the analyses of week 2: computational graphs drawn, walked, counted and timed."""

# %% [markdown]
# # Week 2: graphs, and what they cost
#
# Your engine writes down every operation as a node of a graph and walks it backward. This notebook
# makes the graphs visible and counts what they are made of:
#
# 1. **Graphs drawn.** An expression, a neuron, a small network; how `backward` walks them.
# 2. **Nodes and paths.** How large graphs get, and why reuse matters.
# 3. **Broadcasting.** What it does to a gradient.
# 4. **Cost.** What an operation of the engine costs, compared with plain NumPy.
#
# Nothing here is graded, and some of it uses what goes beyond the assignment's source texts. Each
# section ends with *Your turn*: questions to answer by changing a cell
# and running it again.

# %% [markdown]
# ## Set-up
#
# The next cell finds your modules. In the students' tree they are those in
# `assignments/week2_autograd/`; where the course's solutions are present, those are used instead
# (the environment variable `COURSE_MODULES=assignments` or `solutions` decides otherwise). If a gap
# that this notebook needs is not filled in yet, the cell stops and says which one.
#
# It also limits NumPy to one thread, so that part 4 compares code with code.

# %%
import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, so it has to stand before that

from workbench import BLUE, GREEN, ORANGE, prepare, seconds_of

root = prepare(
    week=2,
    needs={
        "autograd.py": (
            "week2.value_operators",
            "week2.value_functions",
            "week2.value_backward",
            "week2.tensor_elementwise",
            "week2.broadcasting",
            "week2.matmul",
            "week2.sum",
            "week2.tensor_backward",
            "week2.more_operations",
        ),
        "draw_graph.py": ("week2.draw_graph",),
        "mnist_autograd.py": ("week2.layers", "week2.network"),
    },
)

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
from autograd import Tensor, Value
from draw_graph import draw_graph, graph_of, label_of
from graph_picture import picture
from IPython.display import SVG, display
from mnist_autograd import AutogradMLP, cross_entropy

import data


def draw(value, **names):
    """Show the graph that a value was computed by; the names are those of some of its nodes."""
    display(SVG(draw_graph(value, names=names)))


# %% [markdown]
# ## 1. Graphs drawn
#
# ### An expression
#
# The handout's example is $f = (a + b) \cdot a$ with $a = 2$, $b = 1$. On paper $f = a^2 + ab$, so
#
# $$ \frac{\partial f}{\partial a} = 2a + b = 5, \qquad \frac{\partial f}{\partial b} = a = 2. \tag{1} $$
#
# Leaves are green, results blue. Each box shows the operation, the number (`data`) and the gradient
# (`grad`) after `f.backward()`.

# %%
a, b = Value(2.0), Value(1.0)
u = a + b
f = u * a
f.backward()
draw(f, a=a, b=b, u=u, f=f)

# %% [markdown]
# ### How backward walks
#
# A node may hand its gradient on only when that gradient is complete: after *all* nodes that use
# it. So `backward` takes the nodes in reverse topological order. Here is the same graph with the
# number of the step in which each node is visited.


# %%
def draw_walk(value, **names):
    """Draw a graph with the step of the backward pass at each node, in place of its data."""
    nodes, edges = graph_of(value)  # operands before results: read backwards, an order to walk in
    called = {id(node): name for name, node in names.items()}
    labels = []
    for index, node in enumerate(nodes):
        title, _, grad = label_of(node)
        labels.append([called.get(id(node), title), f"step {len(nodes) - index}", grad])
    display(SVG(picture(labels, edges)))


draw_walk(f, a=a, b=b, u=u, f=f)

nodes, edges = graph_of(f)
uses = [sum(operand == index for operand, _ in edges) for index in range(len(nodes))]
for step, index in enumerate(reversed(range(len(nodes))), start=1):
    node = nodes[index]
    what = f"{uses[index]} use{'s' if uses[index] != 1 else ''}" if uses[index] else "the start"
    print(f"step {step}: {node._op or 'leaf':5} gradient {node.grad:g}, complete after {what}")

# %% [markdown]
# $a$ has two uses: it receives $u = 3$ from the product directly, and $2$ by way of the sum. If it
# were visited before the sum, the second part would be missing. (The two leaves may come in either
# order.)
#
# ### A neuron
#
# One neuron with two inputs: $o = \tanh(w_1 x_1 + w_2 x_2 + b)$. The derivative of tanh is $1 -
# o^2$, and everything further to the left gets this factor:
#
# $$ \frac{\partial o}{\partial w_i} = (1 - o^2)\, x_i, \qquad \frac{\partial o}{\partial x_i} = (1 - o^2)\, w_i,
# \qquad \frac{\partial o}{\partial b} = 1 - o^2. \tag{2} $$


# %%
def neuron(bias):
    """Return the output of a neuron and its parts by name, after a backward pass."""
    parts = {"x1": 2.0, "x2": -1.0, "w1": 0.5, "w2": 1.5, "b": bias}
    parts = {name: Value(number) for name, number in parts.items()}
    sum_of_products = parts["x1"] * parts["w1"] + parts["x2"] * parts["w2"]
    parts["o"] = (sum_of_products + parts["b"]).tanh()
    parts["o"].backward()
    return parts


parts = neuron(bias=1.0)
draw(parts["o"], **parts)

# %%
biases = np.linspace(-5.0, 6.0, 111)
neurons = [neuron(float(bias)) for bias in biases]
before_tanh = np.array([parts["x1"].data * 0.5 - 1.5 + parts["b"].data for parts in neurons])
figure, axes = plt.subplots(figsize=(8, 4.2))
axes.plot(before_tanh, [p["o"].data for p in neurons], color="0.6", linestyle="--", label="$o$")
for name, label, colour in (
    ("w1", r"$\partial o / \partial w_1$", BLUE),
    ("w2", r"$\partial o / \partial w_2$", ORANGE),
    ("b", r"$\partial o / \partial b$", GREEN),
):
    axes.plot(before_tanh, [p[name].grad for p in neurons], color=colour, label=label)
axes.set(xlabel="sum before the tanh, $w_1 x_1 + w_2 x_2 + b$", ylabel="output and gradients")
axes.set(xlim=(before_tanh[0], before_tanh[-1]))
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
plt.show()

# %% [markdown]
# The three gradients have one shape, $1 - o^2$, times 2, -1 and 1: the numbers at the other operand
# of each product. Beyond about $\pm 3$ the neuron is *saturated*: $o$ is close to $\pm 1$, the
# factor is below 0.01, and nothing to the left of the tanh learns any more.
#
# ### A small network
#
# Two inputs, three hidden units with ReLU, one output: 13 parameters. First number by number, then
# the same network with arrays.


# %%
def numbers_of(inputs, hidden):
    """Return x, W1 and w2 of a small network, the same ones in each call. Biases: 0.2 and 0.1."""
    rng = np.random.default_rng(3)
    return rng.normal(size=inputs), rng.normal(size=(hidden, inputs)), rng.normal(size=hidden)


def value_network(inputs, hidden):
    """Return the output of the network, computed number by number."""
    x, W1, w2 = numbers_of(inputs, hidden)
    x = [Value(number) for number in x]
    output = Value(0.1)
    for row, weight in zip(W1, w2, strict=True):
        unit = Value(0.2)
        for factor, number in zip(row, x, strict=True):
            unit = unit + Value(factor) * number
        output = output + Value(weight) * unit.relu()
    return output


small = value_network(2, 3)
small.backward()
draw(small)


# %%
def tensor_network(inputs, hidden):
    """Return the parts of the same network, computed with arrays; its output is called y."""
    x, W1, w2 = numbers_of(inputs, hidden)
    parts = {
        "x": Tensor(x),
        "W1": Tensor(W1, requires_grad=True),
        "b1": Tensor(np.full(hidden, 0.2), requires_grad=True),
        "w2": Tensor(w2, requires_grad=True),
        "b2": Tensor(0.1, requires_grad=True),
    }
    parts["y"] = parts["w2"] @ (parts["W1"] @ parts["x"] + parts["b1"]).relu() + parts["b2"]
    return parts


parts = tensor_network(2, 3)
parts["y"].backward()
draw(parts["y"], **parts)
print(f"number by number {small.data:.6f}, with arrays {parts['y'].item():.6f}")

# %% [markdown]
# The arithmetic is the same, and so is the result. But each box of the second graph stands for a
# whole column of the first: one product of matrices for six multiplications and the additions
# between them.
#
# ### Your turn
#
# - Give the neuron a ReLU instead of the tanh. For which biases are all gradients exactly 0?
# - Draw $f = a \cdot a$. One edge leads from $a$ to the product, since `_prev` is a set. How many
#   contributions does the gradient of $a$ consist of?
# - Find a unit in the small network whose ReLU is off. Which boxes have the gradient 0 because of
#   that?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 2. Nodes and paths
#
# ### How large is a graph?
#
# Number by number, a network with $D$ inputs and $H$ hidden units has one node for each number and
# each operation: $DH$ products, as many additions and as many weights, plus a few nodes per unit.
# That is
#
# $$ \text{nodes} = 3DH + 5H + D + 1, \tag{3} $$
#
# with $5H$ for bias, ReLU, second weight, product and addition of each unit, $D$ inputs, and the
# last bias. With arrays the number of nodes does not depend on the sizes at all. Let us count.


# %%
def count(value):
    """Return how many nodes a value was computed from, itself included."""
    return len(graph_of(value)[0])


hidden_units = [1, 2, 4, 8, 16, 32, 64]
value_nodes = [count(value_network(16, h)) for h in hidden_units]
tensor_nodes = [count(tensor_network(16, h)["y"]) for h in hidden_units]
formula = [3 * 16 * h + 5 * h + 16 + 1 for h in hidden_units]

figure, axes = plt.subplots(figsize=(7.5, 4.2))
axes.loglog(hidden_units, formula, color="0.8", linewidth=7, label="formula (3)")
axes.loglog(hidden_units, value_nodes, "o-", color=BLUE, label="number by number")
axes.loglog(hidden_units, tensor_nodes, "s-", color=ORANGE, label="with arrays")
axes.set(xlabel="hidden units $H$ (16 inputs)", ylabel="nodes in the graph", ylim=(5, 1e4))
axes.set_xticks(hidden_units, [str(h) for h in hidden_units])
axes.minorticks_off()
axes.legend()
plt.show()
print(f"week 1's network on one image, by (3) with ten outputs: about {3 * 784 * 128:,} nodes")

# %% [markdown]
# A graph of single numbers grows with every weight. For week 1's network, one image would need some
# 300,000 Python objects, and a batch of 64 images nearly 20 million. With arrays there are ten
# nodes, for any size: NumPy's loops do the rest. That is the whole reason for `Tensor`.
#
# ### Reuse: nodes against paths
#
# The chain rule sums over all *paths* from the result back to a leaf. After `y = y + y.relu()`,
# repeated $n$ times, each sum is used twice by the next one, directly and by way of the ReLU. So
# there are $2^n$ paths, but only $2n + 1$ nodes.

# %%
y = Value(1.0)
leaf = y
for _ in range(4):
    y = y + y.relu()
y.backward()
draw(y, x=leaf, y=y)


# %%
def paths_to_leaf(value):
    """Return how many paths lead from a value to leaves, counted along the graph."""
    nodes, edges = graph_of(value)
    paths = [0] * len(nodes)
    for index, node in enumerate(nodes):  # operands first
        arriving = [paths[operand] for operand, result in edges if result == index]
        paths[index] = sum(arriving) if node._prev else 1
    return paths[-1]


doublings = range(1, 61)
nodes_of, paths_of, slopes = [], [], []
for n in doublings:
    y = leaf = Value(1.0)
    for _ in range(n):
        y = y + y.relu()
    y.backward()
    nodes_of.append(count(y))
    paths_of.append(paths_to_leaf(y))
    slopes.append(leaf.grad)

figure, axes = plt.subplots(figsize=(7.5, 4.2))
axes.semilogy(doublings, paths_of, color=ORANGE, label="paths from the result to the leaf")
axes.semilogy(doublings, slopes, ".", color="0.3", markersize=5, label=r"gradient of the leaf")
axes.semilogy(doublings, nodes_of, color=BLUE, label="nodes")
axes.axhline(1e8, color="0.6", linewidth=1, linestyle=":")
axes.annotate("visits that Python manages in about a minute", (59, 1.6e8), color="0.4", ha="right")
axes.set(xlabel="doublings $n$", ylabel="count", xlim=(1, 60))
axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.97))
plt.show()

# %% [markdown]
# The gradient *is* the number of paths here, since each path contributes 1. A walk that followed
# every path would be lost at $n = 40$. Your `backward` visits nodes: it adds up what arrives at a
# node first, and hands the *sum* on. 121 visits do the work of $2^{60} \approx 10^{18}$
# paths. This is what makes backpropagation cheap: a gradient of all parameters costs about as much
# as a few forward passes, whatever their number.
#
# ### Your turn
#
# - Formula (3) counts one image. Which terms would be multiplied by the batch size, and which would
#   not?
# - `f = (a * b + c) * (a * b)` computes the product twice. Count its nodes with the product
#   computed once and with it computed twice. Do the gradients of `a`, `b`, `c` differ?
# - Build a graph with $n$ nodes in which the number of paths is a Fibonacci number.

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 3. Broadcasting
#
# ### The question
#
# In $c = a + b$ with $a$ of shape $(2, 3)$, a smaller $b$ is *broadcast*: each of its entries is
# used several times. Uses add up, so its gradient is a sum over what broadcasting has repeated:
#
# $$ c_{ij} = a_{ij} + b_j \quad\Rightarrow\quad \frac{\partial L}{\partial b_j} = \sum_i \frac{\partial L}{\partial c_{ij}}. \tag{4} $$
#
# The graph shows only shapes. Below it are the numbers, for three shapes of $b$.

# %%
upstream = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 4.0]])
SHAPES = ((3,), (2, 1), ())
gradients = {}
for shape in SHAPES:
    a, b = Tensor(np.zeros((2, 3)), requires_grad=True), Tensor(np.ones(shape), requires_grad=True)
    c = a + b
    (c * Tensor(upstream)).sum().backward()
    gradients[shape] = b.grad
    if shape == (3,):
        draw(c, a=a, b=b, c=c)


def show(axes, array, title):
    """Draw an array of up to two axes as coloured cells with their numbers."""
    cells = np.atleast_2d(array)
    axes.imshow(cells, cmap="RdBu", vmin=-9.5, vmax=9.5)
    for (row, column), number in np.ndenumerate(cells):
        colour = "white" if abs(number) > 6.5 else "black"
        axes.text(column, row, f"{number:g}", ha="center", va="center", color=colour, fontsize=13)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[], xlim=(-0.6, 2.6), ylim=(1.6, -0.6))
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


figure, grid = plt.subplots(1, 4, figsize=(12, 2.6))
show(grid[0], upstream, r"$\partial L / \partial c$, shape (2, 3)")
sums = ("down each column", "along each row", "over everything")
for axes, shape, how in zip(grid[1:], SHAPES, sums, strict=True):
    show(axes, gradients[shape], rf"$\partial L / \partial b$, shape {shape}" + f"\nsummed {how}")
plt.show()

# %% [markdown]
# The gradient always has the shape of what it belongs to. A forgotten sum does not always show in
# the shape: with $a$ of shape $(3, 3)$ and $b$ of shape $(3,)$, summing along the wrong axis gives
# three numbers as well.
#
# The most frequent broadcast of all is the bias of a linear layer, $(H,)$ added to $(N, H)$. Week
# 1's rule that the bias gradient *sums over the batch* is (4), and here nobody had to derive it.
#
# ### Your turn
#
# - Predict the gradient of a `b` of shape $(1, 3)$, then of $(1, 1)$. Add them to `SHAPES` (and to
#   `sums`) and see.
# - What does broadcasting do to the gradient of `a` in `a * b`, with the shapes above? Which
#   numbers change?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 4. Cost
#
# ### The question
#
# For every operation the engine makes an object, a closure and a set, and later walks over them.
# What does that cost on top of the arithmetic? A simple model of an operation on $n$ numbers is
#
# $$ T(n) = T_0 + n\, t, \tag{5} $$
#
# a fixed part $T_0$ for the call, and a part for each number. The engine should change $T_0$ alone.
#
# ### The experiment
#
# We time $x \cdot y$ and $\tanh x$ for arrays from 1 to a million entries: in NumPy, and with the
# engine, forward alone and forward with backward.

# %%
SIZES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)


def costs(numpy_operation, tensor_operation):
    """Return seconds per call for each size: NumPy, engine forward, engine forward and backward."""
    rows = []
    for size in SIZES:
        x = np.linspace(0.1, 1.0, size)
        tensor = Tensor(x, requires_grad=True)

        def both(tensor=tensor):
            tensor.grad = None
            tensor_operation(tensor).sum().backward()

        forward = seconds_of(lambda t=tensor: tensor_operation(t))
        rows.append((seconds_of(lambda x=x: numpy_operation(x)), forward, seconds_of(both)))
    return np.array(rows)


operation_costs = {
    "$x * x$": costs(lambda x: x * x, lambda t: t * t),
    r"$\tanh x$": costs(np.tanh, lambda t: t.tanh()),
}
number = Value(0.5)
single = {
    "a Python float": seconds_of(lambda: 0.5 * math.pi),
    "a Value, forward": seconds_of(lambda: number * number),
}

# %%
figure, grid = plt.subplots(1, 2, figsize=(11.5, 4.5), sharey=True)
names = ("NumPy", "engine, forward", "engine, forward and backward")
for axes, (title, rows) in zip(grid, operation_costs.items(), strict=True):
    for name, colour, column in zip(names, (BLUE, GREEN, ORANGE), rows.T, strict=True):
        axes.loglog(SIZES, 1e6 * column, "o-", color=colour, markersize=4, label=name)
    axes.set(xlabel="entries of the array", title=title)
grid[0].set_ylabel(r"time per operation [$\mu$s]")
grid[0].legend()
plt.show()

for title, rows in operation_costs.items():
    for size, row in zip(SIZES[::3], rows[::3], strict=True):
        print(
            f"{title:9} {size:9,} entries: engine forward / NumPy = {row[1] / row[0]:5.1f}, ",
            end="",
        )
        print(f"with backward / NumPy = {row[2] / row[0]:5.1f}")
for name, seconds in single.items():
    print(f"one product with {name}: {1e9 * seconds:.0f} ns")

# %% [markdown]
# Both pictures have the form of (5): flat on the left, where $T_0$ is all there is, and rising in
# proportion to $n$ on the right. On the left an operation of the engine costs several times
# NumPy's: the object and its closure are made for one number as for a million. On the right the
# forward pass of the engine *is* NumPy's. With backward it stays above: the chain rule makes
# several passes over the array, and each writes a new one. For arrays beyond the processor's caches
# new memory is the expensive part of a cheap operation such as $x \cdot x$, much less so of tanh.
#
# A single `Value` pays $T_0$ for every number. That is why a network on Values is for looking at,
# and one with Tensors for training.
#
# ### A training step
#
# What is left of this in practice? Here is a step of week 1's network on digits, with your
# `AutogradMLP` and with a backward pass written by hand in eight lines.

# %%
digits = data.load("digits")
images = digits.x_train.reshape(len(digits.x_train), -1) / 255.0
labels = digits.y_train


def step_by_hand(weights, x, y, lr=0.01):
    """Do one step of gradient descent on W1, b1, W2, b2, with a backward pass written by hand."""
    W1, b1, W2, b2 = weights
    before = x @ W1 + b1
    hidden = np.maximum(before, 0.0)
    scores = hidden @ W2 + b2
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    gradient = powers / powers.sum(axis=1, keepdims=True)
    gradient[np.arange(len(y)), y] -= 1.0
    gradient /= len(y)
    lower = (gradient @ W2.T) * (before > 0.0)
    for array, slope in ((W2, hidden.T @ gradient), (b2, gradient.sum(0))):
        array -= lr * slope
    for array, slope in ((W1, x.T @ lower), (b1, lower.sum(0))):
        array -= lr * slope


BATCHES = (1, 4, 16, 64, 256, 1024)
step_times = []
for n in BATCHES:
    model = AutogradMLP(rng=np.random.default_rng(0))
    weights = [parameter.data.copy() for parameter in model.parameters()]
    x, y = images[:n], labels[:n]
    step_times.append(
        (
            seconds_of(lambda w=weights, x=x, y=y: step_by_hand(w, x, y), 0.1),
            seconds_of(lambda m=model, x=x, y=y: m.train_step(x, y, 0.01), 0.1),
        )
    )
by_hand, by_engine = np.array(step_times).T

figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.2))
left.loglog(BATCHES, 1e3 * by_hand, "o-", color=BLUE, label="backward by hand")
left.loglog(BATCHES, 1e3 * by_engine, "o-", color=ORANGE, label="your engine")
left.set(xlabel="batch size", ylabel="time of a training step [ms]")
left.legend()
right.semilogx(BATCHES, by_engine / by_hand, "o-", color=ORANGE)
right.axhline(1.0, color="0.35", linewidth=1)
right.set(xlabel="batch size", ylabel="time with the engine / by hand", ylim=(0, None))
for axes in (left, right):
    axes.set_xticks(BATCHES, [str(n) for n in BATCHES])
    axes.minorticks_off()
plt.show()

model = AutogradMLP(rng=np.random.default_rng(0))
loss = cross_entropy(model.forward(images[:64]), labels[:64])
loss.backward()
W1, b1, W2, b2 = model.parameters()
draw(loss, W1=W1, b1=b1, W2=W2, b2=b2, L=loss)
print(
    f"{count(loss)} nodes for a batch of 64 images and "
    f"{sum(p.size for p in model.parameters()):,} parameters"
)

# %% [markdown]
# The whole step is a graph of eleven nodes. Their overhead is a fraction of a millisecond, about
# the same for every batch. The larger the batch, the closer the ratio comes to 1: the products of
# matrices are the same ones. That is the bargain of every framework: a fixed price per operation,
# and nobody derives a backward pass any more. It is a good bargain as long as operations are large,
# which is one reason why one trains on batches.
#
# ### Your turn
#
# - Read $T_0$ of the engine and $t$ of NumPy off the left picture. From which $n$ on is the engine
#   less than twice as slow?
# - The `before > 0.0` in `step_by_hand` is the ReLU's derivative. Which lines belong to
#   `cross_entropy`?
# - Wrap the forward pass into `no_grad()`. Which part of $T_0$ goes away?
# - Write `x * x * x` as one new operation, with its own `_backward`. How much faster is it for
#   small arrays, and for large ones? Frameworks call this *fusing* operations.

# %% [markdown]
# *Your answers:*
