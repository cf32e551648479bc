"""Week 3: the derivation of batch normalisation. The one source of the notebook for students.

`make stubs` writes assignments/week3_training/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 3: the gradient of batch normalisation
#
# Derive the gradient by hand, in four steps, each with enough in between that a fellow student can
# follow, and write the result of each step down as a small NumPy function. A person reads and marks
# the derivation: a correct formula without its derivation earns few points, and a sound derivation
# with a slip at its end loses few. The functions are graded by tests.
#
# **How to hand in the derivation.** Write it into the cells that ask for it, mathematics between
# dollar signs as in `$\hat x_n = (x_n - \mu) / s$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave that cell as it is. The functions are always taken from here: each one has to stand
# whole in one cell, under the name and with the arguments it has now.
#
# **Notation**, the same as in the handout. Each feature is normalised by itself, so one column of
# the batch is enough on paper: $x_1, \dots, x_N$ are the $N$ numbers of one feature, and $\gamma$ and
# $\beta$ are numbers. In training mode
#
# $$ \mu = \frac{1}{N} \sum_{n} x_n, \qquad v = \frac{1}{N} \sum_{n} (x_n - \mu)^2, \qquad
#    s = \sqrt{v + \varepsilon}, \qquad \hat x_n = \frac{x_n - \mu}{s}, \qquad
#    y_n = \gamma \hat x_n + \beta . $$
#
# $L$ is the loss, and the upstream gradient $\partial L / \partial y_n$ is given for every $n$.
# Treat $\hat x_n$, $v$, $\mu$ and $x_n$ as the nodes of a computational graph: $x_n$ enters
# $\hat x_n$ directly, and *every* $\hat x_m$ by way of $v$ and $\mu$. The functions take whole
# batches, of shape $(N, D)$; what belongs to a feature has shape $(D,)$.

# %%
import numpy as np

# %% [markdown]
# ## The derivation
#
# 1. **The parameters, and $\hat x$.** $\partial L / \partial \gamma$ and
#    $\partial L / \partial \beta$; say in one sentence where the sums over the batch come from. Then
#    $g_n = \partial L / \partial \hat x_n$, which all further steps may use.
# 2. **The variance.** All $\hat x_n$ depend on $v$, with $\mu$ and the $x_n$ held fixed:
#    $\partial \hat x_n / \partial v$, and from it $\partial L / \partial v$, in terms of $g$,
#    $\hat x$ and $s$.
# 3. **The mean.** $\mu$ enters each $\hat x_n$ directly, and once more by way of $v$. Why is
#    $\partial v / \partial \mu = 0$, whatever the $x_n$ are? Then $\partial L / \partial \mu$.
# 4. **The input.** $x_n$ reaches the loss in three ways: by way of $\hat x_n$, of $v$ and of $\mu$.
#    Add up the three terms, and put them into the form that you implement: $1/s$ times a bracket with
#    one term for each way, in which $g$, $\hat x$ and means over the batch are all that is left.
#
# Two checks to finish with: what is $\sum_n \partial L / \partial x_n$, and why must it be so? What
# is left of $\partial L / \partial x_n$ in evaluation mode?

# %% [markdown] item="week3.written_batch_norm"
# **Your derivation** (`week3.written_batch_norm`, by hand):
#
# BEGIN SOLUTION week3.written_batch_norm
# **1.** $y_n = \gamma \hat x_n + \beta$, so $\partial y_n / \partial \gamma = \hat x_n$ and
# $\partial y_n / \partial \beta = 1$. The same $\gamma$ and $\beta$ serve all $N$ examples, so
#
# $$ \frac{\partial L}{\partial \gamma} = \sum_n \frac{\partial L}{\partial y_n} \hat x_n, \qquad
#    \frac{\partial L}{\partial \beta} = \sum_n \frac{\partial L}{\partial y_n}, \qquad
#    g_n = \frac{\partial L}{\partial y_n}\, \gamma . $$
#
# **2.** From $\hat x_n = (x_n - \mu) (v + \varepsilon)^{-1/2}$,
#
# $$ \frac{\partial \hat x_n}{\partial v} = -\tfrac12 (x_n - \mu) (v + \varepsilon)^{-3/2}
#    = -\frac{\hat x_n}{2 s^2}, \qquad
#    \frac{\partial L}{\partial v} = -\frac{1}{2 s^2} \sum_n g_n \hat x_n . $$
#
# **3.** $\partial v / \partial \mu = -\frac{2}{N} \sum_n (x_n - \mu) = 0$, since the deviations from
# the mean add up to nothing. So only the direct way is left, where
# $\partial \hat x_n / \partial \mu = -1/s$:
#
# $$ \frac{\partial L}{\partial \mu} = -\frac{1}{s} \sum_n g_n . $$
#
# **4.** With $\partial \hat x_n / \partial x_n = 1/s$,
# $\partial v / \partial x_n = \frac{2}{N} (x_n - \mu) = \frac{2}{N} s\, \hat x_n$ and
# $\partial \mu / \partial x_n = 1/N$,
#
# $$ \frac{\partial L}{\partial x_n} = \frac{g_n}{s}
#    - \frac{1}{2 s^2} \sum_m g_m \hat x_m \cdot \frac{2 s\, \hat x_n}{N}
#    - \frac{1}{N s} \sum_m g_m
#    = \frac{1}{s} \Big( g_n - \frac{1}{N} \sum_m g_m
#    - \hat x_n \cdot \frac{1}{N} \sum_m g_m \hat x_m \Big) . $$
#
# The sum over $n$ is 0: the first two terms cancel, and the $\hat x_n$ add up to nothing. It must be
# so because adding the same number to all $x_n$ moves $\mu$ along and leaves every $\hat x_n$ as it
# was. In evaluation mode $\mu$ and $v$ are constants, only the direct way is left, and
# $\partial L / \partial x_n = g_n / s$.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week3.derive_batch_norm"
def batch_norm_parameters(dL_dy, x_hat):
    """Step 1: return (dL/dgamma, dL/dbeta), each of shape (D,) (task week3.derive_batch_norm).

    dL_dy, x_hat: (N, D), neither changed.
    """
    # BEGIN SOLUTION week3.derive_batch_norm
    return (dL_dy * x_hat).sum(axis=0), dL_dy.sum(axis=0)
    # END SOLUTION


def batch_norm_dv(g, x_hat, s):
    """Step 2: return dL/dv, shape (D,) (task week3.derive_batch_norm).

    g: dL/dx_hat, (N, D); x_hat: (N, D); s: (D,). None is changed.
    """
    # BEGIN SOLUTION week3.derive_batch_norm
    return -(g * x_hat).sum(axis=0) / (2 * s**2)
    # END SOLUTION


def batch_norm_dmu(g, s):
    """Step 3: return dL/dmu, shape (D,) (task week3.derive_batch_norm).

    g: dL/dx_hat, (N, D); s: (D,). Neither is changed.
    """
    # BEGIN SOLUTION week3.derive_batch_norm
    return -g.sum(axis=0) / s
    # END SOLUTION


def batch_norm_dx(g, x_hat, s):
    """Step 4: return dL/dx in training mode, shape (N, D) (task week3.derive_batch_norm).

    g: dL/dx_hat, (N, D); x_hat: (N, D); s: (D,). None is changed.
    """
    # BEGIN SOLUTION week3.derive_batch_norm
    return (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / s
    # END SOLUTION


# %% [markdown]
# The judge. The next cell compares your functions with gradients that are measured, and knows no
# formula: each entry is moved by $\pm h$, and the loss is looked at. Run it as often as you like.

# %%
rng = np.random.default_rng(1)
x, gamma, beta, upstream = (rng.normal(size=shape) for shape in ((5, 2), 2, 2, (5, 2)))
mu, eps = x.mean(axis=0), 1e-5
v = x.var(axis=0)
s = np.sqrt(v + eps)
x_hat = (x - mu) / s


def loss(x, mu=None, v=None, gamma=gamma, beta=beta):
    """Any loss will do: this one has the gradient `upstream` with respect to y."""
    mu = x.mean(axis=0) if mu is None else mu
    v = x.var(axis=0) if v is None else v
    return np.sum(upstream * (gamma * (x - mu) / np.sqrt(v + eps) + beta))


def measured(function, point, h=1e-6):
    """Return the slopes of a function of an array, entry by entry."""
    slopes = np.zeros_like(point)
    for index in np.ndindex(*point.shape):
        step = np.zeros_like(point)
        step[index] = h
        slopes[index] = (function(point + step) - function(point - step)) / (2 * h)
    return slopes


def compare(name, mine, function, point):
    """Say how the gradient that `mine()` returns compares with the measured one."""
    try:
        found = np.asarray(mine())
    except NotImplementedError:
        print(f"{name}: not written yet")
        return
    expected = measured(function, point)
    if found.shape != expected.shape:
        print(f"{name}: has shape {found.shape}, and must have {expected.shape}, that of its input")
        return
    error = np.abs(found - expected).max()
    print(f"{name}: {'agrees' if error < 1e-6 else 'differs'} (largest difference {error:.1e})")


g = measured(lambda x_hat: np.sum(upstream * (gamma * x_hat + beta)), x_hat)
both = lambda: batch_norm_parameters(upstream, x_hat)  # noqa: E731 - short in a notebook
compare("dL/dgamma", lambda: both()[0], lambda gamma: loss(x, gamma=gamma), gamma)
compare("dL/dbeta", lambda: both()[1], lambda beta: loss(x, beta=beta), beta)
compare("batch_norm_dv", lambda: batch_norm_dv(g, x_hat, s), lambda v: loss(x, mu, v), v)
compare("batch_norm_dmu", lambda: batch_norm_dmu(g, s), lambda mu: loss(x, mu, v), mu)
compare("batch_norm_dx", lambda: batch_norm_dx(g, x_hat, s), loss, x)

# %% [markdown]
# ## Exploration
#
# One or more of the questions that the handout asks under *Exploration*, or one of your own: what you
# tried, what you saw (a table or a picture), and what you think is the reason. It is read together
# with your derivation, and a good answer makes up for a slip in it.

# %%
# Your experiment. What is computed here isn't graded, only what you write about it below.

# %% [markdown]
# **What you found out:**
#
# *Write here.*
