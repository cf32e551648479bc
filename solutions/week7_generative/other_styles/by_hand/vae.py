"""A VAE with batch normalisation, terms by hand, and a rate that falls along a cosine."""

import math

import torch
from torch import nn

PIXELS = 784
PARAMETERS = 2_000_000


def _alike(*tensors):
    if any(one.shape != tensors[0].shape for one in tensors):
        raise ValueError("these shapes have to be the same")


def reparameterize(mu, logvar, eps):
    """Scale and shift the noise."""
    _alike(mu, logvar, eps)
    return torch.addcmul(mu, torch.sqrt(torch.exp(logvar)), eps)


def kl_to_standard_normal(mu, logvar):
    """Add up the coordinates one after the other."""
    _alike(mu, logvar)
    total = mu.new_zeros(len(mu))
    for k in range(mu.shape[1]):
        m, v = mu[:, k], logvar[:, k]
        total = total + (m * m + torch.expm1(v) - v) / 2
    return total


def bernoulli_nll(logits, x):
    """Use max(a, 0) - a x + ln(1 + exp(-|a|))."""
    _alike(logits, x)
    each = torch.relu(logits) - logits * x + torch.log1p(torch.exp(-logits.abs()))
    return torch.einsum("nd->n", each)


class Encoder(nn.Module):
    """One layer for both results, which are cut apart."""

    def __init__(self, latent, hidden):
        """Create the layers."""
        super().__init__()
        self.first = nn.Linear(PIXELS, hidden, bias=False)
        self.norm = nn.BatchNorm1d(hidden)
        self.both = nn.Linear(hidden, 2 * latent)

    def forward(self, x):
        """Give means and logarithms of variances beside each other."""
        return self.both(torch.tanh(self.norm(self.first(x))))


class VAE(nn.Module):
    """An encoder and a decoder of two hidden layers, in modules of their own."""

    def __init__(self, latent=20, hidden=400):
        """Create the parts."""
        super().__init__()
        self.latent = latent
        self.enc = Encoder(latent, hidden)
        self.dec = nn.ModuleList(
            [nn.Linear(latent, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, PIXELS)]
        )

    def encode(self, x):
        """Cut what the encoder gives into two halves."""
        return self.enc(x).chunk(2, dim=-1)

    def decode(self, z):
        """Go through the layers of the decoder."""
        h = z
        for layer in self.dec[:-1]:
            h = nn.functional.gelu(layer(h))
        return self.dec[-1](h)

    def loss(self, x, eps=None):
        """Compute the terms inside, without this file's functions."""
        mu, logvar = self.encode(x)
        if eps is None:
            eps = torch.empty_like(mu).normal_()
        a = self.decode(mu + torch.exp(logvar / 2) * eps)
        nats = nn.functional.softplus(a).sum() - (a * x).sum()
        nats = nats + 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum()
        return nats / len(x)

    def reconstruct(self, x):
        """Decode the means."""
        return self.sample(self.encode(x)[0])

    def sample(self, z):
        """Turn logits into probabilities."""
        return 1 / (1 + torch.exp(-self.decode(z)))


def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
    """Use AdamW and a rate that falls along a cosine; the gradient is asked for directly."""
    draw = torch.Generator()
    draw.manual_seed(seed)
    parameters = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0)
    losses = []
    model.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = lr * (0.05 + 0.95 * math.cos(math.pi * step / steps / 2) ** 2)
        rows = torch.multinomial(torch.ones(len(images)), batch_size, True, generator=draw)
        noise = torch.empty(batch_size, model.latent).normal_(generator=draw)
        value = model.loss(images[rows], noise)
        gradients = torch.autograd.grad(value, parameters)
        for one, gradient in zip(parameters, gradients, strict=True):
            one.grad = gradient
        optimizer.step()
        losses.append(value.item())
    model.eval()
    return losses
