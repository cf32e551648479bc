"""Compare your small GPT with an RNN, an LSTM and a counted model: one table, one picture.

    python compare_models.py                     2,000 steps each: a few minutes of one processor
    python compare_models.py --steps 200         a quick look, half a minute
    python compare_models.py --out figures       where the picture goes

Given, nothing to fill in. It needs all tasks but `gpt.generate`. The picture needs matplotlib; the
table is printed without it.

All read the same text and are measured alike, by `bits_per_char` on the text's end: a character is
predicted from those before it in a piece of 32. The three networks have about as many parameters
and are trained by your `train`, by the same pieces. RNN and LSTM are week 5's, computed by PyTorch.
The counted model looks up how often each character
followed the four before it; it takes no step, and its numbers are counts.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from transformer import MiniGPT, bits_per_char, encode, load_text, train

CONTEXT, BATCH = 32, 48
ORDER = 5
"""The counted model's stretches: four characters, and the one that follows."""


class Recurrent(nn.Module):
    """A character embedding, a recurrent layer, and logits: week 5's network, by PyTorch."""

    def __init__(self, vocab: int, layer: type[nn.RNN | nn.LSTM], vector: int, state: int) -> None:
        """Create the parts; `layer` is nn.RNN or nn.LSTM."""
        super().__init__()
        self.context = CONTEXT
        self.tokens = nn.Embedding(vocab, vector)
        self.layer = layer(vector, state, batch_first=True)
        self.head = nn.Linear(state, vocab)

    def forward(self, ids: Tensor) -> Tensor:
        """Return the logits, shape (N, T, V); each piece is read from a state of zeros."""
        logits: Tensor = self.head(self.layer(self.tokens(ids))[0])
        return logits


class Counted:
    """How often each character followed each context of 0 to ORDER - 1 characters.

    The share of a character after a context is mixed with that after the shorter one: the more
    different characters have followed it, the more is left to these (Witten and Bell, 1991).
    """

    def __init__(self, text: str, alphabet: int) -> None:
        """Count a text."""
        self.alphabet = alphabet
        self.counts = [
            Counter(text[k : k + n] for k in range(len(text) - n + 1)) for n in range(1, ORDER + 1)
        ]
        self.totals: list[Counter[str]] = [Counter() for _ in self.counts]
        self.kinds: list[Counter[str]] = [Counter() for _ in self.counts]
        for counts, totals, kinds in zip(self.counts, self.totals, self.kinds, strict=True):
            for stretch, count in counts.items():
                totals[stretch[:-1]] += count
                kinds[stretch[:-1]] += 1

    @property
    def size(self) -> int:
        """How many numbers the model holds: its counts."""
        return sum(map(len, self.counts))

    def share(self, before: str, character: str) -> float:
        """Return the probability of a character after those before it."""
        found = 1.0 / self.alphabet
        for n in range(min(ORDER, len(before) + 1)):
            context = before[len(before) - n :]
            total, kinds = self.totals[n][context], self.kinds[n][context]
            if total:
                found = (self.counts[n][context + character] + kinds * found) / (total + kinds)
        return found

    def bits(self, text: str) -> float:
        """Return bits per character, in pieces of CONTEXT that are each read for themselves."""
        total, count = 0.0, 0
        for start in range(0, len(text) - CONTEXT, CONTEXT):
            for place in range(start + 1, start + CONTEXT + 1):
                total -= math.log2(self.share(text[start:place], text[place]))
                count += 1
        return total / count


@dataclass
class Row:
    """What is said of one model."""

    name: str
    size: int
    bits: float
    seconds: float
    losses: list[float] = field(default_factory=list)


def networks(alphabet: int) -> dict[str, tuple[Callable[[], nn.Module], float]]:
    """Return what makes each network, and its learning rate."""
    return {
        "GPT": (lambda: MiniGPT(alphabet, CONTEXT, 64, 4, 2), 0.004),
        "LSTM": (lambda: Recurrent(alphabet, nn.LSTM, 32, 142), 0.01),
        "RNN": (lambda: Recurrent(alphabet, nn.RNN, 32, 284), 0.004),
    }


def compare(text: str, held_out: str, steps: int, seed: int) -> list[Row]:
    """Train and measure all models."""
    alphabet = "".join(sorted(set(text + held_out)))
    ids, rest = encode(text, alphabet), encode(held_out, alphabet)
    rows = []
    for name, (make, rate) in networks(len(alphabet)).items():
        torch.manual_seed(seed)
        model = make()
        begun = time.process_time()
        losses = train(model, ids, steps, BATCH, rate, seed)
        seconds = time.process_time() - begun
        size = sum(one.numel() for one in model.parameters())
        rows.append(Row(name, size, bits_per_char(model, rest), seconds, losses))
        print(f"{name}: {rows[-1].bits:.3f} bits", flush=True)
    begun = time.process_time()
    counted = Counted(text, len(alphabet))
    bits, seconds = counted.bits(held_out), time.process_time() - begun
    rows.append(Row(f"{ORDER}-gram", counted.size, bits, seconds))
    return rows


def table(rows: list[Row]) -> str:
    """Return the table, in Markdown."""
    lines = ["| model | numbers in it | bits per character | CPU seconds |", "|---|---|---|---|"]
    for row in rows:
        lines.append(f"| {row.name} | {row.size:,} | {row.bits:.3f} | {row.seconds:.0f} |")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path) -> bool:
    """Draw losses in training, and what each model needs on text that it never read."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError:
        return False
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for row in rows:
        if not row.losses:
            axes.axhline(row.bits, color="black", ls="--", label=f"{row.name}, on held-out text")
            continue
        parts = torch.tensor(row.losses).split(max(1, len(row.losses) // 40))
        bits = [float(part.mean()) / math.log(2.0) for part in parts]
        middles = [(n + 0.5) * len(parts[0]) for n in range(len(parts))]
        [line] = axes.plot(middles, bits, label=f"{row.name}, in training")
        axes.plot([len(row.losses)], [row.bits], "o", color=line.get_color())
    axes.set(xlabel="step", ylabel="bits per character", ylim=(2.2, 4.5))
    axes.set_title("Dots: on text that was never read")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)
    return True


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description="Compare a GPT with RNN, LSTM and counting.")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("figures"))
    options = parser.parse_args()
    rows = compare(*load_text(), options.steps, options.seed)
    print(table(rows))
    path = options.out / "compare_models.png"
    print(f"picture: {path}" if draw(rows, path) else "no picture: matplotlib is not installed")


if __name__ == "__main__":
    main()
