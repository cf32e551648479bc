"""Models for Hugging Face's transformers: MiniLM out of the course's data, or a new one. Given.

MiniLM is a BERT of 3 layers of 384 with 12 heads, pretrained to tell sentences of one meaning:
paraphrase-MiniLM-L3-v2 (N. Reimers and I. Gurevych, "Sentence-BERT", 2019), Apache-2.0, with 8,000
of its word pieces and rounded to int8. `make data NAMES=minilm` fetches it, or
`python check.py data minilm`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def tokenizer_of(pieces: Sequence[str]) -> Any:
    """Return BERT's tokenizer, with these word pieces: small letters, no accents.

    Args:
        pieces: the pieces in the order of their numbers, SPECIAL among them; what goes on a word
            begins with "##".
    """
    from transformers.models.bert import BertTokenizer

    numbers = {piece: number for number, piece in enumerate(pieces)}
    return BertTokenizer(vocab=numbers, do_lower_case=True)


def new_bert(
    vocab: int, width: int = 32, layers: int = 2, heads: int = 4, longest: int = 48
) -> Any:
    """Return a BERT that has learnt nothing: weights drawn by torch's generator."""
    from transformers.models.bert import BertConfig, BertModel

    config = BertConfig(
        vocab_size=vocab,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=longest,
        attn_implementation="eager",  # the faster kinds keep no attention weights
    )
    return BertModel(config, add_pooling_layer=False)


def is_cached() -> bool:
    """Tell whether MiniLM's file is there."""
    return bool(_data().cached("minilm"))


def minilm() -> tuple[Any, Any]:
    """Return MiniLM's tokenizer and its model, ready to evaluate."""
    found = _data().load("minilm")
    vocab, width = found.weights["embeddings.word_embeddings.weight"].shape
    bert = new_bert(vocab, width, layers=3, heads=12, longest=128)
    bert.load_state_dict({name: torch.from_numpy(one) for name, one in found.weights.items()})
    return tokenizer_of(found.pieces), bert.eval()


def _data() -> Any:
    """Return the course's `data` package: it lies in the repository's root, three folders up."""
    root = str(Path(__file__).resolve().parents[3])
    if root not in sys.path:
        sys.path.append(root)
    import data

    return data
