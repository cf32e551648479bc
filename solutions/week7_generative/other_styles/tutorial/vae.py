"""A VAE as many tutorials write it: fc1, fc21, fc22, fc3, fc4; distributions do the drawing."""

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

PIXELS = 784
PARAMETERS = 2_000_000


def reparameterize(mu, logvar, eps):
    """Make codes of means, logarithms of variances and noise."""
    if not mu.shape == logvar.shape == eps.shape:
        raise ValueError("shapes differ")
    std = logvar.mul(0.5).exp()
    return eps.mul(std).add(mu)


def kl_to_standard_normal(mu, logvar):
    """Let torch.distributions know the closed form."""
    if mu.shape != logvar.shape:
        raise ValueError("shapes differ")
    prior = Normal(torch.zeros_like(mu), torch.ones_like(mu))
    return kl_divergence(Normal(mu, (0.5 * logvar).exp()), prior).sum(-1)


def bernoulli_nll(logits, x):
    """Add up log-probabilities of ones and of zeros."""
    if logits.shape != x.shape:
        raise ValueError("shapes differ")
    return -(x * functional.logsigmoid(logits) + (1 - x) * functional.logsigmoid(-logits)).sum(-1)


class VAE(nn.Module):
    """fc1 to fc4, with dropout, and the mean of the loss written out."""

    def __init__(self, latent=20, hidden=400):
        """Create the layers."""
        super().__init__()
        self.latent = latent
        self.fc1 = nn.Linear(PIXELS, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, PIXELS)
        self.drop = nn.Dropout(0.02)

    def encode(self, x):
        """Give means and logarithms of variances, from logarithms of deviations."""
        h = self.drop(functional.relu(self.fc1(x)))
        return self.fc21(h), 2.0 * self.fc22(h)

    def decode(self, z):
        """Give logits."""
        return self.fc4(functional.relu(self.fc3(z)))

    def loss(self, x, eps=None):
        """Add up everything over the batch, and divide by its size."""
        mu, logvar = self.encode(x)
        if eps is None:
            eps = torch.randn(mu.shape, dtype=mu.dtype)
        recon = self.decode(reparameterize(mu, logvar, eps))
        bce = bernoulli_nll(recon, x).sum()
        kld = kl_to_standard_normal(mu, logvar).sum()
        return (bce + kld) / x.size(0)

    def reconstruct(self, x):
        """Decode the means."""
        return torch.sigmoid(self.decode(self.encode(x)[0]))

    def sample(self, z):
        """Decode codes."""
        return self.decode(z).sigmoid()


def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
    """Seed torch itself, let the loss draw its noise, and go through images in shuffled order."""
    torch.manual_seed(seed)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr)
    losses = []
    model.train()
    order = torch.randperm(len(images))
    for _ in range(steps):
        if len(order) < batch_size:
            order = torch.cat([order, torch.randperm(len(images))])
        rows, order = order[:batch_size], order[batch_size:]
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(images[rows])
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    model.train(False)
    return losses
