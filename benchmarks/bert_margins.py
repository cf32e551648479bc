"""How far above its frozen features is a fine-tuned BERT? Measures it on drawn tasks.

    python -m benchmarks bert-margins                       a drawn BERT on generated reviews
    python -m benchmarks bert-margins --task minilm         MiniLM on sentences about films (cached)
    python -m benchmarks bert-margins --draws 10 --style first_piece

Each draw is a task as week 6's hidden suite makes it, with the settings of grading.toml, and a
right solution trains on it. Prints for each draw the accuracy of counting pieces (naive Bayes), of
logistic regression on both vectors of the frozen model, and of the fine-tuned one, then least, mean
and largest of each and of the margin, which is what gives points.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # has to stand before NumPy's and torch's imports
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import importlib
import importlib.util
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.sandbox.runtime import installed

ROOT = Path(__file__).resolve().parents[1]
WEEK = "week6_attention/bert"
SETTINGS = {"drawn": "bert.digits", "minilm": "bert.minilm"}
TINY = {"task": "drawn", "draws": 1}


def module(name: str, path: Path) -> ModuleType:
    """Import a file, or a folder as a package, by a name of ours."""
    if path.is_dir() and not (path / "__init__.py").is_file():
        found = sys.modules[name] = ModuleType(name)
        found.__path__ = [str(path)]
        return found
    file = path / "__init__.py" if path.is_dir() else path
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    found = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def bayes(task: Any) -> float:
    """Return the accuracy of multinomial naive Bayes on the pieces of the texts."""
    vocab = len(task.weights["embeddings.word_embeddings.weight"])
    pairs = zip(task.ids, task.mask, strict=True)
    counts = np.stack([np.bincount(ids[mask == 1], minlength=vocab) for ids, mask in pairs])
    known, labels = counts[: task.train], task.labels[: task.train]
    shares = [known[labels == kind].sum(axis=0) + 1.0 for kind in (0, 1)]
    weights = np.log(shares[1] / shares[1].sum()) - np.log(shares[0] / shares[0].sum())
    prior = np.log(labels.mean() / (1.0 - labels.mean()))
    said = counts[task.train :] @ weights + prior > 0
    return float(np.mean(said == (task.labels[task.train :] == 1)))


def draw(
    number: int, kind: str, solution: ModuleType, settings: dict[str, Any]
) -> dict[str, float]:
    """Return what one draw gives, accuracies from 0 to 1 and CPU seconds of the fine-tuning."""
    import torch

    formula, texts = sys.modules["bert_hidden.formula"], sys.modules["bert_hidden.texts"]
    rng = np.random.default_rng(number)
    task = (texts.minilm_task if kind == "minilm" else texts.drawn_task)(rng)
    n, labels = task.train, task.labels
    vectors = formula.pooled_in_parts(task.weights, task.ids, task.mask, task.heads)
    frozen = max(texts.frozen_accuracy(one[:n], one[n:], labels[:n], labels[n:]) for one in vectors)
    torch.manual_seed(number)
    model = solution.BertClassifier(
        sys.modules["bert_worker"].bert(task.heads, task.weights, 0.1), 2
    )
    given = [torch.from_numpy(one[:n]) for one in (task.ids, task.mask, labels)]
    begun = time.process_time()
    solution.fine_tune(
        model, *given, settings["epochs"], settings["lr"], settings["batch_size"], number
    )
    seconds = time.process_time() - begun
    with torch.no_grad():
        rest = [torch.from_numpy(one[n:]).split(100) for one in (task.ids, task.mask)]
        logits = torch.cat([model(*part) for part in zip(*rest, strict=True)])
    tuned = float(np.mean(logits.argmax(dim=1).numpy() == labels[n:]))
    return {
        "counting": bayes(task),
        "frozen": frozen,
        "fine-tuned": tuned,
        "margin": tuned - max(frozen, 0.5),
        "seconds": seconds,
    }


def main(task: str = "drawn", draws: int = 10, first: int = 0, style: str | None = None) -> None:
    """Measure, and print a table."""
    if not installed("transformers"):
        print("transformers is not installed: there is no BERT to measure")
        return
    import torch

    torch.set_num_threads(1)
    place, solved = ROOT / "assignments" / WEEK, ROOT / "solutions" / WEEK
    module("bert_hidden", place / "hidden")
    importlib.import_module("bert_hidden.texts")
    module("bert_worker", place / "worker")
    folder = solved / "other_styles" / style if style else solved
    solution = module("bert_finetune", folder / "bert_finetune.py")
    grading = tomllib.loads((ROOT / "assignments" / "grading.toml").read_text("utf-8"))
    settings = grading["training"][SETTINGS[task]]
    rows = []
    for number in range(first, first + draws):
        rows.append(draw(number, task, solution, settings))
        shown = "  ".join(f"{name} {value:.3f}" for name, value in rows[-1].items())
        print(f"draw {number}: {shown}", flush=True)
    for name in rows[0]:
        found = [row[name] for row in rows]
        print(f"{name}: {min(found):.3f} to {max(found):.3f}, mean {np.mean(found):.3f}")


def command(arguments: Sequence[str] | None = None) -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks bert-margins", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--task", choices=sorted(SETTINGS), default="drawn")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first draw")
    parser.add_argument("--style", help="another right solution instead of the reference")
    main(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    command()
