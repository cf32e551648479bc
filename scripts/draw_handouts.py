"""Draw the pictures of the handouts: assignments/<week>/pictures.

    python scripts/draw_handouts.py            write all of them anew
    python scripts/draw_handouts.py --out DIR  into another folder instead of assignments/

A picture shows what a text can't, or what the solutions do: it is drawn by code, from numbers that
are computed here, and kept in the repository. Each is called in its week's handout, with words for
those who can't see it; docs/authors.md says how.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from handout_pictures import (
    learnt,
    trained,
    week1,
    week2,
    week3,
    week4,
    week5,
    week6,
    week6_gpt,
    week7,
    week7_gan,
)

ROOT = Path(__file__).resolve().parents[1]
WEEK1, WEEK2, WEEK3 = "week1_backprop", "week2_autograd", "week3_training"
WEEK4 = "week4_cnn"
PROJECT = "week3_training/phase1_project"

Drawing = Callable[[], str | bytes]
PICTURES: dict[tuple[str, str], Drawing] = {
    (WEEK1, "two_passes.svg"): week1.two_passes,
    (WEEK1, "shapes.svg"): week1.shapes,
    (WEEK1, "activations.svg"): week1.activations,
    (WEEK1, "slopes.svg"): week1.slopes,
    (WEEK1, "epsilon.svg"): week1.epsilon,
    (WEEK1, "learning_curves.svg"): lambda: week1.learning_curves(trained.digits()),
    (WEEK1, "what_was_learnt.png"): lambda: learnt.learnt_png(
        trained.digits().start, trained.digits().end
    ),
    (WEEK2, "forward.svg"): week2.forward,
    (WEEK2, "backward.svg"): week2.backward,
    (WEEK2, "order.svg"): week2.order,
    (WEEK2, "paths.svg"): week2.paths,
    (WEEK2, "broadcasting.svg"): week2.broadcasting,
    (WEEK2, "two_modes.svg"): week2.two_modes,
    (WEEK3, "optimizer_paths.svg"): week3.optimizer_paths,
    (WEEK3, "schedules.svg"): week3.schedules,
    (WEEK3, "batch_norm_graph.svg"): week3.batch_norm_graph,
    (WEEK3, "rows_and_columns.svg"): week3.rows_and_columns,
    (WEEK3, "dropout.svg"): week3.dropout,
    (WEEK3, "overfitting.svg"): lambda: week3.overfitting(trained.overfitted()),
    (WEEK4, "overlap.svg"): week4.overlap,
    (WEEK4, "window.svg"): week4.window,
    (WEEK4, "columns.svg"): week4.columns,
    (WEEK4, "pooling.svg"): week4.pooling,
    (WEEK4, "network.svg"): week4.network,
    (PROJECT, "residual_block.svg"): week3.residual_block,
    (PROJECT, "resnet18.svg"): week3.resnet18,
    (PROJECT, "learning_rate.svg"): week3.learning_rate,
    **week5.PICTURES,
    **week6.PICTURES,
    **week6_gpt.PICTURES,
    **week7.PICTURES,
    **week7_gan.PICTURES,
}


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the handouts.")
    parser.add_argument("--out", type=Path, default=ROOT / "assignments")
    out = parser.parse_args().out
    for (week, name), draw in PICTURES.items():
        path = out / week / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = draw()
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        print(f"{path.stat().st_size:6} bytes  {path}")


if __name__ == "__main__":
    main()
