"""Training curves as SVG: loss, accuracies and learning rate by epoch."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

PANELS = (
    ("loss", ("train_loss", "val_loss")),
    ("accuracy", ("train_accuracy", "val_accuracy")),
    ("learning rate", ("lr",)),
)
LABELS = {"train": "training images", "val": "validation images"}


def curves_svg(curves: Mapping[str, Sequence[float]], accuracy: float | None = None) -> str:
    """Return the picture as SVG.

    `curves` are columns of equal length, "epoch" among them; missing ones are not drawn. `accuracy`
    is the one measured on the test images, drawn as a line. Only the numbers come from student
    code.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "training", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9.6, 2.9), layout="constrained")
        for axes, (name, columns) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
            _panel(axes, name, [(key, curves[key]) for key in columns if key in curves], curves)
            if name == "accuracy" and accuracy is not None:
                axes.axhline(accuracy, color="0.4", linestyle=":", label="test images (measured)")
            if axes.get_legend_handles_labels()[0] and name != "learning rate":
                axes.legend(frameon=False, fontsize=8)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _panel(
    axes: Any,
    name: str,
    lines: Sequence[tuple[str, Sequence[float]]],
    curves: Mapping[str, Sequence[float]],
) -> None:
    axes.set_title(name)
    axes.set_xlabel("epoch")
    axes.spines[["top", "right"]].set_visible(False)
    for key, values in lines:
        marker = "o" if len(values) < 12 else None
        label = LABELS.get(key.partition("_")[0], name)
        axes.plot(curves["epoch"], values, marker=marker, markersize=3, label=label)
    if name == "accuracy":
        axes.set_ylim(0, 1)
