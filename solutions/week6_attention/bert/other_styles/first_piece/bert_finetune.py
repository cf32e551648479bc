"""The same by the state of [CLS], with dropout, Adam, a warm-up and no trimming of columns."""

import torch
from torch import nn


def encode(tokenizer, texts, max_length):
    """Text by text, padded by hand."""
    rows = [tokenizer.encode(text, truncation=True, max_length=max_length) for text in texts]
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), tokenizer.pad_token_id, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for n, row in enumerate(rows):
        ids[n, : len(row)] = torch.tensor(row)
        mask[n, : len(row)] = 1
    return [ids, mask]


class BertClassifier(nn.Module):
    """Judges by the first piece."""

    def __init__(self, bert, classes):
        super().__init__()
        self.classes = classes
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(in_features=bert.config.hidden_size, out_features=classes)
        nn.init.normal_(self.head.weight, std=0.02)
        self.bert = bert

    def forward(self, ids, attention_mask):
        """Return logits."""
        answer = self.bert(ids, attention_mask=attention_mask.bool(), return_dict=False)
        return self.head(self.dropout(answer[0].select(1, 0)))


def freeze(module):
    """As given."""
    module.requires_grad_(False)


def fine_tune(model, ids, attention_mask, labels, epochs, lr, batch_size=32, seed=0):
    """Adam with a warm-up; no column is left out."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(filter(lambda one: one.requires_grad, model.parameters()), lr)
    count = ids.size(0)
    steps = epochs * ((count + batch_size - 1) // batch_size)
    warm = max(1, steps // 10)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: min(1.0, (k + 1) / warm))
    criterion = nn.CrossEntropyLoss()
    history = []
    for _ in range(epochs):
        model.train()
        order, total, batches = torch.randperm(count, generator=draw), 0.0, 0
        for begin in range(0, count, batch_size):
            rows = order[begin : begin + batch_size]
            optimizer.zero_grad(set_to_none=False)
            loss = criterion(model(ids[rows], attention_mask[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            rates.step()
            total, batches = total + float(loss.detach()), batches + 1
        history.append(total / batches)
    model.eval()
    return history
