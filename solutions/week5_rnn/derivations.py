"""Week 5: the derivation of gradients through time. The one source of the notebook for students.

`make stubs` writes assignments/week5_rnn/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 5: gradients through time
#
# Derive by hand what a recurrent network does backward, for one sequence. Batches then only add an
# index. Write each result down as a small NumPy function. A person reads and marks the derivation: a
# correct formula without its derivation earns few points, and a sound derivation with a slip at its
# end loses few. The functions are graded by tests.
#
# **How to hand in the derivation.** Write it into the cell that asks for it, mathematics between
# dollar signs as in `$h_t = \tanh(z_t)$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave that cell as it is. The functions are always taken from here: each one has to stand
# whole in one cell, under the name and with the arguments it has now.
#
# **Notation.** Everything at one time is a row. There are $T$ steps and $H$ states:
#
# $$ z_t = x_t W_x + h_{t-1} W_h + b , \qquad h_t = \tanh(z_t) , \qquad t = 1, \dots, T , $$
#
# with a given $h_0$. The loss $L$ uses every state. If $h_t$ is thought to act on the loss *directly*
# alone, and not by way of later states, the gradient is $u_t$. These $u_1, \dots, u_T$ are given. What
# you look for is the whole gradient $\partial L / \partial h_t$, in which everything counts that a
# change of $h_t$ causes.
#
# In code `h` is an array of shape (T, H), and its row number 0 is $h_1$; $h_0$ is an argument of its own.

# %%
import numpy as np

# %% [markdown]
# ## The derivation
#
# 1. **The last step, and the one before.** Which part of the loss feels $h_T$? Write
#    $\partial L / \partial h_T$ down. By which two ways does $h_{T-1}$ reach the loss? Find the
#    recursion that gives $\partial L / \partial h_t$ from $\partial L / \partial h_{t+1}$. (The slope of
#    tanh, from its own output, is what you found in week 1.)
# 2. **One matrix, used T times.** Pretend that each step has a matrix of its own, $W_h^{(t)}$. What is
#    $\partial L / \partial W_h^{(t)}$? Now they are all the same matrix: why does
#    $\partial L / \partial W_h$ follow from these, and what is it? Which state stands in it, that
#    before the step or that after it?
# 3. **A product of Jacobians.** Let $J$ be the matrix with $J_{jk} = \partial h_{T,j} / \partial h_{0,k}$:
#    how entry $j$ of the last state moves with entry $k$ of the first. Write it as a product of one
#    matrix for each step. In which order do they stand? Bound its norm by the norm of $W_h$. When does
#    it vanish for long sequences, and can it also grow?
# 4. **The cell of an LSTM.** Now
#    $c_t = f_t \odot c_{t-1} + i_t \odot g_t$ and $h_t = o_t \odot \tanh(c_t)$, where $\odot$ multiplies
#    entry by entry. The whole gradients $\partial L / \partial h_t$ are given here. Find the recursion for
#    $\partial L / \partial c_t$. Then, with gates that are held fixed: what is
#    $\partial c_T / \partial c_0$? Compare it with step 3, and say what a forget gate near 1 changes.

# %% [markdown] item="week5.written_rnn"
# **Your derivation** (`week5.written_rnn`, by hand):
#
# BEGIN SOLUTION week5.written_rnn
# **1.** After the last step nothing follows, so $\partial L / \partial h_T = u_T$. A state before it
# acts directly, $u_t$, and through $h_{t+1}$. From $h_{t+1} = \tanh(z_{t+1})$ and
# $z_{t+1} = \dots + h_t W_h$, with $\delta_t = \partial L / \partial z_t$:
#
# $$ \delta_t = \frac{\partial L}{\partial h_t} \odot (1 - h_t \odot h_t) , \qquad
#    \frac{\partial L}{\partial h_t} = u_t + \delta_{t+1} W_h^\top , \qquad \delta_{T+1} = 0 . $$
#
# **2.** $z_{t,j} = \dots + \sum_k h_{t-1,k} W^{(t)}_{h,kj}$, so
# $\partial L / \partial W^{(t)}_{h,kj} = h_{t-1,k}\, \delta_{t,j}$. If one matrix stands in all places,
# a change of it changes all of them at once, and the loss by the sum (the chain rule, for
# $W^{(t)} = W$):
#
# $$ \frac{\partial L}{\partial W_h} = \sum_{t=1}^{T} h_{t-1}^\top \delta_t . $$
#
# It is the state *before* the step, since that is what $W_h$ multiplied.
#
# **3.** For one step, $\partial h_{t,j} / \partial h_{t-1,k} = (1 - h_{t,j}^2)\, W_{h,kj}$, that is
# $J_t = \mathrm{diag}(1 - h_t^2)\, W_h^\top$. By the chain rule $J = J_T J_{T-1} \cdots J_1$: the last
# step stands on the left. A slope of tanh is at most 1, so
#
# $$ \lVert J \rVert \le \prod_t \max_j (1 - h_{t,j}^2)\, \lVert W_h \rVert \le \lVert W_h \rVert^T . $$
#
# If the largest singular value of $W_h$ is below 1, it vanishes exponentially in T, and with slopes
# below 1 also for larger ones. It can grow only if the norm is above 1 and the units aren't saturated.
#
# **4.** $c_t$ reaches the loss through $h_t$ and through $c_{t+1}$:
#
# $$ \frac{\partial L}{\partial c_t} = \frac{\partial L}{\partial h_t} \odot o_t \odot
#    (1 - \tanh^2 c_t) + \frac{\partial L}{\partial c_{t+1}} \odot f_{t+1} , $$
#
# without the second term for $t = T$. With fixed gates $\partial c_T / \partial c_0$ is diagonal, with
# the entries $\prod_t f_{t,j}$: no matrix, no slope of tanh. A forget gate of 0.99 keeps 0.99^50 = 0.6
# over 50 steps; one of 0.5, where it begins with bias 0, keeps $10^{-15}$.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week5.derive_rnn"
def rnn_dh(direct, h, Wh):
    """Step 1: return dL/dh_1 ... dL/dh_T, shape (T, H) (task week5.derive_rnn).

    direct: u_1 ... u_T, shape (T, H); h: h_1 ... h_T, shape (T, H); Wh: shape (H, H). None of them
    is changed.
    """
    # BEGIN SOLUTION week5.derive_rnn
    dh = np.array(direct, dtype=float)
    for t in reversed(range(len(h) - 1)):
        dh[t] += (dh[t + 1] * (1.0 - h[t + 1] ** 2)) @ Wh.T
    return dh
    # END SOLUTION


def rnn_dWh(dh, h, h0):
    """Step 2: return dL/dWh, shape (H, H) (task week5.derive_rnn).

    dh: the whole gradients dL/dh_1 ... dL/dh_T, shape (T, H); h: h_1 ... h_T, shape (T, H); h0:
    shape (H,). None of them is changed.
    """
    # BEGIN SOLUTION week5.derive_rnn
    before = np.vstack([h0, h[:-1]])
    return before.T @ (dh * (1.0 - h**2))
    # END SOLUTION


def rnn_jacobian(h, Wh):
    """Step 3: return the matrix J, shape (H, H): J[j, k] is the slope of h_T[j] by h_0[k].

    (Task week5.derive_rnn.) h: h_1 ... h_T, shape (T, H); Wh: shape (H, H). Neither is changed.
    """
    # BEGIN SOLUTION week5.derive_rnn
    J = np.eye(len(Wh))
    for state in h:
        J = (1.0 - state**2)[:, None] * (Wh.T @ J)
    return J
    # END SOLUTION


def lstm_dc(dh, o, f, c):
    """Step 4: return dL/dc_1 ... dL/dc_T, shape (T, H) (task week5.derive_rnn).

    dh: the whole gradients dL/dh_1 ... dL/dh_T; o, f: the output and the forget gates; c: the cells
    c_1 ... c_T. All of shape (T, H); none of them is changed.
    """
    # BEGIN SOLUTION week5.derive_rnn
    dc = dh * o * (1.0 - np.tanh(c) ** 2)
    for t in reversed(range(len(c) - 1)):
        dc[t] += dc[t + 1] * f[t + 1]
    return dc
    # END SOLUTION


# %% [markdown]
# The next cell compares your functions with gradients that are measured: something is moved by
# $\pm h$, and the loss is looked at. It knows no formula but those of the forward pass. Run it as often
# as you like.

# %%
rng = np.random.default_rng(5)


def rnn_states(h0, Wh, from_inputs, moves):
    """Return h_1 ... h_T, where each state is moved by an entry of `moves` before it is used."""
    states, h = [], h0
    for z, move in zip(from_inputs, moves, strict=True):
        h = np.tanh(z + h @ Wh) + move
        states.append(h)
    return np.array(states)


def lstm_states(i, f, o, g, moves):
    """Return h_1 ... h_T and the cells, for given gates; each cell is moved before it is used."""
    cells, c = [], np.zeros(i.shape[1])
    for t, move in enumerate(moves):
        c = f[t] * c + i[t] * g[t] + move
        cells.append(c)
    return o * np.tanh(cells), np.array(cells)


def measured(function, point, h=1e-6):
    """Return the gradient of a function at a point, by central differences."""
    slopes = np.zeros(point.shape)
    for number in range(point.size):
        step = np.zeros(point.shape)
        step.flat[number] = h
        slopes.flat[number] = (function(point + step) - function(point - step)) / (2 * h)
    return slopes


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


for T in (1, 2, 5):
    H = 3
    Wh, h0, none = rng.normal(size=(H, H)), rng.normal(size=H), np.zeros((T, H))
    inputs, u = rng.normal(size=(T, H)), rng.normal(size=(T, H))
    h = rnn_states(h0, Wh, inputs, none)
    print(f"{T} steps")
    dh = measured(lambda moves: np.sum(u * rnn_states(h0, Wh, inputs, moves)), none)  # noqa: B023
    dWh = measured(lambda moved: np.sum(u * rnn_states(h0, moved, inputs, none)), Wh)  # noqa: B023
    compare("  dL/dh", lambda: rnn_dh(u, h, Wh), dh)  # noqa: B023
    compare("  dL/dWh", lambda: rnn_dWh(dh, h, h0), dWh)  # noqa: B023
    rows = [
        measured(lambda moved: rnn_states(moved, Wh, inputs, none)[-1, j], h0)  # noqa: B023
        for j in range(H)
    ]
    compare("  dh_T/dh_0", lambda: rnn_jacobian(h, Wh), np.array(rows))  # noqa: B023
    i, f, o = rng.uniform(0.1, 0.9, size=(3, T, H))
    g = rng.normal(size=(T, H))
    c = lstm_states(i, f, o, g, none)[1]
    dc = measured(lambda moves: np.sum(u * lstm_states(i, f, o, g, moves)[0]), none)  # noqa: B023
    compare("  dL/dc", lambda: lstm_dc(u, o, f, c), dc)  # noqa: B023
