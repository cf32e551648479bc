"""Source of the analyses of week 3: optimizers on their way, schedules, batch norm, beginnings."""

# %% [markdown]
# # Week 3: what makes training work
#
# A gradient says in which direction the loss falls, for an infinitely small step. Everything this
# week is about steps that are *not* infinitely small. This notebook looks at three of its parts:
#
# 1. **Paths.** How the optimizers move through a ravine, along a bent valley and away from a
#    saddle.
# 2. **Schedules.** Learning rates drawn, and what they do to a network on the digits.
# 3. **Batch norm and initialisation.** Which networks train at all, how deep, and from which start.
#
# Nothing here is graded. Each section ends with *Your turn*: questions to answer by changing a cell
# and running it again.

# %% [markdown]
# ## Set-up
#
# The next cell finds your modules. In the students' tree they are those in
# `assignments/week3_training/`; where the course's solutions are present, those are used instead
# (the environment variable `COURSE_MODULES=assignments` or `solutions` decides otherwise). If a gap
# that this notebook needs is not filled in yet, the cell stops and says which one.
#
# It also limits NumPy to one thread: the networks here are small, and threads that wait for each
# other cost more than they bring.

# %%
import os

for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"  # read when NumPy is imported, so it has to stand before that

from workbench import BLUE, COLOURS, ORANGE, QUICK, prepare

root = prepare(
    week=3,
    needs={
        "optimizers.py": ("week3.sgd", "week3.momentum", "week3.rmsprop", "week3.adam"),
        "schedulers.py": (
            "week3.step_lr",
            "week3.exponential_lr",
            "week3.cosine_lr",
            "week3.warmup_lr",
        ),
        "batch_norm.py": (
            "week3.batch_norm_forward",
            "week3.batch_norm_backward",
            "week3.batch_norm_modes",
        ),
    },
)

# %%
import itertools

import matplotlib.pyplot as plt
import numpy as np
from batch_norm import BatchNorm1d

import data
from optimizers import SGD, Adam, Parameter, RMSprop, SGDMomentum
from schedulers import CosineAnnealingLR, ExponentialLR, StepLR, WarmupLR

# %% [markdown]
# ## 1. Paths
#
# ### The question
#
# In two dimensions one can watch an optimizer. We take three functions, each with one difficulty
# that networks have as well.
#
# A **ravine**: $f(x, y) = \tfrac12 (x^2 + 25\, y^2)$. Its curvature is 25 times larger in one
# direction than in the other. Gradient descent multiplies each coordinate by $1 - \eta\, c$ in
# every step, with that direction's curvature $c$, so it is stable only for $\eta < 2 / 25$; and
# then the flat direction shrinks by no more than a factor $1 - 2/25$.
#
# A **bent valley**, after Rosenbrock: $f(x, y) = (1 - x)^2 + 10\, (y - x^2)^2$. The way to the
# minimum at $(1, 1)$ leads along a parabola, and the gradient points mostly across it.
#
# A **saddle**: $f(x, y) = \tfrac12 x^2 - \tfrac14 y^2 + \tfrac1{16} y^4$. At the origin the
# gradient is zero, but it is no minimum: those lie at $y = \pm\sqrt 2$. We start at $y = 10^{-3}$,
# nearly on the ridge.


# %%
def ravine(p):
    """Return f and its gradient at p."""
    x, y = p
    return 0.5 * (x**2 + 25 * y**2), np.array([x, 25 * y])


def valley(p):
    """Return f and its gradient at p."""
    x, y = p
    across = y - x**2
    return (1 - x) ** 2 + 10 * across**2, np.array([-2 * (1 - x) - 40 * x * across, 20 * across])


def saddle(p):
    """Return f and its gradient at p."""
    x, y = p
    return 0.5 * x**2 - 0.25 * y**2 + y**4 / 16, np.array([x, -0.5 * y + 0.25 * y**3])


OPTIMIZERS = {
    "SGD": lambda p, lr: SGD([p], lr=lr),
    "SGDMomentum": lambda p, lr: SGDMomentum([p], lr=lr, momentum=0.9),
    "RMSprop": lambda p, lr: RMSprop([p], lr=lr, beta=0.9),
    "Adam": lambda p, lr: Adam([p], lr=lr),
}
LANDSCAPES = {
    "ravine": (ravine, (-4.0, 1.2), (0.0, 0.0), ((-4.6, 2.0), (-1.8, 1.8)), 60),
    "bent valley": (valley, (-1.2, 1.6), (1.0, 1.0), ((-2.0, 2.0), (-0.8, 2.6)), 400),
    "saddle": (saddle, (-1.5, 1e-3), (0.0, np.sqrt(2)), ((-1.9, 1.2), (-0.6, 1.9)), 60),
}
RATES = {
    "ravine": {"SGD": 0.07, "SGDMomentum": 0.02, "RMSprop": 0.1, "Adam": 0.3},
    "bent valley": {"SGD": 0.01, "SGDMomentum": 0.003, "RMSprop": 0.02, "Adam": 0.1},
    "saddle": {"SGD": 0.3, "SGDMomentum": 0.1, "RMSprop": 0.1, "Adam": 0.1},
}


def walk(function, make, start, steps):
    """Return the places an optimizer visits, shape (steps + 1, 2), and f at each of them."""
    p = Parameter(np.array(start, dtype=float))
    optimizer = make(p)
    places, heights = [p.data.copy()], [function(p.data)[0]]
    for _ in range(steps):
        p.grad = function(p.data)[1]
        optimizer.step()
        places.append(p.data.copy())
        heights.append(function(p.data)[0])
    return np.array(places), np.array(heights)


# %%
walks = {}
figure, grid = plt.subplots(2, 3, figsize=(13, 8.2))
for (title, (function, start, goal, (xs, ys), steps)), (above, below) in zip(
    LANDSCAPES.items(), grid.T, strict=True
):
    x, y = np.meshgrid(np.linspace(*xs, 200), np.linspace(*ys, 200))
    height = function(np.array([x, y]))[0]
    lowest = function(np.array(goal))[0]
    levels = lowest + np.linspace(0, np.sqrt(height.max() - lowest), 15)[1:] ** 2
    above.contour(x, y, height, levels=levels, colors="0.85", linewidths=0.8, zorder=0)
    for (name, make), colour in zip(OPTIMIZERS.items(), COLOURS, strict=False):
        rate = RATES[title][name]
        places, heights = walk(function, lambda p, m=make, r=rate: m(p, r), start, steps)
        walks[title, name] = places, heights - lowest
        label = f"{name}, lr {rate:g}"
        above.plot(*places.T, color=colour, marker=".", markersize=3.5, linewidth=1.2, label=label)
        below.semilogy(np.maximum(heights - lowest, 1e-12), color=colour, label=label)
    above.plot(*start, marker="o", color="0.2", markersize=6)
    above.plot(*goal, marker="*", color="0.2", markersize=12)
    above.set(title=title, xlabel="$x$", ylabel="$y$", xlim=xs, ylim=ys)
    below.set(xlabel="step", ylabel="$f$ above its minimum", ylim=(1e-8, 1e7), xlim=(0, steps))
    below.legend(fontsize="small", loc="upper right")
plt.show()


# %%
def steps_until(title, name, height):
    """Return the first step at which f is at most `height` above its minimum, or None."""
    below = np.flatnonzero(walks[title, name][1] <= height)
    return int(below[0]) if len(below) else None


for title in LANDSCAPES:
    print(f"{title}: steps until f is within 0.01 of its minimum")
    for name in OPTIMIZERS:
        print(f"    {name:12} {steps_until(title, name, 0.01)}")

# %% [markdown]
# **What to see.**
#
# - *Ravine.* Gradient descent jumps from wall to wall, since its learning rate is close to the
#   limit $2/25 = 0.08$, and creeps along the floor. Momentum averages the jumps out and gathers
#   speed along the floor, more than is good: it swings beyond the minimum and comes back. RMSprop
#   and Adam divide each coordinate by the size of its own gradients, so both coordinates start at
#   the same pace: at first they walk along the diagonal, as if there were no ravine.
# - *Bent valley.* All reach the floor soon, and then it is the small slope along it that counts.
#   The larger step sizes of Adam pay off here. RMSprop comes close and stays there: it divides by a
#   moving average of the gradient's size, so its steps hardly get smaller than the learning rate,
#   however small the gradient is. It needs a schedule, which is part 2.
# - *Saddle.* The gradient along the ridge is $-y/2$, and $y$ begins at 0.001. Gradient descent
#   multiplies $y$ by $1 + \eta/2$ in every step and needs dozens of steps to get anywhere. Dividing
#   by the gradient's own size makes a large step of a tiny gradient: RMSprop and Adam leave at
#   once. It has a price. Close to the minimum the gradients that RMSprop remembers fade as well,
#   until a tiny one divided by a tiny one is a step of ordinary length again: the jump near step
#   50.
#
# Which one is best is *not* what this shows: every rate here was chosen by hand, and two dimensions
# are not a million.
#
# ### Your turn
#
# - Raise the learning rate of SGD in the ravine to 0.079, then to 0.081. What does the limit $2/25$
#   say?
# - Set `momentum=0.5` for SGDMomentum in the ravine. Does it still swing?
# - Start the saddle at $y = 10^{-6}$. How many more steps does SGD need, and why is it not a
#   thousand times as many?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 2. Schedules
#
# ### The question
#
# Large steps make quick progress at first and cannot settle at the end; small ones can settle and
# take long. A schedule begins with large steps and ends with small ones. Here are four, over the
# same number of epochs, all from the same highest learning rate.


# %%
class Rate:
    """Stands in for an optimizer: a scheduler needs nothing of it but `lr`."""

    def __init__(self, lr):
        self.lr = lr


EPOCHS = 12 if QUICK else 30
HIGHEST = 0.05
SCHEDULES = {
    "constant": None,
    "StepLR": lambda o: StepLR(o, step_size=EPOCHS // 3, gamma=0.2),
    "ExponentialLR": lambda o: ExponentialLR(o, gamma=0.01 ** (1 / EPOCHS)),
    "CosineAnnealingLR": lambda o: CosineAnnealingLR(o, T_max=EPOCHS),
    "WarmupLR, then cosine": lambda o: WarmupLR(
        o, EPOCHS // 6, CosineAnnealingLR(o, T_max=EPOCHS - EPOCHS // 6)
    ),
}


def rates_of(make):
    """Return the learning rate of each epoch."""
    rate = Rate(HIGHEST)
    scheduler = make(rate) if make else None
    rates = []
    for epoch in range(EPOCHS):
        if scheduler:
            scheduler.step(epoch)
        rates.append(rate.lr)
    return rates


figure, axes = plt.subplots(figsize=(9, 3.8))
for (name, make), colour in zip(SCHEDULES.items(), ("0.6", *COLOURS), strict=False):
    axes.step(range(EPOCHS), rates_of(make), where="post", color=colour, label=name)
axes.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None), xlim=(0, EPOCHS))
figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
plt.show()

# %% [markdown]
# ### The end: where noise never ceases
#
# A step moves the weights by $\eta$ times the true gradient, plus $\eta$ times the noise that comes
# of looking at a few images only. Near a minimum the first part vanishes. The second does so only
# if *every* image is fitted perfectly. To keep the noise we give one image in ten a random label,
# and let the simplest of networks learn: one linear layer, in batches of 16. The order of the
# images is the same in all runs.

# %%
digits = data.load("digits")
x_train, x_test = (x.reshape(len(x), -1) / 255.0 for x in (digits.x_train, digits.x_test))
mean, deviation = x_train.mean(), x_train.std()
x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
y_train, y_test = digits.y_train, digits.y_test
print(f"{len(x_train)} images to train on, {len(x_test)} to test with")


class Layers:
    """Linear layers with tanh or ReLU between them, and batch norm before each of these if wanted.

    W has shape (inputs, outputs) here, so that a layer is x @ W + b. `start` maps the number of
    inputs to the standard deviation of the first weights.
    """

    def __init__(self, sizes, start, normalise=False, kind="relu", seed=0):
        rng = np.random.default_rng(seed)
        self.kind = kind
        self.weights = [
            Parameter(rng.normal(0.0, start(n), size=(n, m))) for n, m in itertools.pairwise(sizes)
        ]
        self.biases = [Parameter(np.zeros(m)) for m in sizes[1:]]
        self.norms = [BatchNorm1d(m) for m in sizes[1:-1]] if normalise else []

    @property
    def parameters(self):
        return [*self.weights, *self.biases]

    def forward(self, x):
        """Return the logits; what each layer was given is kept in `inputs`."""
        self.inputs, self.before = [], []
        for k, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            self.inputs.append(x)
            x = x @ W.data + b.data
            if k < len(self.weights) - 1:
                x = self.norms[k].forward(x) if self.norms else x
                self.before.append(x)
                x = np.tanh(x) if self.kind == "tanh" else np.maximum(x, 0.0)
        return x

    def backward(self, gradient, lr):
        """Fill the gradients of weights and biases; gamma and beta take their step themselves."""
        for k in reversed(range(len(self.weights))):
            if k < len(self.before):
                x = self.before[k]
                slope = 1.0 - np.tanh(x) ** 2 if self.kind == "tanh" else x > 0.0
                gradient = gradient * slope
                if self.norms:
                    norm = self.norms[k]
                    gradient = norm.backward(gradient)
                    norm.gamma = norm.gamma - lr * norm.dL_dgamma
                    norm.beta = norm.beta - lr * norm.dL_dbeta
            self.weights[k].grad = self.inputs[k].T @ gradient
            self.biases[k].grad = gradient.sum(axis=0)
            gradient = gradient @ self.weights[k].data.T

    def set_mode(self, training):
        for norm in self.norms:
            norm.train() if training else norm.eval()

    def loss_and_accuracy(self, x, y):
        """Return both in evaluation mode."""
        self.set_mode(training=False)
        log_p = log_softmax(self.forward(x))
        self.set_mode(training=True)
        return -log_p[np.arange(len(y)), y].mean(), (log_p.argmax(axis=1) == y).mean()


def log_softmax(z):
    """Return the logarithm of the softmax of each row."""
    z = z - z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def train(network, labels, lr, epochs, batch, make=None, seed=1):
    """Train by plain gradient descent; return the training loss after each epoch.

    Stops where the loss is no number any more.
    """
    optimizer = SGD(network.parameters, lr=lr)
    scheduler = make(optimizer) if make else None
    rng = np.random.default_rng(seed)
    losses = [network.loss_and_accuracy(x_train, labels)[0]]
    for epoch in range(epochs):
        if scheduler:
            scheduler.step(epoch)
        order = rng.permutation(len(x_train))
        for start in range(0, len(order) - batch + 1, batch):
            rows = order[start : start + batch]
            with np.errstate(all="ignore"):  # a run that diverges is a result here
                p = np.exp(log_softmax(network.forward(x_train[rows])))
                p[np.arange(batch), labels[rows]] -= 1.0
                network.backward(p / batch, optimizer.lr)
                optimizer.step()
        with np.errstate(all="ignore"):
            losses.append(network.loss_and_accuracy(x_train, labels)[0])
        if not np.isfinite(losses[-1]):
            break
    return np.array(losses)


def he(inputs):
    """Return He's standard deviation for layers with ReLU."""
    return np.sqrt(2.0 / inputs)


# %%
SEEDS = (0, 1)


def compare_schedules(sizes, labels):
    """Train a network with each schedule; return losses by schedule and seed, and accuracies."""
    curves, accuracies = {}, {}
    for name, make in SCHEDULES.items():
        for seed in SEEDS:
            network = Layers(sizes, he, seed=seed)
            losses = train(network, labels, HIGHEST, EPOCHS, batch=16, make=make, seed=seed)
            curves.setdefault(name, []).append(losses)
            accuracies.setdefault(name, []).append(network.loss_and_accuracy(x_test, y_test)[1])
    return curves, accuracies


def draw_curves(curves, accuracies, ticks=None, **limits):
    """Draw training losses by epoch, a colour for each schedule, and print how it ended."""
    figure, axes = plt.subplots(figsize=(9, 4.2))
    for (name, runs), colour in zip(curves.items(), ("0.6", *COLOURS), strict=False):
        for number, losses in enumerate(runs):
            label = name if number == 0 else None
            axes.semilogy(losses, color=colour, linewidth=1.3, label=label)
    axes.set(xlabel="epoch", ylabel="training loss", xlim=(0, EPOCHS), **limits)
    if ticks:
        axes.minorticks_off()
        axes.set_yticks(list(ticks), list(ticks.values()))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
    plt.show()
    for name, runs in curves.items():
        last = ", ".join(f"{run[-1]:.3f}" for run in runs)
        shown = ", ".join(f"{accuracy:.1%}" for accuracy in accuracies[name])
        print(f"{name:22} loss at the end {last:22} test accuracy {shown}")


rng = np.random.default_rng(5)
noisy = np.where(rng.random(len(y_train)) < 0.1, rng.integers(10, size=len(y_train)), y_train)
settled, settled_accuracies = compare_schedules((784, 10), noisy)
ticks = {number: str(number) for number in (0.5, 0.6, 0.8, 1, 1.5, 2, 3)}
draw_curves(settled, settled_accuracies, ticks, ylim=(0.5, 3))

# %% [markdown]
# With a constant rate the loss never comes to rest: it jumps up and down at a height that its noise
# sets. Every schedule that ends with small steps settles lower. They differ little among
# each other; what matters is that the rate falls far enough, and not too soon.
#
# ### The beginning: where the first steps are too long
#
# Now a network with a hidden layer of 64 units and ReLU, the true labels, and a highest rate that
# is four times larger.

# %%
HIGHEST = 0.2
begun, begun_accuracies = compare_schedules((784, 64, 10), y_train)
draw_curves(begun, begun_accuracies, ylim=(5e-4, 10))

# %% [markdown]
# Only with a *warm-up* does the network learn in every run. The other schedules begin with steps of
# 0.2 along the gradients of random weights, which are large and point in all directions. After a
# few of them most hidden units are negative for every image: their ReLU is off, no gradient gets
# through, and they stay off for good. What is left is a loss near that of guessing, $\ln 10 \approx
# 2.3$, or somewhere between, and no falling rate later on can mend it. `ExponentialLR` leaves the
# highest rates first and loses the fewest units; even so it ends far above the warm-up. A handful
# of epochs with small steps brings the weights to where long ones do no harm.
#
# ### Your turn
#
# - Set `HIGHEST = 0.05` in the last experiment. Do the schedules still matter? Why does the
#   constant rate reach so low a loss here, and not in the experiment before?
# - How short may the warm-up be before the network dies again?
# - The test accuracy in the first experiment hardly tells the four schedules apart. Why is the
#   training loss the better instrument for this question?

# %% [markdown]
# *Your answers:*

# %% [markdown]
# ## 3. Batch norm and initialisation
#
# ### The question
#
# In a layer $x^{(k+1)} = \mathrm{ReLU}(x^{(k)} W)$ with $n$ inputs and independent weights of
# variance $\sigma_W^2$, the mean square of the activations is multiplied, on average, by
#
# $$ \frac{\mathrm{E}\,[(x^{(k+1)})^2]}{\mathrm{E}\,[(x^{(k)})^2]} = \frac{n\, \sigma_W^2}{2} , \tag{1} $$
#
# since the sum of $n$ products has $n$ times their variance and ReLU keeps half of its square. He
# initialisation chooses $\sigma_W^2 = 2/n$, which makes the factor 1. A start that is only twice
# too small or too large gives a factor $2^{\mp 2}$ in *every layer*. Batch norm sets mean and
# variance in each layer anew, whatever the weights are. How much does each of the two help, and how
# deep?

# %%
WIDTH = 64
STARTS = {
    "half of He": lambda n: 0.5 * he(n),
    "He": he,
    "twice He": lambda n: 2.0 * he(n),
}
DEPTHS = (3, 12)
LINES = {False: ("without batch norm", ORANGE), True: ("with batch norm", BLUE)}


def network_of(depth, start, normalise, seed=0):
    """Return a network with `depth` hidden layers of WIDTH units and ReLU."""
    return Layers((784, *[WIDTH] * depth, 10), start, normalise, seed=seed)


figure, grid = plt.subplots(1, 3, figsize=(12.5, 3.9), sharey=True)
ratios = {}
for axes, (title, start) in zip(grid, STARTS.items(), strict=True):
    for normalise, (label, colour) in LINES.items():
        network = network_of(12, start, normalise)
        network.forward(x_train[:256])
        sizes = [np.sqrt(np.mean(np.maximum(x, 0.0) ** 2)) for x in network.before]
        ratios[title, normalise] = sizes[-1] / sizes[0]
        axes.semilogy(range(1, 13), sizes, "o-", color=colour, markersize=4, label=label)
    axes.set(title=title, xlabel="hidden layer", ylim=(1e-4, 1e4))
grid[0].set_ylabel("root mean square of the activations")
grid[0].legend()
plt.show()
for (title, normalise), ratio in ratios.items():
    print(f"{title:10} {LINES[normalise][0]:19} last layer / first layer: {ratio:.3g}")

# %% [markdown]
# Formula (1) in numbers: eleven factors of $1/2$ or $2$ in the root mean square are a factor of
# $2^{11}$, about 2000. With He's start the size stays within a factor of a few: (1) holds on
# average, and 64 units are not many. With batch norm the three starts give the *same* picture: a
# factor in front of all weights of a layer is divided out again.
#
# ### The experiment
#
# The same networks, with 3 and with 12 hidden layers, learn the digits in batches of 64 at one
# rate.

# %%
TRAINED_EPOCHS = 6 if QUICK else 12
learned = {}
for depth in DEPTHS:
    for title, start in STARTS.items():
        for normalise in LINES:
            runs = []
            for seed in SEEDS:
                network = network_of(depth, start, normalise, seed)
                losses = train(network, y_train, 0.05, TRAINED_EPOCHS, batch=64, seed=seed)
                runs.append((losses, network.loss_and_accuracy(x_test, y_test)[1]))
            learned[depth, title, normalise] = runs

figure, grid = plt.subplots(2, 3, figsize=(12.5, 6.6), sharex=True, sharey=True)
for (depth, title, normalise), runs in learned.items():
    axes = grid[DEPTHS.index(depth), list(STARTS).index(title)]
    label, colour = LINES[normalise]
    for number, (losses, _) in enumerate(runs):
        shown = np.where(np.isfinite(losses), losses, np.nan)
        axes.semilogy(shown, color=colour, linewidth=1.4, label=label if number == 0 else None)
    if not any(np.isfinite(losses[1:]).any() for losses, _ in runs):
        axes.plot(1, 25, "x", color=colour, markersize=11, markeredgewidth=3)
        axes.annotate(f"{label}: no number", (1.4, 25), va="center", color=colour)
    axes.axhline(np.log(10), color="0.6", linewidth=1, linestyle=":")
    axes.set(ylim=(5e-3, 50), xlim=(0, TRAINED_EPOCHS), title=f"{title}, {depth} hidden layers")
for axes in grid[:, 0]:
    axes.set_ylabel("training loss")
for axes in grid[1]:
    axes.set_xlabel("epoch")
grid[0, 0].legend(loc="lower left")
plt.show()
for (depth, title, normalise), runs in learned.items():
    accuracies = ", ".join(f"{accuracy:.0%}" for _, accuracy in runs)
    print(f"{depth:2} hidden layers, {title:10} {LINES[normalise][0]:19} accuracy {accuracies}")

# %% [markdown]
# **What to see.** With batch norm all six networks learn, from every start. Without it three layers
# forgive a start that is too small, and twelve do not: the signal is 2000 times smaller at the top,
# and so is everything that comes back. A start that is too large is worse. With three layers the
# first steps overshoot, and the ReLUs are off for good, as in part 2; with twelve the loss starts
# above 10,000 and is no number after the first epoch. From He's start twelve layers learn without
# batch norm too, only less evenly: initialisation sets the sizes once, at the beginning, and then
# the weights move. Batch norm sets them in every step.
#
# What batch norm does not do here is make the best network better: with three layers and He's start
# there is little between the two.
#
# ### Your turn
#
# - Replace `he` by $\sqrt{1/n}$ (`lambda n: np.sqrt(1 / n)`) and ReLU by tanh (`kind="tanh"` in
#   `Layers`). Which factor does (1) become for small activations? How deep can you go?
# - Give the network with batch norm a rate of 0.5 instead of 0.05. And the one without?
# - Train with batches of 4. What happens to the curves with batch norm, and why?

# %% [markdown]
# *Your answers:*
