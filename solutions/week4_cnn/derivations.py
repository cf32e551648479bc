"""Week 4: the derivation of a convolution's gradients. The one source of the notebook for students.

`make stubs` writes assignments/week4_cnn/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 4: the gradients of a convolution
#
# Derive both gradients by hand, for one row of pixels. Everything that makes a convolution hard is in
# there already: windows that overlap, a stride, pixels that no window reads. Images then only add
# indices. Write each result down as a small NumPy function. A person reads and marks the derivation: a
# correct formula without its derivation earns few points, and a sound derivation with a slip at its
# end loses few. The functions are graded by tests.
#
# **How to hand in the derivation.** Write it into the cell that asks for it, mathematics between
# dollar signs as in `$y_r = \sum_i x_{rs+i} k_i$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave that cell as it is. The functions are always taken from here: each one has to stand
# whole in one cell, under the name and with the arguments it has now.
#
# **Notation.** $x_0, \dots, x_{W-1}$ are the pixels of one row, padded already, $k_0, \dots, k_{K-1}$
# are the numbers of a kernel, and the window moves by the stride $s$. There are
# $R = \lfloor (W - K) / s \rfloor + 1$ outputs:
#
# $$ y_r = \sum_{i=0}^{K-1} x_{r s + i} \, k_i , \qquad r = 0, \dots, R - 1 . $$
#
# $L$ is the loss, and the upstream gradient $\partial L / \partial y_r$ is given for every $r$.

# %%
import numpy as np

# %% [markdown]
# ## The derivation
#
# 1. **As a matrix.** $y$ is linear in $x$, so there is a matrix $T$ with $y = T x$. Write it down for
#    $W = 6$, $K = 3$, $s = 1$, and for $s = 2$. Which entry stands in row $r$ and column $m$? What is
#    in the columns of pixels that no window reads?
# 2. **The pixels.** What is the gradient of $T x$ with respect to $x$? Write one entry of the result
#    as a sum over $r$ again, with the $r$ that occur in it. Why do entries of it *add up* where
#    windows overlap?
# 3. **Why people say "rotated".** For $s = 1$: bring the sum of step 2 into the form of a
#    correlation of the upstream gradient, padded with $K - 1$ zeros on both sides, with another
#    kernel. Which one?
# 4. **The kernel.** Each $k_i$ acts in every output. Write $\partial L / \partial k_i$ as a sum
#    over $r$. Which two arrays are correlated there, and what does the stride do?
#
# A check to finish with: for any $x$ and any upstream gradient $g$, the numbers $\sum_r g_r y_r$,
# $\sum_m x_m \, \partial L / \partial x_m$ and $\sum_i k_i \, \partial L / \partial k_i$ are equal.
# Why? (Your tests can use it: it needs no formula of the gradient.)

# %% [markdown] item="week4.written_conv"
# **Your derivation** (`week4.written_conv`, by hand):
#
# BEGIN SOLUTION week4.written_conv
# **1.** $T_{rm} = k_{m - rs}$ where $0 \le m - rs < K$, and 0 elsewhere. For $W = 6$, $K = 3$, each row
# is the row above it moved to the right, by one place for $s = 1$ (4 rows) and by two for $s = 2$ (2
# rows). For $s = 2$ no row reaches pixel 5: its column is 0.
#
# **2.** From $y = T x$, $\partial y_r / \partial x_m = T_{rm}$, so
#
# $$ \frac{\partial L}{\partial x_m} = \sum_r \frac{\partial L}{\partial y_r} T_{rm}
#    = \sum_{r:\ 0 \le m - rs < K} \frac{\partial L}{\partial y_r}\, k_{m - rs} , $$
#
# which is $T^\top$ times the upstream gradient. The sum has a term for each window in which the pixel
# lies: each of these outputs moves when the pixel does, and the loss feels all of them.
#
# **3.** For $s = 1$, with $j = K - 1 - (m - r)$, that is $r = m - (K - 1) + j$:
#
# $$ \frac{\partial L}{\partial x_m} = \sum_{j=0}^{K-1} g_{m - (K-1) + j}\, k_{K - 1 - j} , $$
#
# with $g = \partial L / \partial y$, and $g = 0$ outside: the upstream gradient with $K - 1$ zeros on
# both sides, correlated with the kernel turned around. Adding windows up, as in step 2, uses the kernel
# as it is.
#
# **4.** $\partial y_r / \partial k_i = x_{rs + i}$, so
#
# $$ \frac{\partial L}{\partial k_i} = \sum_r \frac{\partial L}{\partial y_r}\, x_{rs + i} : $$
#
# the pixels correlated with the upstream gradient, whose entries stand $s$ pixels apart.
#
# The check: $y$ is linear in $x$ and linear in $k$, so
# $\sum_m x_m\, \partial y_r / \partial x_m = y_r = \sum_i k_i\, \partial y_r / \partial k_i$ for each
# $r$. Multiply by $g_r$ and add up.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week4.derive_conv"
def conv1d_matrix(kernel, width, stride):
    """Step 1: return the matrix T with y = T x, shape (R, width) (task week4.derive_conv).

    kernel: shape (K,), not changed; width: how many pixels x has, at least K.
    """
    # BEGIN SOLUTION week4.derive_conv
    rows = (width - len(kernel)) // stride + 1
    T = np.zeros((rows, width))
    for r in range(rows):
        T[r, r * stride : r * stride + len(kernel)] = kernel
    return T
    # END SOLUTION


def conv1d_dx(dL_dy, kernel, width, stride):
    """Step 2: return dL/dx, shape (width,) (task week4.derive_conv).

    dL_dy: shape (R,); kernel: shape (K,). Neither is changed.
    """
    # BEGIN SOLUTION week4.derive_conv
    dx = np.zeros(width)
    for r, upstream in enumerate(dL_dy):
        dx[r * stride : r * stride + len(kernel)] += upstream * kernel
    return dx
    # END SOLUTION


def conv1d_turned(kernel):
    """Step 3: return the kernel with which the padded upstream gradient is correlated for s = 1.

    kernel: shape (K,), not changed; the result has its shape (task week4.derive_conv).
    """
    # BEGIN SOLUTION week4.derive_conv
    return kernel[::-1].copy()
    # END SOLUTION


def conv1d_dkernel(dL_dy, x, size, stride):
    """Step 4: return dL/dkernel, shape (size,) (task week4.derive_conv).

    dL_dy: shape (R,); x: shape (W,). Neither is changed; `size` is K.
    """
    # BEGIN SOLUTION week4.derive_conv
    last = stride * (len(dL_dy) - 1) + 1
    return np.array([np.sum(dL_dy * x[i : i + last : stride]) for i in range(size)])
    # END SOLUTION


# %% [markdown]
# The next cell compares your functions with gradients that are measured: each number is moved by
# $\pm h$, and the loss is looked at. It knows no formula but the one of $y$ above. Run it as often as
# you like.

# %%
rng = np.random.default_rng(4)


def correlate(x, kernel, stride):
    """Return y, as above."""
    places = range(0, len(x) - len(kernel) + 1, stride)
    return np.array([np.dot(x[m : m + len(kernel)], kernel) for m in places])


def measured(function, point, h=1e-6):
    """Return the gradient of a function at a point, by central differences."""
    steps = h * np.eye(len(point))
    return np.array([(function(point + d) - function(point - d)) / (2 * h) for d in steps])


def compare(name, mine, expected):
    """Say how what `mine()` returns compares with what was measured."""
    try:
        found = np.asarray(mine())
    except NotImplementedError:
        print(f"{name}: not written yet")
        return
    if found.shape != expected.shape:
        print(f"{name}: has shape {found.shape}, and must have {expected.shape}")
        return
    error = np.abs(found - expected).max()
    print(f"{name}: {'agrees' if error < 1e-6 else 'differs'} (largest difference {error:.1e})")


for stride in (1, 2, 3):
    x, k = rng.normal(size=9), rng.normal(size=2 if stride == 3 else 3)
    g = rng.normal(size=len(correlate(x, k, stride)))
    print(f"stride {stride}, {len(x)} pixels, a kernel of {len(k)}")
    dx = measured(lambda moved: np.dot(g, correlate(moved, k, stride)), x)  # noqa: B023
    dk = measured(lambda moved: np.dot(g, correlate(x, moved, stride)), k)  # noqa: B023
    compare("  T x", lambda: conv1d_matrix(k, 9, stride) @ x, correlate(x, k, stride))  # noqa: B023
    compare("  dL/dx", lambda: conv1d_dx(g, k, 9, stride), dx)  # noqa: B023
    compare("  dL/dkernel", lambda: conv1d_dkernel(g, x, len(k), stride), dk)  # noqa: B023
    if stride == 1:
        wide = np.pad(g, len(k) - 1)
        compare("  dL/dx, turned", lambda: correlate(wide, conv1d_turned(k), 1), dx)  # noqa: B023
