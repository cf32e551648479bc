"""Week 6: the derivation of attention's gradients. The one source of the notebook for students.

`make stubs` writes assignments/week6_attention/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 6: the gradients of attention
#
# Derive by hand what attention does backward, for one query. More queries, batches and heads then only
# add indices. Write each result down as a small NumPy function. A person reads and marks the
# derivation: a correct formula without its derivation earns few points, and a sound derivation with a
# slip at its end loses few. The functions are graded by tests.
#
# **How to hand in the derivation.** Write it into the cell that asks for it, mathematics between
# dollar signs as in `$y = \sum_j p_j v_j$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave that cell as it is. The functions are always taken from here: each one has to stand
# whole in one cell, under the name and with the arguments it has now.
#
# **Notation.** $q$ is one query with $d$ features. There are $n$ keys $k_1, \dots, k_n$ with as many
# features, and $n$ values $v_1, \dots, v_n$. In code the keys are the rows of an array `K` of shape
# (n, d), and the values those of `V`, of shape (n, dv).
#
# $$ s_j = \frac{q \cdot k_j}{\sqrt d} , \qquad
#    p_j = \frac{e^{s_j}}{\sum_i e^{s_i}} , \qquad
#    y = \sum_j p_j \, v_j . $$
#
# $L$ is the loss, and the upstream gradient $g = \partial L / \partial y$, with $dv$ entries, is given.

# %%
import numpy as np

# %% [markdown]
# ## The derivation
#
# 1. **Why there is a root.** Take the entries of $q$ and $k$ as independent random numbers of mean 0;
#    those of $q$ have the standard deviation $\sigma_q$, those of $k$ have $\sigma_k$. What is the mean
#    of one product $q_1 k_1$, and what is its variance? What is the standard deviation of $q \cdot k$?
#    Say what the softmax would look like for large $d$ without the division, and what its gradient
#    would be then.
# 2. **The values.** How does $y$ change when entry $c$ of $v_j$ does? Write $\partial L / \partial v_j$
#    down. (The weights do not depend on the values.)
# 3. **The scores.** First, $\partial L / \partial p_j$: by what does $y$ change with $p_j$ alone? Then
#    use the Jacobian of the softmax, which you found in week 1, and write $\partial L / \partial s_j$ as
#    $p_j$ times a difference. What are the two numbers that are compared in it? What do all
#    $\partial L / \partial s_j$ add up to, and why must that be so?
# 4. **Queries and keys.** Each $s_j$ is a product divided by $\sqrt d$. Write down
#    $\partial L / \partial q$ and $\partial L / \partial k_j$, in terms of the
#    $\partial L / \partial s_j$. In which of the two does a sum over the keys remain?
# 5. **Hidden keys.** A key that is masked has $s_j = -\infty$. What is $p_j$? What becomes of the
#    gradients of $k_j$ and $v_j$ in your formulas, without any further line of code?

# %% [markdown] item="week6.written_attention"
# **Your derivation** (`week6.written_attention`, by hand):
#
# BEGIN SOLUTION week6.written_attention
# **1.** $q_1$ and $k_1$ are independent, so the mean of $q_1 k_1$ is the product of the means, 0, and
# its variance is $\mathrm{E}[q_1^2]\,\mathrm{E}[k_1^2] = \sigma_q^2 \sigma_k^2$. The $d$ products are
# independent of each other: their variances add up to $d\, \sigma_q^2 \sigma_k^2$, and the standard
# deviation of $q \cdot k$ is $\sqrt d\, \sigma_q \sigma_k$. Divided by $\sqrt d$, scores have the same
# size for each $d$. Without that they grow with $\sqrt d$, the largest leaves the others far behind,
# and the softmax is nearly 1 for one key and 0 for the others. By step 3 all
# $\partial L / \partial s_j$ are nearly 0 then: nothing is learnt.
#
# **2.** $\partial y_c / \partial v_{jc} = p_j$, and other entries of $y$ don't move. So
#
# $$ \frac{\partial L}{\partial v_j} = p_j \, g . $$
#
# **3.** $\partial y / \partial p_j = v_j$, hence $\partial L / \partial p_j = g \cdot v_j$. With
# $\partial p_i / \partial s_j = p_i ([i = j] - p_j)$,
#
# $$ \frac{\partial L}{\partial s_j} = \sum_i (g \cdot v_i)\, p_i \,([i = j] - p_j)
#    = p_j \Bigl( g \cdot v_j - \sum_i p_i \, g \cdot v_i \Bigr) = p_j \, g \cdot (v_j - y) . $$
#
# What key $j$ brings is compared with what attention has brought on the mean. They add up to
# $g \cdot y - g \cdot y = 0$, and must: the softmax does not change when all scores grow by the same.
#
# **4.** $\partial s_j / \partial q = k_j / \sqrt d$ and $\partial s_j / \partial k_j = q / \sqrt d$, so
#
# $$ \frac{\partial L}{\partial q} = \frac{1}{\sqrt d} \sum_j \frac{\partial L}{\partial s_j} \, k_j ,
#    \qquad \frac{\partial L}{\partial k_j} = \frac{1}{\sqrt d} \frac{\partial L}{\partial s_j} \, q . $$
#
# The query has acted in every score, so there the sum over the keys remains. (With several queries, a
# key has acted in a score of each, and there is a sum over the queries in its gradient.)
#
# **5.** $p_j = 0$, and both $\partial L / \partial v_j$ and $\partial L / \partial s_j$ have it as a
# factor: the gradients of a hidden key and of its value are 0, if the weights are those of the mask.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week6.derive_attention"
def product_deviation(d, sigma_q, sigma_k):
    """Step 1: return the standard deviation of q . k, a float (task week6.derive_attention).

    d: how many entries q and k have; sigma_q, sigma_k: the standard deviations of these entries.
    """
    # BEGIN SOLUTION week6.derive_attention
    return float(np.sqrt(d) * sigma_q * sigma_k)
    # END SOLUTION


def attention_dV(g, p):
    """Step 2: return dL/dV, shape (n, dv), one row for each value (task week6.derive_attention).

    g: dL/dy, shape (dv,); p: the weights, shape (n,). Neither is changed.
    """
    # BEGIN SOLUTION week6.derive_attention
    return np.outer(p, g)
    # END SOLUTION


def attention_ds(g, p, V):
    """Step 3: return dL/ds, shape (n,) (task week6.derive_attention).

    g: dL/dy, shape (dv,); p: the weights, shape (n,); V: shape (n, dv). None of them is changed.
    """
    # BEGIN SOLUTION week6.derive_attention
    dL_dp = V @ g
    return p * (dL_dp - np.dot(p, dL_dp))
    # END SOLUTION


def attention_dq(dL_ds, K):
    """Step 4: return dL/dq, shape (d,) (task week6.derive_attention).

    dL_ds: shape (n,); K: shape (n, d). Neither is changed.
    """
    # BEGIN SOLUTION week6.derive_attention
    return dL_ds @ K / np.sqrt(K.shape[1])
    # END SOLUTION


def attention_dK(dL_ds, q):
    """Step 4: return dL/dK, shape (n, d), one row for each key (task week6.derive_attention).

    dL_ds: shape (n,); q: shape (d,). Neither is changed.
    """
    # BEGIN SOLUTION week6.derive_attention
    return np.outer(dL_ds, q) / np.sqrt(len(q))
    # END SOLUTION


# %% [markdown]
# The next cell compares your functions with what is measured: random products are drawn, and numbers
# are moved by $\pm h$ while the loss is looked at. It knows no formula but those of the forward pass.
# Run it as often as you like.

# %%
rng = np.random.default_rng(6)


def scores(q, K):
    """Return s, as above."""
    return K @ q / np.sqrt(len(q))


def softmax(s):
    """Return p, as above."""
    exponentials = np.exp(s - s.max())
    return exponentials / exponentials.sum()


def measured(function, point, h=1e-6):
    """Return the gradient of a function at a point, by central differences."""
    slopes = np.zeros(point.shape)
    for number in range(point.size):
        step = np.zeros(point.shape)
        step.flat[number] = h
        slopes.flat[number] = (function(point + step) - function(point - step)) / (2 * h)
    return slopes


def compare(name, mine, expected, near=1e-6):
    """Say how what `mine()` returns compares with what was measured."""
    expected = np.asarray(expected)
    try:
        found = np.asarray(mine())
    except NotImplementedError:
        print(f"{name}: not written yet")
        return
    if found.shape != expected.shape:
        print(f"{name}: has shape {found.shape}, and must have {expected.shape}")
        return
    error = np.abs(found - expected).max()
    print(f"{name}: {'agrees' if error < near else 'differs'} (largest difference {error:.1e})")


for d in (1, 4, 64):
    drawn = np.sum(rng.normal(0, 2.0, (20_000, d)) * rng.normal(0, 0.5, (20_000, d)), axis=1)
    print(f"{d} features: 20,000 products have the standard deviation {drawn.std():.2f}")
    compare("  q . k", lambda: product_deviation(d, 2.0, 0.5), drawn.std(), 0.03 * drawn.std())  # noqa: B023

for n, d, dv in ((2, 3, 1), (5, 4, 3)):
    q, K, V, g = (
        rng.normal(size=d),
        rng.normal(size=(n, d)),
        rng.normal(size=(n, dv)),
        rng.normal(size=dv),
    )
    s = scores(q, K)
    p = softmax(s)
    print(f"{n} keys of {d} features, values of {dv}")
    ds = measured(lambda moved: np.dot(g, softmax(moved) @ V), s)  # noqa: B023
    dV = measured(lambda moved: np.dot(g, p @ moved), V)  # noqa: B023
    dq = measured(lambda moved: np.dot(g, softmax(scores(moved, K)) @ V), q)  # noqa: B023
    dK = measured(lambda moved: np.dot(g, softmax(scores(q, moved)) @ V), K)  # noqa: B023
    compare("  dL/dV", lambda: attention_dV(g, p), dV)  # noqa: B023
    compare("  dL/ds", lambda: attention_ds(g, p, V), ds)  # noqa: B023
    compare("  dL/dq", lambda: attention_dq(ds, K), dq)  # noqa: B023
    compare("  dL/dK", lambda: attention_dK(ds, q), dK)  # noqa: B023
