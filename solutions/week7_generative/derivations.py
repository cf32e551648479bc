"""Week 7: the derivation of the bound. The one source of the notebook for students.

`make stubs` writes assignments/week7_generative/derivations.ipynb from it. What stands between the
markers is the solution, in formulas and in code; the functions are graded like any module.
"""

# %% [markdown]
# # Week 7: a bound, and gradients through what was drawn
#
# An autoencoder that generates has a loss that nobody would guess, and one step of it that seems
# impossible: a gradient through a random draw. Derive both by hand, for one image, and write the
# results down as small NumPy functions. A person reads and marks the derivation: a correct formula
# without its derivation earns few points, and a sound derivation with a slip at its end loses few. The
# functions are graded by tests.
#
# **How to hand in the derivation.** Write it into the cell that asks for it, mathematics between
# dollar signs as in `$z \sim \mathcal{N}(0, 1)$`. If you would rather write on paper, hand in
# `derivations.pdf` (or a photograph, `derivations.png` or `derivations.jpg`) beside this notebook,
# and leave that cell as it is. The functions are always taken from here: each one has to stand
# whole in one cell, under the name and with the arguments it has now.
#
# **Notation.** $x$ is an image and $z$ its code, of $L$ numbers. The model draws a code from the
# *prior* $p(z)$, the standard normal distribution, and an image from $p(x \mid z)$, which the decoder
# describes. The encoder describes $q(z \mid x)$: a normal distribution with independent coordinates,
# of means $\mu_l$ and variances $\exp(\lambda_l)$. So $\lambda$ is the logarithm of the variance, the
# `logvar` of the code. Logarithms are natural, and what is measured by them is in nats. The
# Kullback-Leibler divergence of two distributions is
#
# $$ \mathrm{KL}(q \,\|\, p) = \mathbb{E}_{z \sim q} \left[ \ln q(z) - \ln p(z) \right] . $$

# %%
import numpy as np

# %% [markdown]
# ## The derivation
#
# 1. **Why there is a bound.** We would like to make $\ln p(x)$ large, with
#    $p(x) = \int p(x \mid z) \, p(z) \, dz$. Why can't the integral be had by drawing codes from the
#    prior, for images? Write $p(x)$ as an expectation over $q(z \mid x)$ instead, and use that the
#    logarithm is concave to find a lower bound $\mathcal{B} \le \ln p(x)$ which is the difference of two
#    terms: one asks for good reconstructions, the other is a divergence. Of what, from what?
# 2. **How large the gap is.** Start from $p(x \mid z)\, p(z) = p(z \mid x)\, p(x)$ and write
#    $\ln p(x) - \mathcal{B}$ as a divergence. When is the bound equal to $\ln p(x)$? Say in one sentence
#    what the encoder is for, then.
# 3. **The divergence in closed form.** Find $\mathrm{KL}(q \,\|\, p)$ for one coordinate, with
#    $q = \mathcal{N}(\mu, \exp \lambda)$ and $p = \mathcal{N}(0, 1)$, from the two densities. Which two
#    moments of $z$ do you need? Where is it 0? Why do the coordinates of a code add up?
# 4. **A gradient through a draw.** The loss of an image is $f(z) + \mathrm{KL}$, where $f$ is what the
#    decoder makes of the code. The expectation of $f(z)$ over $z \sim q$ depends on $\mu$ and $\lambda$,
#    but a number that was drawn has no slope. Write $z$ as a function of $\mu$, $\lambda$ and noise
#    $\varepsilon \sim \mathcal{N}(0, 1)$. Now $u = \partial f / \partial z$ is given, from the decoder's
#    backward pass. What are the gradients of the *whole* loss, $f(z) + \mathrm{KL}$, with respect to
#    $\mu$ and $\lambda$? Which of the noise and its variance do they need?
# 5. **Where the bound is tight.** Take the simplest decoder: $z$ and $x$ are numbers, and
#    $p(x \mid z) = \mathcal{N}(w z, s)$ with a slope $w$ and a variance $s$. Complete the square in
#    $\ln p(x \mid z) + \ln p(z)$ and find the mean and the variance of $p(z \mid x)$. What happens to
#    both where $w = 0$, and what does that say of a decoder that does not listen to its code?

# %% [markdown] item="week7.written_bound"
# **Your derivation** (`week7.written_bound`, by hand):
#
# BEGIN SOLUTION week7.written_bound
# **1.** Of the codes that the prior draws, hardly any explains a given image: $p(x \mid z)$ is as good
# as 0 for nearly all of them, and the mean of a few draws misses those that count. With $q(z \mid x) > 0$
#
# $$ \ln p(x) = \ln \mathbb{E}_q \left[ \frac{p(x \mid z)\, p(z)}{q(z \mid x)} \right]
#    \ge \mathbb{E}_q \left[ \ln \frac{p(x \mid z)\, p(z)}{q(z \mid x)} \right]
#    = \mathbb{E}_q [\ln p(x \mid z)] - \mathrm{KL}(q(z \mid x) \,\|\, p(z)) = \mathcal{B} , $$
#
# by Jensen's inequality. The divergence is that of the image's codes from the prior.
#
# **2.** $\mathcal{B} = \mathbb{E}_q [\ln p(z \mid x) + \ln p(x) - \ln q(z \mid x)]
# = \ln p(x) - \mathrm{KL}(q(z \mid x) \,\|\, p(z \mid x))$. The gap is the divergence of $q$ from the true
# distribution of the codes of this image, and 0 where they are the same. The encoder is there to say
# which codes may have made an image.
#
# **3.** $\ln q(z) = -\frac12 \ln 2\pi - \frac12 \lambda - \frac12 (z - \mu)^2 e^{-\lambda}$ and
# $\ln p(z) = -\frac12 \ln 2\pi - \frac12 z^2$. With $\mathbb{E}_q (z - \mu)^2 = e^\lambda$ and
# $\mathbb{E}_q z^2 = \mu^2 + e^\lambda$,
#
# $$ \mathrm{KL} = \tfrac12 \left( \mu^2 + e^\lambda - 1 - \lambda \right) , $$
#
# which is 0 at $\mu = \lambda = 0$. Densities of independent coordinates are products, so their
# logarithms add up, and so do expectations.
#
# **4.** $z = \mu + e^{\lambda / 2} \varepsilon$ has the distribution $q$, and the noise's distribution has
# no parameters: the expectation is over $\varepsilon$, and the slope may be taken inside. From
# $\partial z / \partial \mu = 1$, $\partial z / \partial \lambda = \frac12 e^{\lambda / 2} \varepsilon$
# and the divergence,
#
# $$ \frac{\partial}{\partial \mu} = u + \mu , \qquad
#    \frac{\partial}{\partial \lambda} = \tfrac12 u \, e^{\lambda / 2} \varepsilon
#    + \tfrac12 \left( e^\lambda - 1 \right) . $$
#
# They need the noise itself that was drawn, and not its variance.
#
# **5.** $\ln p(x \mid z) + \ln p(z) = -\frac{(x - w z)^2}{2 s} - \frac{z^2}{2} + \dots
# = -\frac12 \left(1 + \frac{w^2}{s}\right) z^2 + \frac{w x}{s} z + \dots$, so the variance is
# $v = s / (s + w^2)$ and the mean $v\, w x / s = w x / (s + w^2)$. For $w = 0$ they are 1 and 0: those
# of the prior. Where the decoder doesn't listen, the best code says nothing, and the divergence is 0.
# INSTEAD
# # *Write here, or hand in `derivations.pdf` or a photograph beside the notebook.*
# END SOLUTION


# %% item="week7.derive_bound"
def normal_kl(mu, logvar):
    """Step 3: return the divergence of each coordinate from N(0, 1), shape (L,).

    (Task week7.derive_bound.) mu, logvar: the mean of each coordinate and the logarithm of its
    variance, shape (L,). Neither is changed.
    """
    # BEGIN SOLUTION week7.derive_bound
    return 0.5 * (mu**2 + np.exp(logvar) - 1.0 - logvar)
    # END SOLUTION


def loss_dmu(u, mu, logvar, eps):
    """Step 4: return the gradient of f(z) + KL with respect to mu, shape (L,).

    (Task week7.derive_bound.) u: df/dz at the code that was drawn; mu, logvar: of its distribution;
    eps: the noise that it was made of. All of shape (L,); none of them is changed.
    """
    # BEGIN SOLUTION week7.derive_bound
    return u + mu
    # END SOLUTION


def loss_dlogvar(u, mu, logvar, eps):
    """Step 4: return the gradient of f(z) + KL with respect to logvar, shape (L,).

    (Task week7.derive_bound.) u: df/dz at the code that was drawn; mu, logvar: of its distribution;
    eps: the noise that it was made of. All of shape (L,); none of them is changed.
    """
    # BEGIN SOLUTION week7.derive_bound
    return 0.5 * u * np.exp(0.5 * logvar) * eps + 0.5 * (np.exp(logvar) - 1.0)
    # END SOLUTION


def posterior(x, w, variance):
    """Step 5: return the mean and the logarithm of the variance of p(z|x), two numbers.

    (Task week7.derive_bound.) x: the number that was seen; w: the decoder's slope; variance: s, the
    decoder's variance, above 0. All three are numbers.
    """
    # BEGIN SOLUTION week7.derive_bound
    of_z = variance / (variance + w**2)
    return of_z * w * x / variance, np.log(of_z)
    # END SOLUTION


# %% [markdown]
# The next cell compares your functions with what is measured: divergences and the codes of step 5 by
# sums over a fine grid, gradients by moving something by $\pm h$ and looking at the loss. It knows the
# densities and no result. Run it as often as you like.

# %%
GRID = np.linspace(-30.0, 30.0, 60_001)


def log_normal(z, mean, logvar):
    """Return the logarithm of a normal density."""
    return -0.5 * (np.log(2 * np.pi) + logvar + (z - mean) ** 2 / np.exp(logvar))


def measured_kl(mean, logvar):
    """Return the divergence of one coordinate from the standard normal, by a sum over the grid."""
    log_q = log_normal(GRID, mean, logvar)
    return np.sum(np.exp(log_q) * (log_q - log_normal(GRID, 0.0, 0.0))) * (GRID[1] - GRID[0])


def measured_posterior(x, w, variance):
    """Return the mean and the logarithm of the variance of p(z|x), by sums over the grid."""
    both = np.exp(log_normal(x, w * GRID, np.log(variance)) + log_normal(GRID, 0.0, 0.0))
    weights = both / both.sum()
    mean = np.sum(weights * GRID)
    return mean, np.log(np.sum(weights * (GRID - mean) ** 2))


def below(mean, logvar):
    """Return how much of a normal distribution lies below each point of the grid."""
    density = np.exp(log_normal(GRID, mean, logvar))
    return (np.cumsum(density) - density / 2) * (GRID[1] - GRID[0])


def measured(function, point, h=1e-3):
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
    expected = np.asarray(expected)
    if found.shape != expected.shape:
        print(f"{name}: has shape {found.shape}, and must have {expected.shape}")
        return
    error = np.abs(found - expected).max()
    print(f"{name}: {'agrees' if error < 1e-3 else 'differs'} (largest difference {error:.1e})")


rng = np.random.default_rng(7)
mu, logvar, eps = rng.normal(size=(3, 4))
A, b = rng.normal(size=(6, 4)), rng.normal(size=6)
SHARES = np.interp(eps, GRID, below(0.0, 0.0))


def drawn_code(mu, logvar):
    """Return the code that belongs to the noise, without a formula for it.

    As much of its distribution lies below it as of the standard normal distribution below eps.
    """
    both = zip(SHARES, mu, logvar, strict=True)
    return np.array([np.interp(share, below(m, v), GRID) for share, m, v in both])


def drawn_loss(mu, logvar):
    """Return f(z) + KL for the drawn code, and a decoder with the numbers A and b."""
    divergence = sum(map(measured_kl, mu, logvar))
    return np.sum(np.tanh(A @ drawn_code(mu, logvar) + b)) + divergence


u = measured(lambda moved: np.sum(np.tanh(A @ moved + b)), drawn_code(mu, logvar))
by_mu = measured(lambda moved: drawn_loss(moved, logvar), mu)
by_logvar = measured(lambda moved: drawn_loss(mu, moved), logvar)
compare("KL", lambda: normal_kl(mu, logvar), list(map(measured_kl, mu, logvar)))
compare("dL/dmu", lambda: loss_dmu(u, mu, logvar, eps), by_mu)
compare("dL/dlogvar", lambda: loss_dlogvar(u, mu, logvar, eps), by_logvar)
for x, w, s in ((1.5, 2.0, 0.5), (-0.7, 0.3, 2.0), (3.0, -1.0, 1.0)):
    compare("codes of a number", lambda: posterior(x, w, s), measured_posterior(x, w, s))  # noqa: B023
