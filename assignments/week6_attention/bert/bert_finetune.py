"""A pretrained BERT put to a task of its own: is a sentence about a film positive or negative?

    python bert_finetune.py                    MiniLM on sentences about films, and two baselines
    python bert_finetune.py --model FOLDER     another model for Hugging Face
    python bert_finetune.py --help             all options

The first part of the file is yours to fill; the script below it is complete. This file works with
Hugging Face's `transformers`: a tokenizer cuts texts into word pieces, and a `BertModel` turns
these into states. The library is imported only where a model is loaded.

A batch of texts is `ids`, numbers of word pieces, int64 of shape (N, T), and `attention_mask`,
int64 of the same shape: 1 where there is a piece, 0 where there is none, behind the end of shorter
texts. What stands there means nothing and changes nothing, if the mask is used.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


def encode(tokenizer: Any, texts: Sequence[str], max_length: int) -> tuple[Tensor, Tensor]:
    """Return texts as numbers of word pieces, and where there are any.

    Args:
        tokenizer: of Hugging Face, called as they all are: `tokenizer(texts, ...)`.
        texts: N sentences, at least 1.
        max_length: no text becomes longer than this, with its special pieces [CLS] and [SEP]: what
            is too long is cut. At least 3.

    Returns:
        `ids` and `attention_mask`, both int64 of shape (N, T). T is the length of the longest of
        these texts; shorter ones are padded on the right.
    """
    raise NotImplementedError("bert.classifier: fill in encode")


class BertClassifier(nn.Module):
    """BERT, and a linear layer on one vector for each text.

    That vector is made of BERT's last states, `last_hidden_state`, shape (N, T, H): it is the state
    of the first piece, [CLS], or the mean of the states of all pieces, as you like. Padding takes
    no part in it, neither here nor within BERT. Nothing else is between BERT and `head` but
    `nn.Dropout`, if you like; in evaluation mode there is none.

    Attributes:
        bert: the pretrained model, as it was given.
        head: nn.Linear(H, classes), with its bias; H is `bert.config.hidden_size`.
    """

    bert: nn.Module
    head: nn.Linear

    def __init__(self, bert: Any, classes: int) -> None:
        """Keep the model and create the head.

        `bert` is called as `bert(input_ids=..., attention_mask=...)`; what it returns has
        `last_hidden_state`.
        """
        super().__init__()
        raise NotImplementedError("bert.classifier: fill in BertClassifier.__init__")

    def forward(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits, shape (N, classes).

        Args:
            ids: numbers of word pieces, int64, shape (N, T), not changed.
            attention_mask: 1 where there is a piece, int64, shape (N, T), not changed; there is at
                least one in each row.
        """
        raise NotImplementedError("bert.classifier: fill in BertClassifier.forward")


def freeze(module: nn.Module) -> None:
    """Let `fine_tune` leave the parameters of a module as they are. Given."""
    for parameter in module.parameters():
        parameter.requires_grad = False


def fine_tune(
    model: nn.Module,
    ids: Tensor,
    attention_mask: Tensor,
    labels: Tensor,
    epochs: int,
    lr: float,
    batch_size: int = 32,
    seed: int = 0,
) -> list[float]:
    """Train what is not frozen; return the mean of the batches' losses in each epoch.

    Every epoch goes through all texts once, in a new order, in batches; the loss is the mean
    cross-entropy of the logits. Optimizer, schedule and clipping are yours to choose. The model is
    in training mode meanwhile, and in evaluation mode afterwards. Parameters that are frozen
    (`requires_grad` is False) don't change by a single bit, and stay frozen. The same seed, with
    the same model, gives the same result; it decides the orders and what dropout leaves out.

    Args:
        model: gives the logits (n, classes) of ids (n, T) and attention_mask (n, T), and is
            changed.
        ids: numbers of word pieces, int64, shape (N, T), not changed.
        attention_mask: 1 where there is a piece, int64, shape (N, T), not changed.
        labels: int64, shape (N,), not changed.
        epochs: how many, at least 1.
        lr: the largest learning rate. What is pretrained wants a small one, 1e-4 or less.
        batch_size: texts in one step.
        seed: decides the orders.
    """
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    raise NotImplementedError("bert.fine_tune: fill in fine_tune")


def predict(model: nn.Module, ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return the logits of texts in evaluation mode, shape (N, classes). Given."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        parts = zip(ids.split(100), attention_mask.split(100), strict=True)
        logits = torch.cat([model(*part) for part in parts])
    model.train(was_training)
    return logits


def attentions(bert: Any, ids: Tensor, attention_mask: Tensor) -> Tensor:
    """Return what attends to what in BERT, shape (layers, N, heads, T, T). Given.

    The last axis is that of the keys; each row of it adds to 1. The model has to be made with
    `attn_implementation="eager"`, as here: the faster kinds keep no weights.
    """
    with torch.no_grad():
        found = bert(input_ids=ids, attention_mask=attention_mask, output_attentions=True)
    return torch.stack(found.attentions)


def load_pretrained(name: str) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a name or a folder, ready to evaluate. Given.

    "minilm" is the course's own; any other name is looked up as Hugging Face does.

    Raises:
        SystemExit: the library is not installed.
    """
    try:
        import transformers
    except ImportError as missing:
        raise SystemExit(f"this needs Hugging Face's transformers: {missing}") from missing
    if name == "minilm":
        import minilm

        return minilm.minilm()
    tokenizer = transformers.AutoTokenizer.from_pretrained(name)
    bert = transformers.AutoModel.from_pretrained(name, attn_implementation="eager")
    return tokenizer, bert.eval()


LEAST_RATING = 0.5
"""Sentences with a rating nearer to 0 are left out: people found them neutral, or did not agree."""


def rated_snippets() -> tuple[list[str], Tensor]:
    """Return sentences about films, and their labels: int64, 1 for positive. Given.

    C. J. Hutto and E. Gilbert, "VADER: a parsimonious rule-based model for sentiment analysis of
    social media text", ICWSM 2014; `make data NAMES=snippets` fetches them.
    """
    # The course's `data` package lies in the repository's root, three folders above this one.
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    import data

    rows = [line.split("\t") for line in data.load("snippets").splitlines()]
    rated = [(text, float(rating)) for rating, text in rows]
    kept = [(text, rating > 0) for text, rating in rated if abs(rating) >= LEAST_RATING]
    return [text for text, _ in kept], torch.tensor([int(positive) for _, positive in kept])


def naive_bayes(texts: Sequence[str], labels: Tensor, others: Sequence[str]) -> Tensor:
    """Return the logits of `others` by counting words in `texts`, shape (n, 2). Given.

    The baseline: multinomial naive Bayes on words in small letters, each count begun at 1.
    """
    counts = [Counter[str](), Counter[str]()]
    for text, label in zip(texts, labels.tolist(), strict=True):
        counts[label].update(text.lower().split())
    words = sorted(counts[0] | counts[1])
    numbers = {word: number for number, word in enumerate(words)}
    table = torch.tensor([[kind[word] + 1.0 for word in words] for kind in counts])
    logs = (table / table.sum(dim=1, keepdim=True)).log()
    prior = torch.bincount(labels, minlength=2).float().log()
    known = [[numbers[w] for w in text.lower().split() if w in numbers] for text in others]
    return torch.stack([prior + logs[:, row].sum(dim=1) for row in known])


def accuracy(logits: Tensor, labels: Tensor) -> float:
    """Return the share of the texts whose largest logit is that of their label. Given."""
    return float((logits.argmax(dim=1) == labels).float().mean())


def main() -> None:
    """Compare BERT, its head alone or all of it, with the baseline. Given."""
    parser = argparse.ArgumentParser(description="Fine-tune BERT on sentences about films.")
    parser.add_argument(
        "--model", default="minilm", help="or a folder, or a name on Hugging Face's hub"
    )
    parser.add_argument("--frozen", action="store_true", help="train the head alone")
    parser.add_argument("--train", type=int, default=1000, help="sentences to learn from")
    parser.add_argument("--test", type=int, default=2000, help="sentences to measure on")
    parser.add_argument("--max-length", type=int, default=48)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    texts, labels = rated_snippets()
    if options.train + options.test > len(texts):
        parser.error(f"there are {len(texts)} rated sentences, for training and testing")
    order = torch.randperm(len(texts)).tolist()
    learn, test = order[: options.train], order[len(order) - options.test :]
    known, unseen = [texts[n] for n in learn], [texts[n] for n in test]
    counted = accuracy(naive_bayes(known, labels[learn], unseen), labels[test])
    print(f"counting words: {counted:.1%} of {len(test)}, after {len(learn)} sentences")

    tokenizer, bert = load_pretrained(options.model)
    model = BertClassifier(bert, 2)
    if options.frozen:
        freeze(model.bert)
    begun = time.process_time()
    batch = encode(tokenizer, known, options.max_length)
    losses = fine_tune(model, *batch, labels[learn], options.epochs, options.lr, seed=options.seed)
    print("losses:", ", ".join(f"{loss:.3f}" for loss in losses))
    right = accuracy(predict(model, *encode(tokenizer, unseen, options.max_length)), labels[test])
    print(f"BERT: {right:.1%} after {time.process_time() - begun:.0f} s of CPU")


if __name__ == "__main__":
    main()
