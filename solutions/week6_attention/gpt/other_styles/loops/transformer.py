"""Head by head, by einsum; sums instead of means; cumulated shares; Adam by hand."""

import math

import torch
from torch import nn


class LayerNorm(nn.Module):
    """By sums over the last axis."""

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))
        self.bias = nn.Parameter(torch.zeros(d))
        self.eps = eps

    def forward(self, x):
        """Return the normalised vectors."""
        d = x.shape[-1]
        y = x - x.sum(-1, keepdim=True) / d
        scale = ((y * y).sum(-1, keepdim=True) / d + self.eps) ** -0.5
        return y * scale * self.weight + self.bias


class MultiHeadAttention(nn.Module):
    """Head by head."""

    def __init__(self, d_model, num_heads):
        super().__init__()
        self.d_model = d_model
        self.num_heads = num_heads
        self.out_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.q_proj = nn.Linear(d_model, d_model)

    def _one(self, q, k, allowed):
        scores = torch.einsum("nqc,nkc->nqk", q, k) / math.sqrt(q.shape[2])
        if allowed is None:
            return torch.softmax(scores, 2)
        low = torch.zeros_like(scores).masked_fill_(~allowed, -1e9)
        return torch.softmax(scores * allowed + low, 2) * allowed

    def weights(self, query, key, mask=None):
        """All heads' weights."""
        q, k = self.q_proj(query), self.k_proj(key)
        if mask is not None:
            mask = torch.broadcast_to(mask.bool(), (q.shape[0], q.shape[1], k.shape[1]))
        pairs = zip(q.chunk(self.num_heads, 2), k.chunk(self.num_heads, 2), strict=True)
        return torch.stack([self._one(one, two, mask) for one, two in pairs], dim=1)

    def forward(self, query, key, value, mask=None):
        """All heads' results, one beside the other."""
        weights = self.weights(query, key, mask)
        parts = self.v_proj(value).chunk(self.num_heads, 2)
        found = [torch.bmm(weights[:, n], part) for n, part in enumerate(parts)]
        return self.out_proj(torch.cat(found, 2))


class TransformerBlock(nn.Module):
    """Both parts as functions."""

    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, num_heads)
        self.norm1 = LayerNorm(d_model)
        self.norm2 = LayerNorm(d_model)
        self.up = nn.Linear(d_model, d_ff)
        self.down = nn.Linear(d_ff, d_model)

    def feed(self, x):
        """The two layers, with GELU by the error function."""
        z = self.up(x)
        return self.down(z * (1 + torch.erf(z / 2**0.5)) / 2)

    def forward(self, x, mask=None):
        """Return x and what is added."""
        attended = x + self.attention(self.norm1(x), self.norm1(x), self.norm1(x), mask)
        return attended + self.feed(self.norm2(attended))


class MiniGPT(nn.Module):
    """The sum of one-hot rows times tables."""

    def __init__(self, vocab, context, d_model, heads, layers):
        super().__init__()
        self.context = context
        self.tokens = nn.Embedding(vocab, d_model)
        self.positions = nn.Embedding(context, d_model)
        blocks = [TransformerBlock(d_model, heads, 4 * d_model) for _ in range(layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab)
        for name, one in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(one)
            elif one.dim() == 2:
                nn.init.trunc_normal_(one, std=0.01)

    def forward(self, ids):
        """Return the logits."""
        n, t = ids.shape
        if t > self.context:
            raise ValueError("the text is too long")
        places = torch.arange(t).expand(n, t)
        x = self.tokens(ids) + self.positions(places)
        mask = places[:, :, None] >= places[:, None, :]
        for number in range(len(self.blocks)):
            x = self.blocks[number](x, mask)
        return self.head(self.norm(x))


def next_character(logits, temperature, generator):
    """A uniform number against cumulated shares."""
    if temperature == 0:
        return torch.stack([torch.argmax(row) for row in logits])
    shares = torch.softmax(logits.double() / temperature, dim=1).cumsum(dim=1)
    drawn = torch.rand(len(logits), 1, dtype=torch.float64, generator=generator)
    return torch.searchsorted(shares, drawn * shares[:, -1:]).squeeze(1)


def generate(model, ids, steps, temperature, generator):
    """A list of columns."""
    mode = model.training
    model.eval()
    columns = list(ids.unbind(1))
    with torch.no_grad():
        for _ in range(steps):
            seen = torch.stack(columns[-model.context :], dim=1)
            columns.append(next_character(model(seen)[:, -1], temperature, generator))
    model.train(mode)
    new = columns[ids.shape[1] :]
    return torch.stack(new, dim=1) if new else ids.new_zeros(len(ids), 0)


def train(model, ids, steps, batch=48, lr=0.004, seed=0):
    """Adam by hand; the starts are a random order of all places, used up piece by piece."""
    torch.manual_seed(seed)
    parameters = list(model.parameters())
    firsts = [torch.zeros_like(one) for one in parameters]
    seconds = [torch.zeros_like(one) for one in parameters]
    length = model.context
    order = torch.empty(0, dtype=torch.int64)
    losses = []
    model.train()
    for step in range(1, steps + 1):
        while len(order) < batch:
            order = torch.cat([order, torch.randperm(len(ids) - length)])
        starts, order = order[:batch], order[batch:]
        x = torch.stack([ids[s : s + length] for s in starts.tolist()])
        y = torch.stack([ids[s + 1 : s + 1 + length] for s in starts.tolist()])
        logs = torch.log_softmax(model(x), dim=2)
        loss = -logs.gather(2, y.unsqueeze(2)).mean()
        model.zero_grad()
        loss.backward()
        rate = lr * min(1.0, step / (0.1 * steps + 1)) * (1.0 - 0.95 * (step - 1) / steps)
        with torch.no_grad():
            for one, m, v in zip(parameters, firsts, seconds, strict=True):
                if one.grad is None:
                    continue
                m.mul_(0.9).add_(one.grad, alpha=0.1)
                v.mul_(0.99).addcmul_(one.grad, one.grad, value=0.01)
                mean, square = m / (1 - 0.9**step), v / (1 - 0.99**step)
                one.sub_(rate * mean / (square.sqrt() + 1e-8))
        losses.append(loss.item())
    model.eval()
    return losses
