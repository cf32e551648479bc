"""Week 1: gradient derivations. The one source of the notebook that students fill in.

`make stubs` writes assignments/week1_backprop/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 1: gradient derivations
#
# Here the gradients of this week are found, before they go into any layer. Derive each one by hand,
# in enough steps that a fellow student can follow every one, then write the result down as a small
# NumPy function. The cell below it measures the gradient and says whether yours agrees: where it
# differs, look for the step that is wrong, and where it agrees, for the reason.
#
# A person reads and marks the derivation: a correct formula without its derivation earns few
# points, and a sound derivation with a slip at its end loses few. The functions are graded by tests.
#
# **How to hand in the derivations.** Write them into the cells that ask for them, mathematics
# between dollar signs as in `$y = x W^\top + b$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave those cells as they are. The functions are always taken from here: each one has to
# stand whole in one cell, under the name and with the arguments it has now.
#
# **Notation**, the same as in the handout. A batch has $N$ examples, one per row. $L$ is the loss,
# a single number. $\partial L / \partial y$ always has the shape of $y$. The symbol $\delta_{ij}$
# is 1 if $i = j$ and 0 otherwise. Clear symbols, one notation throughout, and the shapes of what
# you write down are part of the points.

# %%
import numpy as np

# %% [markdown]
# The next cell compares a formula of yours with a gradient that is measured: each entry is moved by
# $\pm h$, and the loss is looked at. Run it once; the cells that call it tell you how far you are.

# %%
rng = np.random.default_rng(1)


def measured(loss, x, h=1e-5):
    """Return the central differences (L(x + h) - L(x - h)) / (2 h) for each entry of x."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        ends = []
        for step in (h, -h):
            moved = x.copy()
            moved[index] += step
            ends.append(loss(moved))
        gradient[index] = (ends[0] - ends[1]) / (2 * h)
    return gradient


def compare(name, mine, loss, x):
    """Say how the gradient that `mine()` returns compares with the measured one."""
    try:
        found = np.asarray(mine())
    except NotImplementedError:
        print(f"{name}: not written yet")
        return
    expected = measured(loss, x)
    if found.shape != expected.shape:
        print(f"{name}: has shape {found.shape}, and must have {expected.shape}, that of its input")
        return
    error = np.abs(found - expected).max()
    print(f"{name}: {'agrees' if error < 1e-6 else 'differs'} (largest difference {error:.1e})")


# %% [markdown]
# ## 1. ReLU
#
# $y = \max(0, x)$, entry by entry. Derive $dy/dx$ and from it $\partial L / \partial x$. Say what
# happens at $x = 0$, where this course uses the slope of the negative side.

# %% [markdown] item="week1.written_relu"
# **Your derivation** (`week1.written_relu`, by hand):
#
# BEGIN SOLUTION week1.written_relu
# For $x > 0$ we have $y = x$, so $dy/dx = 1$; for $x < 0$ we have $y = 0$, so $dy/dx = 0$. At
# $x = 0$ the two one-sided derivatives are 0 and 1 and the derivative does not exist; any number in
# $[0, 1]$ is a subgradient, and this course takes 0. An entry of $x$ touches only its own entry of
# $y$, so $\partial L / \partial x_{nd} = \partial L / \partial y_{nd} \cdot [x_{nd} > 0]$.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_relu"
def relu_dx(dL_dy, x):
    """Return dL/dx, in the shape of x, of y = max(0, x) (task week1.derive_relu).

    dL_dy and x have the same shape, any; neither is changed. At x = 0 the derivative is 0.
    """
    # BEGIN SOLUTION week1.derive_relu
    return dL_dy * (x > 0)
    # END SOLUTION


# %%
x, upstream = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
compare("relu_dx", lambda: relu_dx(upstream, x), lambda x: (upstream * np.maximum(0, x)).sum(), x)

# %% [markdown]
# ## 2. The linear layer
#
# Given $y = x W^\top + b$ with $x$ of shape $(N, D)$, $W$ of shape $(M, D)$, $b$ of shape $(M,)$,
# and the upstream gradient $\partial L / \partial y$ of shape $(N, M)$.
#
# Write one entry $y_{nm}$ as a sum, differentiate it with respect to one entry of $x$, $W$ and $b$,
# apply the chain rule, and put the result back into matrix form. State the shape of each result and
# check that it fits. $\partial L / \partial b$ has no axis for the batch: say in one sentence what
# becomes of it, and why.

# %% [markdown] item="week1.written_linear"
# **Your derivation** (`week1.written_linear`, by hand):
#
# BEGIN SOLUTION week1.written_linear
# One entry of the output is $y_{nm} = \sum_{d} x_{nd} W_{md} + b_m$. Its derivatives with respect
# to single entries of the inputs are
#
# $$ \frac{\partial y_{nm}}{\partial x_{kd}} = \delta_{nk} W_{md}, \qquad
#    \frac{\partial y_{nm}}{\partial W_{jd}} = \delta_{mj}\, x_{nd}, \qquad
#    \frac{\partial y_{nm}}{\partial b_j} = \delta_{mj} . $$
#
# By the chain rule every entry of $y$ contributes, and the $\delta$ picks out the terms that stay:
#
# $$ \frac{\partial L}{\partial x_{kd}} = \sum_{n,m} \frac{\partial L}{\partial y_{nm}} \delta_{nk} W_{md}
#    = \sum_m \frac{\partial L}{\partial y_{km}} W_{md}
#    \quad\Rightarrow\quad \frac{\partial L}{\partial x} = \frac{\partial L}{\partial y}\, W,
#    \quad (N, M)(M, D) = (N, D), $$
#
# $$ \frac{\partial L}{\partial W_{jd}} = \sum_{n} \frac{\partial L}{\partial y_{nj}}\, x_{nd}
#    \quad\Rightarrow\quad \frac{\partial L}{\partial W} = \Big(\frac{\partial L}{\partial y}\Big)^{\!\top} x,
#    \quad (M, N)(N, D) = (M, D), $$
#
# $$ \frac{\partial L}{\partial b_j} = \sum_n \frac{\partial L}{\partial y_{nj}}, \quad (M,). $$
#
# The sum over the batch in $\partial L / \partial b$ stands there because the same $b_j$ enters the
# output of every example, so each example's contribution adds up.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_linear"
def linear_dx(dL_dy, W):
    """Return dL/dx, shape (N, D), of y = x W^T + b (task week1.derive_linear).

    dL_dy: (N, M); W: (M, D). Neither is changed.
    """
    # BEGIN SOLUTION week1.derive_linear
    return dL_dy @ W
    # END SOLUTION


def linear_dW(dL_dy, x):
    """Return dL/dW, shape (M, D), of y = x W^T + b (task week1.derive_linear).

    dL_dy: (N, M); x: (N, D). Neither is changed.
    """
    # BEGIN SOLUTION week1.derive_linear
    return dL_dy.T @ x
    # END SOLUTION


def linear_db(dL_dy):
    """Return dL/db, shape (M,), of y = x W^T + b (task week1.derive_linear).

    dL_dy: (N, M), not changed.
    """
    # BEGIN SOLUTION week1.derive_linear
    return dL_dy.sum(axis=0)
    # END SOLUTION


# %%
x, W, b, upstream = (rng.normal(size=shape) for shape in ((4, 3), (2, 3), (2,), (4, 2)))


def linear_loss(x, W, b):
    """Any loss will do: this one has the gradient `upstream` with respect to y."""
    return np.sum(upstream * (x @ W.T + b))


compare("linear_dx", lambda: linear_dx(upstream, W), lambda x: linear_loss(x, W, b), x)
compare("linear_dW", lambda: linear_dW(upstream, x), lambda W: linear_loss(x, W, b), W)
compare("linear_db", lambda: linear_db(upstream), lambda b: linear_loss(x, W, b), b)

# %% [markdown]
# ## 3. The sigmoid
#
# $y = 1 / (1 + e^{-x})$, entry by entry. Derive $dy/dx$, express it by the output $y$, and from it
# derive $\partial L / \partial x$.

# %% [markdown] item="week1.written_sigmoid"
# **Your derivation** (`week1.written_sigmoid`, by hand):
#
# BEGIN SOLUTION week1.written_sigmoid
# With $y = (1 + e^{-x})^{-1}$ the chain rule gives
#
# $$ \frac{dy}{dx} = -(1 + e^{-x})^{-2} \cdot (-e^{-x})
#    = \frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}} . $$
#
# The second factor is $1 - 1/(1 + e^{-x}) = 1 - y$, so $dy/dx = y (1 - y)$, and
# $\partial L / \partial x = \partial L / \partial y \cdot y (1 - y)$, entry by entry. The backward
# pass needs the output alone.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_sigmoid"
def sigmoid_dx(dL_dy, y):
    """Return dL/dx, in the shape of y, where y = sigmoid(x) (task week1.derive_sigmoid).

    dL_dy and the OUTPUT y have the same shape, any; neither is changed.
    """
    # BEGIN SOLUTION week1.derive_sigmoid
    return dL_dy * y * (1 - y)
    # END SOLUTION


# %%
def sigmoid(x):
    """Return 1 / (1 + exp(-x)) for each entry of x."""
    return 1 / (1 + np.exp(-x))


x, upstream = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
compare(
    "sigmoid_dx",
    lambda: sigmoid_dx(upstream, sigmoid(x)),
    lambda x: np.sum(upstream * sigmoid(x)),
    x,
)

# %% [markdown]
# ## 4. Tanh
#
# $y = (e^{x} - e^{-x}) / (e^{x} + e^{-x})$, entry by entry. Derive $dy/dx$, express it by the output
# $y$, and from it derive $\partial L / \partial x$.

# %% [markdown] item="week1.written_tanh"
# **Your derivation** (`week1.written_tanh`, by hand):
#
# BEGIN SOLUTION week1.written_tanh
# Call the numerator $u = e^{x} - e^{-x}$ and the denominator $v = e^{x} + e^{-x}$. Then $u' = v$ and
# $v' = u$, and by the quotient rule
#
# $$ \frac{dy}{dx} = \frac{u' v - u v'}{v^2} = \frac{v^2 - u^2}{v^2} = 1 - \Big(\frac{u}{v}\Big)^2
#    = 1 - y^2 . $$
#
# So $\partial L / \partial x = \partial L / \partial y \cdot (1 - y^2)$, entry by entry.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_tanh"
def tanh_dx(dL_dy, y):
    """Return dL/dx, in the shape of y, where y = tanh(x) (task week1.derive_tanh).

    dL_dy and the OUTPUT y have the same shape, any; neither is changed.
    """
    # BEGIN SOLUTION week1.derive_tanh
    return dL_dy * (1 - y**2)
    # END SOLUTION


# %%
compare(
    "tanh_dx", lambda: tanh_dx(upstream, np.tanh(x)), lambda x: np.sum(upstream * np.tanh(x)), x
)

# %% [markdown]
# ## 5. Mean squared error
#
# Given $L = \frac{1}{N D} \sum_{n,d} (p_{nd} - t_{nd})^2$ with predictions $p$ and targets $t$ of
# shape $(N, D)$. Derive $\partial L / \partial p$. Say why the divisor is $N D$ here and not $N$,
# and what would change in training if it were.

# %% [markdown] item="week1.written_mse"
# **Your derivation** (`week1.written_mse`, by hand):
#
# BEGIN SOLUTION week1.written_mse
# Only one term of the sum holds $p_{nd}$, and its derivative is twice the difference:
#
# $$ \frac{\partial L}{\partial p_{nd}} = \frac{1}{N D} \cdot 2\, (p_{nd} - t_{nd}), \quad (N, D). $$
#
# The loss is the mean over all $N D$ numbers, so that it does not grow with the number of examples
# or of outputs. With the divisor $N$ all gradients would be $D$ times larger: training with the
# learning rate $\eta$ would take the steps that $D \eta$ takes now.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_mse"
def mse_dp(p, t):
    """Return dL/dp, shape (N, D), of the mean squared error (task week1.derive_mse).

    p: predictions, t: targets, both (N, D); neither is changed.
    """
    # BEGIN SOLUTION week1.derive_mse
    return 2 * (p - t) / p.size
    # END SOLUTION


# %%
p, t = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
compare("mse_dp", lambda: mse_dp(p, t), lambda p: np.mean((p - t) ** 2), p)

# %% [markdown]
# ## 6. Softmax with cross-entropy
#
# Given logits $z$ of shape $(N, C)$, probabilities $p_{ni} = e^{z_{ni}} / \sum_j e^{z_{nj}}$, one-hot
# targets $t$, and $L = -\frac{1}{N} \sum_{n,i} t_{ni} \log p_{ni}$.
#
# 1. The Jacobian of the softmax, $\partial p_i / \partial z_j$, for one row: treat $i = j$ and
#    $i \ne j$ apart first, then put both into one formula with $\delta_{ij}$.
# 2. $\partial L / \partial z$, by the chain rule through that Jacobian.
# 3. Why subtracting $\max_j z_{nj}$ from every logit of row $n$ changes neither $p$ nor $L$.

# %% [markdown] item="week1.written_cross_entropy"
# **Your derivation** (`week1.written_cross_entropy`, by hand):
#
# BEGIN SOLUTION week1.written_cross_entropy
# **1.** For one row write $p_i = e^{z_i} / S$ with $S = \sum_j e^{z_j}$, so
# $\partial S / \partial z_j = e^{z_j}$. By the quotient rule, for $i = j$,
# $\partial p_i / \partial z_i = (e^{z_i} S - e^{z_i} e^{z_i}) / S^2 = p_i (1 - p_i)$, and for
# $i \ne j$, $\partial p_i / \partial z_j = -e^{z_i} e^{z_j} / S^2 = -p_i p_j$. Together
#
# $$ \frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j), \quad (C, C). $$
#
# **2.** For one row, $\partial L / \partial p_i = -t_i / (N p_i)$, so
#
# $$ \frac{\partial L}{\partial z_j} = \sum_i -\frac{t_i}{N p_i} \cdot p_i (\delta_{ij} - p_j)
#    = -\frac{1}{N} \Big( t_j - p_j \sum_i t_i \Big) = \frac{1}{N} (p_j - t_j), $$
#
# since a one-hot row adds up to 1. For the whole batch
# $\partial L / \partial z = (p - t) / N$, of shape $(N, C)$.
#
# **3.** With any constant $c$, $e^{z_i - c} / \sum_j e^{z_j - c} = e^{-c} e^{z_i} / (e^{-c} S) = p_i$:
# the factor cancels, and $L$ depends on $z$ by way of $p$ alone. With $c$ the largest logit no
# exponential is above 1, so none overflows.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week1.derive_cross_entropy"
def softmax_jacobian(p):
    """Return dp_i/dz_j in row i and column j, shape (C, C) (task week1.derive_cross_entropy).

    p: the softmax of one row of logits, shape (C,), not changed.
    """
    # BEGIN SOLUTION week1.derive_cross_entropy
    return np.diag(p) - np.outer(p, p)
    # END SOLUTION


def cross_entropy_dz(z, t):
    """Return dL/dz, shape (N, C), of the mean cross-entropy (task week1.derive_cross_entropy).

    z: logits, t: one-hot targets, both (N, C); neither is changed. Logits of +-1000 must not
    overflow.
    """
    # BEGIN SOLUTION week1.derive_cross_entropy
    shifted = np.exp(z - z.max(axis=1, keepdims=True))
    p = shifted / shifted.sum(axis=1, keepdims=True)
    return (p - t) / len(z)
    # END SOLUTION


# %%
z, t = rng.normal(size=(4, 3)), np.eye(3)[[0, 2, 1, 2]]


def softmax(z):
    """Return the softmax of each row of z."""
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


for i in range(3):  # row i of the Jacobian is the gradient of p_i
    compare(
        f"softmax_jacobian, row {i}",
        lambda i=i: softmax_jacobian(softmax(z[0]))[i],
        lambda row, i=i: softmax(row)[i],
        z[0],
    )
compare(
    "cross_entropy_dz",
    lambda: cross_entropy_dz(z, t),
    lambda z: -np.sum(t * np.log(softmax(z))) / len(z),
    z,
)

# %% [markdown]
# ## 7. Exploration
#
# One or more of the questions that the handout asks under *Exploration*, or one of your own: what
# you tried, what you saw (a table or a picture), and what you think is the reason. It is read
# together with your derivations, and a good answer makes up for a slip in them.

# %%
# Your experiment. What is computed here isn't graded, only what you write about it below.

# %% [markdown]
# **What you found out:**
#
# *Write here.*
