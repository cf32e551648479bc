"""The pictures of week 6's handout."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from handout_pictures.svg import Axes, Picture

WEEK6 = "week6_attention"
SOLUTION = Path(__file__).resolve().parents[2] / "solutions" / WEEK6

Q = np.array([[2.0, 1.0, 0.0, 1.0]])
K = np.array([[1.0, 1.0, 2.0, 1.0], [1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 3.0, -1.0]])
V = np.array([[10.0, 0.0], [0.0, 10.0], [5.0, 5.0]])
"""The handout's worked example."""


@cache
def attention() -> ModuleType:
    """Return the solution."""
    sys.path.insert(0, str(SOLUTION))
    import attention

    return attention


def table(
    p: Picture, x: float, y: float, rows: Sequence[Sequence[str]], cell: float, colour: str
) -> None:
    """Write the entries of a matrix into cells."""
    for r, row in enumerate(rows):
        for c, entry in enumerate(row):
            p.box(x + cell * c, y + 26 * r, cell, 26, colour=colour, radius=1)
            p.text(x + cell * (c + 0.5), y + 26 * r + 18, entry, "small")


def shares(
    p: Picture,
    place: tuple[float, float],
    values: np.ndarray,
    cell: tuple[float, float],
    colour: str = "blue",
) -> None:
    """Draw numbers from 0 to 1 as cells that are filled the more, the larger they are."""
    (x, y), (width, height) = place, cell
    for (r, c), value in np.ndenumerate(values):
        left, top = x + c * width, y + r * height
        p.add("rect", x=left, y=top, width=width, height=height, fill="fill")
        if value > 0.004:
            shade = {"fill": colour, "fill_opacity": f"{value:.2f}"}
            p.add("rect", x=left, y=top, width=width, height=height, **shade)


def lookup() -> str:
    """Draw one query that is compared with three keys, and the mean of their values."""
    p = Picture(520, 270, "One query, three keys, three values")
    weights = attention().attention_weights(Q, K)[0]
    scores = (Q @ K.T)[0] / 2.0
    result = attention().scaled_dot_product_attention(Q, K, V)[0]
    p.text(64, 30, "query", "strong", colour="green")
    table(p, 12, 40, [[f"{one:g}" for one in Q[0]]], 26, "green")
    for x, name, colour in ((198, "keys", "blue"), (464, "values", "pink")):
        p.text(x, 30, name, "strong", colour=colour)
    p.text(302, 30, "score", "strong")
    p.text(372, 30, "weight", "strong")
    for j in range(3):
        y = 40 + 50 * j
        table(p, 146, y, [[f"{one:g}" for one in K[j]]], 26, "blue")
        p.arrow([(118, 53), (144, y + 13)], "green", 1.2)
        p.text(302, y + 18, f"{scores[j]:g}")
        p.box(336, y, 72, 26, radius=2)
        p.add("rect", x=336, y=y, width=72 * float(weights[j]), height=26, fill="orange", rx=2)
        p.text(372, y + 18, f"{weights[j]:.3f}", "small strong")
        p.text(422, y + 18, "×", "small")
        table(p, 434, y, [[f"{one:g}" for one in V[j]]], 30, "pink")
    p.line([(434, 184), (494, 184)], "text", 1.2)
    p.text(424, 210, "sum", "small", anchor="end")
    table(p, 434, 192, [[f"{one:.1f}" for one in result]], 30, "orange")
    p.text(200, 206, "product of four features, divided by 2", "small soft")
    p.text(260, 256, "keys decide how much, values decide what", "small soft")
    return p.svg()


def shapes() -> str:
    """Draw the shapes of the arrays on their way."""
    p = Picture(520, 232, "The shapes on the way through attention")
    p.text(44, 26, "Q", "strong", colour="green")
    p.grid(14, 36, 4, 3, cell=20, colour="green")
    p.text(44, 136, "Tq × d", "code")
    p.text(92, 80, "·", "strong")
    p.text(158, 26, "Kᵀ", "strong", colour="blue")
    p.grid(108, 46, 3, 5, cell=20, colour="blue")
    p.text(158, 136, "d × Tk", "code")
    p.arrow([(218, 76), (252, 76)], "text")
    p.text(310, 26, "weights", "strong", colour="orange")
    p.grid(260, 36, 4, 5, cell=20, colour="orange", marked=[(1, c) for c in range(5)])
    p.text(310, 136, "Tq × Tk", "code")
    p.text(378, 80, "·", "strong")
    p.text(412, 26, "V", "strong", colour="pink")
    p.grid(392, 26 + 8, 5, 2, cell=20, colour="pink")
    p.text(412, 156, "Tk × dv", "code")
    p.text(444, 80, "=", "strong")
    p.text(482, 26, "result", "strong")
    p.grid(462, 36, 4, 2, cell=20, colour="text", marked=[(1, 0), (1, 1)])
    p.text(482, 136, "Tq × dv", "code")
    p.text(235, 62, "softmax", "small")
    p.text(260, 188, "a row of the weights belongs to a query, and adds to 1", "small soft")
    p.text(
        260, 210, "leading axes, such as batch and heads, stand before all of them", "small soft"
    )
    return p.svg()


def masks() -> str:
    """Draw three masks, and the weights of scores that are all alike."""
    p = Picture(520, 236, "Three masks and what they leave of even weights")
    one = attention()
    kinds = {
        "none": np.ones((6, 6), dtype=bool),
        "causal": one.causal_mask(6),
        "four of six are words": np.broadcast_to(np.arange(6) < 4, (6, 6)),
    }
    alike = np.zeros((6, 2))
    for k, (name, mask) in enumerate(kinds.items()):
        left = 32 + 166 * k
        p.text(left + 66, 28, name, "small strong")
        shares(p, (left, 44), one.attention_weights(alike, alike, mask), (22, 22))
        p.grid(left, 44, 0, 0)
        for step in range(7):
            p.line([(left, 44 + 22 * step), (left + 132, 44 + 22 * step)], "line", 0.8)
            p.line([(left + 22 * step, 44), (left + 22 * step, 176)], "line", 0.8)
        p.text(left + 66, 194, "keys", "small soft")
        p.text(left - 8, 110, "queries", "small soft", turned=True)
    p.text(260, 222, "all scores alike: the darker, the larger the weight", "small soft")
    return p.svg()


def scale() -> str:
    """Draw over how many keys attention is spread, with the division and without."""
    p = Picture(520, 290, "Entropy of the weights by the number of features")
    axes = Axes(p, (70, 40, 400, 230), (0, 10), (0, 4.5))
    axes.frame("features d", "nats", "entropy over 64 keys, random queries and keys")
    axes.ticks([(e, str(2**e)) for e in range(0, 11, 2)], [(v, str(v)) for v in range(5)])
    one, rng = attention(), np.random.default_rng(0)
    curves: dict[str, list[tuple[float, float]]] = {"divided": [], "not divided": []}
    for exponent in range(11):
        d = 2**exponent
        queries, keys = rng.normal(size=(2, 20, 64, d))
        for name, factor in (("divided", 1.0), ("not divided", d**0.5)):
            weights = one.attention_weights(factor * queries, keys)
            curves[name].append((exponent, one.entropy(weights)))
    for (name, points), colour in zip(curves.items(), ("blue", "orange"), strict=True):
        axes.curve(points, colour)
        x, y = axes.at(*points[-1])
        p.text(x + 8, y + 4, name, "small", anchor="start", colour=colour)
    height = axes.at(0, float(np.log(64)))[1]
    p.line([(70, height), (400, height)], "soft", 1.2, "5 4")
    p.text(408, height - 2, "all alike", "small soft", anchor="start")
    return p.svg()


def positions() -> str:
    """Draw three pairs of columns of the table of positions."""
    p = Picture(520, 330, "Sinusoidal positions: three pairs of columns")
    values = attention().sinusoidal_positions(61, 8)
    for pair, colour in enumerate(("blue", "orange", "green")):
        top = 46 + 88 * pair
        axes = Axes(p, (70, top, 410, top + 64), (0, 60), (-1.1, 1.1))
        axes.frame()
        for part, dash in enumerate((None, "4 4")):
            column = values[:, 2 * pair + part]
            axes.curve(list(enumerate(column.tolist())), colour, 1.8, dash)
        p.text(420, top + 26, f"{2 * pair}: sine", "small", anchor="start", colour=colour)
        p.text(420, top + 46, f"{2 * pair + 1}: cosine", "small", anchor="start", colour=colour)
    axes.ticks([(t, str(t)) for t in range(0, 61, 10)])
    p.text(240, 28, "the first six of eight columns", "strong")
    p.text(240, 318, "position t", "small soft")
    return p.svg()


PICTURES = {
    (WEEK6, "lookup.svg"): lookup,
    (WEEK6, "shapes.svg"): shapes,
    (WEEK6, "masks.svg"): masks,
    (WEEK6, "scale.svg"): scale,
    (WEEK6, "positions.svg"): positions,
}
"""The pictures by their week's folder and file, as scripts/draw_handouts.py draws them."""
