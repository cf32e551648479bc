"""Source of the analyses of week 2: computational graphs drawn, walked, counted and timed."""

# %% [markdown]
# # Week 2: graphs, and what they cost
#
# Your engine writes down every operation as a node of a graph and walks it backward. This notebook makes
# the graphs visible and counts what they are made of:
#
# 1. **Graphs drawn.** An expression, a neuron, a small network; how `backward` walks them.
# 2. **Nodes and paths.** How large graphs get, and why reuse matters.
# 3. **Broadcasting.** What it does to a gradient.
# 4. **Cost.** What an operation of the engine costs, compared with plain NumPy.
#
# Nothing here is graded. Each section ends with *Your turn*: questions to answer by changing a cell and
# running it again.

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

from workbench import BLUE, COLOURS, GREEN, ORANGE, PINK, SKY, prepare, seconds_of

root = prepare(
    week=2,
    needs={
        "autograd.py": (
            "week2.value_operators",
            "week2.value_functions",
            "week2.value_backward",
        ),
        "tensor.py": (
            "week2.tensor_elementwise",
            "week2.broadcasting",
            "week2.matmul",
            "week2.reductions",
            "week2.shapes",
            "week2.tensor_backward",
            "week2.cross_entropy",
        ),
        "draw_graph.py": ("week2.draw_graph",),
        "mnist_autograd.py": ("week2.layers",),
    },
)

# %%
import math

import data
import matplotlib.pyplot as plt
import numpy as np
from autograd import Value
from draw_graph import draw_graph, graph_of, label_of
from graph_picture import picture
from IPython.display import SVG, display
from mnist_autograd import AutogradMLP
from tensor import Tensor, cross_entropy


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
# A node may hand its gradient on only when that gradient is complete: after *all* nodes that use it. So
# `backward` takes the nodes in reverse topological order. Here is the same graph with the
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
# $a$ has two uses: it receives $u = 3$ from the product directly, and $2$ by way of the sum. If it were
# visited before the sum, the second part would be missing. (The two leaves may come in either order.)
#
# ### A neuron
#
# One neuron with two inputs: $o = \tanh(w_1 x_1 + w_2 x_2 + b)$. The derivative of tanh is $1 - o^2$,
# and everything further to the left gets this factor:
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
# The three gradients have one shape, $1 - o^2$, times 2, -1 and 1: the numbers at the other operand of
# each product. Beyond about $\pm 3$ the neuron is *saturated*: $o$ is close to $\pm 1$, the factor is
# below 0.01, and nothing to the left of the tanh learns any more.
#
# ### A small network
#
# Two inputs, three hidden units with ReLU, one output: 13 parameters. First number by number, then the
# same network with arrays.


# %%
def value_network(inputs, hidden):
    """Return the output of a network of single numbers: `inputs` inputs, ReLU, one output."""
    rng = np.random.default_rng(3)
    x = [Value(number) for number in rng.normal(size=inputs)]
    output = Value(0.1)
    for _ in range(hidden):
        unit = Value(0.2)
        for number in x:
            unit = unit + Value(rng.normal()) * number
        output = output + Value(rng.normal()) * unit.relu()
    return output


small = value_network(2, 3)
small.backward()
draw(small)


# %%
def tensor_network(inputs, hidden):
    """Return the output of the same kind of network, computed with arrays, and its parts."""
    rng = np.random.default_rng(3)
    parts = {
        "x": Tensor(rng.normal(size=inputs)),
        "W1": Tensor(rng.normal(size=(hidden, inputs)), requires_grad=True),
        "b1": Tensor(np.full(hidden, 0.2), requires_grad=True),
        "w2": Tensor(rng.normal(size=hidden), requires_grad=True),
        "b2": Tensor(0.1, requires_grad=True),
    }
    parts["y"] = parts["w2"] @ (parts["W1"] @ parts["x"] + parts["b1"]).relu() + parts["b2"]
    return parts


parts = tensor_network(2, 3)
parts["y"].backward()
draw(parts["y"], **parts)

# %% [markdown]
# The arithmetic is the same, but each box of the second graph stands for a whole column of the first:
# one product of matrices for six multiplications and the additions between them.
#
# ### Your turn
#
# - Give the neuron a ReLU instead of the tanh. For which biases are all gradients exactly 0?
# - Draw $f = a \cdot a$. How many edges lead from $a$ to the product, and what does each contribute?
# - Find a unit in the small network whose ReLU is off. Which boxes have the gradient 0 because of that?

# %% [markdown]
# *Your answers:*
