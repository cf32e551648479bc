"""The same classifier by packed sequences and gather; trained by AdamW with a cycle of rates."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


def last_valid(states, lengths):
    """Gather along the axis of time."""
    width = states.size(2)
    places = (lengths.long() - 1).view(-1, 1, 1).expand(-1, 1, width)
    return torch.gather(states, 1, places)[:, 0]


class LSTMClassifier(nn.Module):
    """Reads packed sequences, so padding is never seen."""

    def __init__(self, vocab, embed, hidden):
        super().__init__()
        self.sizes = vocab, embed, hidden
        self.embedding = nn.Embedding(vocab, embed, padding_idx=0)
        self.lstm = nn.LSTM(input_size=embed, hidden_size=hidden)
        self.head = nn.Linear(in_features=hidden, out_features=1, bias=True)

    def forward(self, ids, lengths):
        """Return logits."""
        vectors = self.embedding(ids.t())
        packed = pack_padded_sequence(vectors, lengths.tolist(), enforce_sorted=False)
        _, (last, _) = self.lstm(packed)
        return self.head(last[-1]).flatten()


def bag_of_words(ids, lengths, vocab):
    """Review by review."""
    rows = [torch.bincount(row[:n], minlength=vocab) for row, n in zip(ids, lengths, strict=True)]
    return torch.stack(rows).to(torch.float32)


def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
    """AdamW, one cycle of rates; short batches lose their empty columns."""
    draw = torch.Generator().manual_seed(seed)
    count = ids.shape[0]
    steps = (count + batch_size - 1) // batch_size
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=1e-3)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, epochs * steps + 1)
    criterion = nn.BCEWithLogitsLoss(reduction="sum")
    history = []
    for _ in range(epochs):
        model.train()
        order, losses = torch.randperm(count, generator=draw), []
        for step in range(steps):
            rows = order[step * batch_size : (step + 1) * batch_size]
            longest = int(lengths[rows].max())
            optimizer.zero_grad(set_to_none=False)
            logits = model(ids[rows][:, :longest], lengths[rows])
            loss = criterion(logits, labels[rows]) / len(rows)
            loss.backward()
            optimizer.step()
            rates.step()
            losses.append(float(loss.detach()))
        history.append(sum(losses) / steps)
    model.eval()
    return history
