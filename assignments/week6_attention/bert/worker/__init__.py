"""What runs inside this week's sandboxes beside the student's code: a real BERT, and its tokenizer.

Hugging Face's library is imported here, once for all workers: it takes 2.5 s of a processor and
115 MB. It looks for nothing on a network.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import numpy as np
import torch
from torch import Tensor, nn
from transformers.models.bert import BertConfig, BertModel, BertTokenizer

ALLOWED = (
    "torch.optim.Optimizer.__init__",
    "torch.optim.lr_scheduler.LRScheduler.__init__",
)
"""Who is here has written these in week 3."""


def tensor(*arrays: np.ndarray) -> Tensor:
    """Return arrays, one behind the other, as a tensor."""
    return torch.from_numpy(np.concatenate(arrays))


def seed(number: int) -> None:
    """Seed PyTorch's own generator."""
    torch.manual_seed(number)


def tokenizer(pieces: list[str]) -> Any:
    """Return BERT's tokenizer, with these word pieces."""
    return BertTokenizer(vocab={piece: number for number, piece in enumerate(pieces)})


def bert(heads: int, weights: dict[str, np.ndarray], dropout: float) -> nn.Module:
    """Return a BERT with these weights; all its sizes but the number of heads are theirs."""
    words, places = (
        weights[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position")
    )
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=words.shape[1],
        num_hidden_layers=sum(name.endswith("query.weight") for name in weights),
        num_attention_heads=heads,
        intermediate_size=len(weights["encoder.layer.0.intermediate.dense.weight"]),
        max_position_embeddings=len(places),
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        attn_implementation="eager",
    )
    made = BertModel(config, add_pooling_layer=False)
    fill(made, weights)
    return made.eval()


def trained(fine_tune: Callable[..., Any], model: Any, *how: Any) -> Any:
    """Run the student's fine-tuning; return what it returns. A driver may take its time."""
    return fine_tune(model, *how)


def mode(module: nn.Module, training: bool) -> None:
    """Put a module into training or evaluation mode."""
    module.train(training)


def training_parts(module: nn.Module) -> int:
    """Return how many parts of a module are in training mode."""
    return sum(part.training for part in module.modules())


def state(module: nn.Module) -> dict[str, np.ndarray]:
    """Return the parameters by their names."""
    return {name: one.detach().numpy().copy() for name, one in module.named_parameters()}


def fill(module: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Put arrays into a module's parameters by their names; what isn't named stays as it is."""
    with torch.no_grad():
        parameters = dict(module.named_parameters())
        for name, array in arrays.items():
            parameters[name].copy_(torch.from_numpy(array))


def froze(module: nn.Module, beginning: str) -> None:
    """Freeze the parameters whose names begin so."""
    for name, parameter in module.named_parameters():
        if name.startswith(beginning):
            parameter.requires_grad = False


def free(module: nn.Module) -> list[str]:
    """Return the names of the parameters that can be trained."""
    return [name for name, one in module.named_parameters() if one.requires_grad]


def answers(model: Any, ids: np.ndarray, mask: np.ndarray) -> Any:
    """Return the logits of texts."""
    return said(model, torch.from_numpy(ids), torch.from_numpy(mask))


def said(model: Any, ids: Tensor, mask: Tensor) -> Any:
    """Return the logits of texts that are tensors already."""
    with torch.no_grad():
        return model(ids, mask)


def gradients(
    model: nn.Module, ids: np.ndarray, mask: np.ndarray, upstream: np.ndarray
) -> dict[str, np.ndarray | None]:
    """Return the gradient of sum(upstream * logits) with respect to each parameter."""
    model.zero_grad()
    logits = model(torch.from_numpy(ids), torch.from_numpy(mask))
    (logits * torch.from_numpy(upstream)).sum().backward()
    return {
        name: None if one.grad is None else one.grad.numpy().copy()
        for name, one in model.named_parameters()
    }


class Reader(nn.Module):
    """A model that adds up numbers for each piece, and notes what it is asked.

    `still` is added to the logits as well: it is frozen where a test says so.
    """

    def __init__(self, W: np.ndarray, b: np.ndarray, still: np.ndarray) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.from_numpy(W.copy()))
        self.b = nn.Parameter(torch.from_numpy(b.copy()))
        self.still = nn.Parameter(torch.from_numpy(still.copy()))
        self.asked: list[tuple[np.ndarray, np.ndarray, bool]] = []
        self.of_logits: list[np.ndarray] = []
        self.of_b: list[np.ndarray] = []
        self.b.register_post_accumulate_grad_hook(self._note_b)

    def _note_b(self, parameter: Tensor) -> None:
        if parameter.grad is not None:
            self.of_b.append(parameter.grad.numpy().copy())

    def forward(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.asked.append((ids.numpy().copy(), attention_mask.numpy().copy(), self.training))
        logits = (self.W[ids] * attention_mask[..., None]).sum(dim=1) + self.b + self.still
        if logits.requires_grad:
            logits.register_hook(lambda g: self.of_logits.append(g.numpy().copy()))
        return logits


def notes(reader: Reader) -> dict[str, list[Any]]:
    """Return what a Reader has noted."""
    return {
        "ids": [ids for ids, _, _ in reader.asked],
        "masks": [mask for _, mask, _ in reader.asked],
        "training": [training for _, _, training in reader.asked],
        "of_logits": reader.of_logits,
        "of_b": reader.of_b,
    }


DRIVERS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (
        tensor,
        seed,
        tokenizer,
        bert,
        trained,
        mode,
        training_parts,
        state,
        fill,
        froze,
        free,
        answers,
        said,
        gradients,
        notes,
    )
} | {"reader": Reader}
PROBES: dict[str, object] = {}
