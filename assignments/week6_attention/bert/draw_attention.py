"""Draw what attends to what in BERT: one picture for a sentence, all layers and heads. Given.

    python draw_attention.py "The plot was not good."             MiniLM as it is pretrained
    python draw_attention.py "The plot was not good." --tuned     and after your fine-tuning
    python draw_attention.py --help                               all options

Each small map is one head. A row is a piece that asks, a column a piece that is asked; a row's
numbers add up to 1. Beside the picture, `--numbers` prints for each head what its rows have in
common: how much goes to [CLS], to [SEP], to the piece itself, and to the ones before and behind.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bert_finetune
import torch
from torch import Tensor


def shares(weights: Tensor) -> dict[str, Tensor]:
    """Return where the attention of each head goes, the mean over its rows.

    Args:
        weights: attention of one sentence, shape (layers, heads, T, T), without padding.

    Returns:
        For each place a tensor (layers, heads) from 0 to 1. They may overlap, and leave a rest.
    """
    diagonals = {name: weights.diagonal(k, 2, 3).sum(-1) / weights.shape[2] for name, k in PLACES}
    return {"[CLS]": weights[..., 0].mean(-1), "[SEP]": weights[..., -1].mean(-1), **diagonals}


PLACES = (("before", -1), ("itself", 0), ("behind", 1))


def draw(weights: Tensor, pieces: list[str], path: Path) -> None:
    """Write a picture of all heads of a sentence: a row of maps for each layer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    layers, heads = weights.shape[:2]
    figure, axes = pyplot.subplots(
        layers, heads, figsize=(1.7 * heads, 1.9 * layers + 0.6), squeeze=False
    )
    for layer in range(layers):
        for head in range(heads):
            ax = axes[layer][head]
            ax.imshow(weights[layer, head], cmap="Blues", vmin=0.0, vmax=1.0)
            ax.set_title(f"layer {layer}, head {head}", fontsize=7)
            ax.set_xticks(range(len(pieces)), pieces, rotation=90, fontsize=5)
            ax.set_yticks(range(len(pieces)), pieces, fontsize=5)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def table(weights: Tensor) -> str:
    """Return the shares of each head as lines of text."""
    found = shares(weights)
    lines = ["layer  head  " + "  ".join(f"{name:>6}" for name in found)]
    for layer in range(weights.shape[0]):
        for head in range(weights.shape[1]):
            numbers = "  ".join(f"{one[layer, head]:6.2f}" for one in found.values())
            lines.append(f"{layer:>5}  {head:>4}  {numbers}")
    return "\n".join(lines)


def main() -> None:
    """Draw the attention of one sentence."""
    parser = argparse.ArgumentParser(description="Draw what attends to what in BERT.")
    parser.add_argument("text", nargs="?", default="The plot was not good, but I was moved.")
    parser.add_argument("--model", default="minilm", help="or a folder, or a name on the hub")
    parser.add_argument("--tuned", action="store_true", help="after fine-tuning on 1,000 sentences")
    parser.add_argument("--numbers", action="store_true", help="print the shares of each head")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder of the pictures")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    tokenizer, bert = bert_finetune.load_pretrained(options.model)
    if options.tuned:
        texts, labels = bert_finetune.rated_snippets()
        rows = torch.randperm(len(texts))[:1000].tolist()
        batch = bert_finetune.encode(tokenizer, [texts[n] for n in rows], 48)
        model = bert_finetune.BertClassifier(bert, 2)
        bert_finetune.fine_tune(model, *batch, labels[rows], 3, 1e-4, seed=options.seed)
    ids, mask = bert_finetune.encode(tokenizer, [options.text], 48)
    weights = bert_finetune.attentions(bert, ids, mask)[:, 0]
    path = options.out / f"attention{'_tuned' if options.tuned else ''}.png"
    draw(weights, tokenizer.convert_ids_to_tokens(ids[0].tolist()), path)
    print(f"written: {path}")
    if options.numbers:
        print(table(weights))


if __name__ == "__main__":
    main()
