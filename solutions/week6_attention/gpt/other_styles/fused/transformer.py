"""One matrix for queries, keys and values, tanh-GELU, dropout, a kept mask; Gumbel noise."""

import torch
from torch import nn
from torch.nn import functional as F


class LayerNorm(nn.Module):
    """By torch.var_mean."""

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.eps, self.d = eps, d
        self.weight = nn.Parameter(torch.full((d,), 1.0))
        self.bias = nn.Parameter(torch.full((d,), 0.0))

    def forward(self, x):
        """Return the normalised vectors."""
        variance, mean = torch.var_mean(x, -1, unbiased=False, keepdim=True)
        return torch.addcmul(self.bias, (x - mean) * (variance + self.eps).rsqrt(), self.weight)


class Rows:
    """Some rows of a linear layer, which look like a layer of their own."""

    def __init__(self, layer, number, d):
        self.layer, self.rows = layer, slice(number * d, (number + 1) * d)

    @property
    def weight(self):
        """A view of the weights."""
        return self.layer.weight[self.rows]

    @property
    def bias(self):
        """A view of the biases."""
        return self.layer.bias[self.rows]

    def __call__(self, x):
        return F.linear(x, self.weight, self.bias)


class MultiHeadAttention(nn.Module):
    """One linear layer, seen as three."""

    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads, self.size = num_heads, d_model // num_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    q_proj = property(lambda self: Rows(self.qkv, 0, self.out_proj.in_features))
    k_proj = property(lambda self: Rows(self.qkv, 1, self.out_proj.in_features))
    v_proj = property(lambda self: Rows(self.qkv, 2, self.out_proj.in_features))

    def cut(self, x):
        """Return the heads in front."""
        return x.view(x.size(0), x.size(1), self.num_heads, self.size).permute(0, 2, 1, 3)

    def weights(self, query, key, mask=None):
        """Weights by exponentials of the scores less the largest one that is allowed."""
        q = self.cut(self.q_proj(query)) * self.size**-0.5
        scores = torch.matmul(q, self.cut(self.k_proj(key)).mT)
        if mask is None:
            mask = torch.ones(1, 1, 1, dtype=torch.bool)
        if mask.dim() == 3:
            mask = mask.unsqueeze(1)
        scores = torch.where(mask, scores, torch.full_like(scores, -1e30))
        top = scores.detach().amax(dim=-1, keepdim=True)
        powers = torch.exp(scores - top) * mask
        return powers / powers.sum(dim=-1, keepdim=True).clamp_min(1e-30)

    def forward(self, query, key, value, mask=None):
        """Attend."""
        found = torch.matmul(self.weights(query, key, mask), self.cut(self.v_proj(value)))
        n, _, t, _ = found.shape
        return self.out_proj(found.permute(0, 2, 1, 3).contiguous().view(n, t, -1))


class TransformerBlock(nn.Module):
    """With dropout, and the inner layers as a sequence as well."""

    def __init__(self, d_model, num_heads, d_ff):
        super().__init__()
        self.norm1, self.norm2 = LayerNorm(d_model), LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, num_heads)
        self.up, self.down = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.inner = nn.Sequential(self.up, nn.GELU(approximate="tanh"), self.down)
        self.drop = nn.Dropout(0.05)

    def forward(self, x, mask=None):
        """Return x and what is added."""
        y = self.norm1(x)
        x = x + self.drop(self.attention(query=y, key=y, value=y, mask=mask))
        return x + self.drop(self.inner(self.norm2(x)))


class MiniGPT(nn.Module):
    """The mask is a buffer; output layers of the blocks begin smaller, as GPT-2's do."""

    def __init__(self, vocab, context, d_model, heads, layers):
        super().__init__()
        self.context, self.vocab = context, vocab
        self.tokens = nn.Embedding(vocab, d_model)
        self.positions = nn.Embedding(context, d_model)
        self.blocks = nn.ModuleList()
        for _ in range(layers):
            self.blocks.append(TransformerBlock(d_model, heads, d_model * 4))
        self.norm = LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab)
        self.register_buffer("seen", torch.tril(torch.ones(1, context, context)) > 0)
        self.apply(self.begin)
        for block in self.blocks:
            for layer in (block.attention.out_proj, block.down):
                nn.init.normal_(layer.weight, std=0.02 / (2 * layers) ** 0.5)

    @staticmethod
    def begin(part):
        """Draw the first weights of a part."""
        if isinstance(part, nn.Embedding):
            part.weight.data.normal_(0.0, 0.02)
        elif isinstance(part, nn.Linear):
            part.weight.data.normal_(0.0, 0.02)
            part.bias.data.zero_()

    def forward(self, ids):
        """Return the logits."""
        _, t = ids.shape
        if t > self.context:
            raise ValueError("too many characters")
        x = self.tokens(ids) + self.positions.weight[:t]
        for block in self.blocks:
            x = block(x, mask=self.seen[:, :t, :t])
        return self.head(self.norm(x))


def next_character(logits, temperature, generator):
    """Gumbel noise, and the largest."""
    logits = logits.double()
    if temperature > 0:
        noise = torch.rand(logits.shape, dtype=torch.float64, generator=generator)
        logits = logits / temperature - (-noise.clamp_min(1e-300).log()).log()
    return torch.max(logits, dim=-1).indices


@torch.inference_mode()
def generate(model, ids, steps, temperature, generator):
    """Write into a tensor that has room for all."""
    before = model.training
    model.eval()
    n, length = ids.shape
    text = torch.zeros(n, length + steps, dtype=torch.int64)
    text[:, :length] = ids
    for end in range(length, length + steps):
        logits = model(text[:, max(0, end - model.context) : end])[:, -1, :]
        text[:, end] = next_character(logits, temperature, generator)
    model.train(before)
    return text[:, length:].clone()


def windows(ids, count, length, generator):
    """Pieces from places drawn at random."""
    starts = torch.randint(len(ids) - length + 1, (count, 1), generator=generator)
    return ids[starts + torch.arange(length)]


def train(model, ids, steps, batch=48, lr=0.004, seed=0):
    """Adam with one cycle of rates."""
    draw = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.98))
    cycle = torch.optim.lr_scheduler.OneCycleLR(adam, lr, total_steps=steps + 1, pct_start=0.1)
    history = []
    model.train()
    with torch.random.fork_rng():
        torch.manual_seed(seed)  # for the dropout
        for _ in range(steps):
            pieces = windows(ids, batch, model.context + 1, draw)
            logits = model(pieces[:, :-1])
            loss = F.cross_entropy(logits.transpose(1, 2), pieces[:, 1:])
            adam.zero_grad(set_to_none=False)
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
            adam.step()
            cycle.step()
            history.append(float(loss.detach()))
    model.eval()
    return history
