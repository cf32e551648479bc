"""Small pictures as SVG for pages: they have the page's own colours, and words for who can't see.

All that goes into them are numbers and words of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

WIDTH, HEIGHT = 240, 64
"""Size of a histogram in units of its picture; 12 more below for the quartiles."""

SQUARES_IN_ROW = 24
MOST_SQUARES = 192


def _svg(width: float, height: float, words: str, inner: Markup, kind: str) -> Markup:
    head = Markup('<svg class="{}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}"{}>')
    # A meter is as wide as its place; whatever else is drawn keeps its form.
    free = Markup(' preserveAspectRatio="none"') if kind.startswith("meter") else Markup("")
    return head.format(kind, width, height, words, free) + inner + Markup("</svg>")


def _rect(x: float, y: float, width: float, height: float, kind: str = "") -> Markup:
    # Numbers and names of ours: there is nothing to escape, and there are thousands of these.
    of = f' class="{kind}"' if kind else ""
    return Markup(f'<rect{of} x="{x:.4g}" y="{y:.4g}" width="{width:.4g}" height="{height:.4g}"/>')


def histogram(bins: Sequence[int], quarters: Sequence[float], words: str) -> Markup:
    """Return a histogram over its five quarters (least, lower, median, upper, highest), 0..1."""
    highest, step = max(*bins, 1), WIDTH / len(bins)
    bars = Markup("").join(
        _rect(n * step + 0.8, HEIGHT * (1 - one / highest), step - 1.6, HEIGHT * one / highest)
        for n, one in enumerate(bins)
    )
    inner = Markup('<g class="bars">{}</g>').format(bars)
    inner += _rect(0, HEIGHT, WIDTH, 1, "axis") + _box(quarters, WIDTH, HEIGHT + 4, 8)
    return _svg(WIDTH, HEIGHT + 14, words, inner, "histogram")


def box(quarters: Sequence[float], words: str) -> Markup:
    """Return a box plot of five quarters, 0..1."""
    return _svg(120, 12, words, _box(quarters, 120, 1, 10), "box")


def _box(quarters: Sequence[float], width: float, y: float, height: float) -> Markup:
    least, lower, middle, upper, highest = (min(1, max(0, one)) * width for one in quarters)
    return (
        _rect(least, y + height / 2 - 0.5, highest - least, 1, "whisker")
        + _rect(lower, y, max(1, upper - lower), height, "quarters")
        + _rect(max(0, min(width - 2, middle - 1)), y, 2, height, "median")
    )


def meter(share: float, words: str, kind: str = "") -> Markup:
    """Return a bar that is filled to a share, 0..1."""
    filled = min(1, max(0, share)) * 100
    inner = _rect(0, 0, 100, 6, "rest") + (_rect(0, 0, filled, 6, "filled") if filled else "")
    return _svg(100, 6, words, inner, f"meter {kind}".strip())


def stacked(parts: Sequence[tuple[str, int]], words: str) -> Markup:
    """Return a bar made of parts; each is the class of its colour, and a number."""
    total, at, inner = max(1, sum(number for _, number in parts)), 0.0, Markup("")
    for kind, number in parts:
        width = 100 * number / total
        if number:
            inner += _rect(at, 0, width, 6, kind)
        at += width
    return _svg(100, 6, words, inner, "meter")


def steps(values: Sequence[float], words: str) -> Markup:
    """Return how something rose and fell from one time to the next; values are 0..1."""
    width, height = 160, 36
    apart = width / max(1, len(values) - 1)
    places = [
        (n * apart, 2 + (height - 4) * (1 - min(1, max(0, one)))) for n, one in enumerate(values)
    ]
    line = " ".join(f"{x:.4g},{y:.4g}" for x, y in places)
    inner = Markup('<polyline points="{}"/>').format(line)
    for x, y in places:
        inner += Markup('<circle cx="{:.4g}" cy="{:.4g}" r="2.4"/>').format(x, y)
    head = Markup('<svg class="steps" viewBox="-4 0 168 36" role="img" aria-label="{}">')
    return head.format(words) + inner + Markup("</svg>")


def squares(marked: int, total: int, words: str) -> Markup:
    """Return as many squares as there are entries, so many of them marked.

    Where there are more than MOST_SQUARES, each stands for several.
    """
    number = min(total, MOST_SQUARES)
    bad = round(marked * number / max(1, total))
    bad = min(number, max(bad, 1 if marked else 0))
    columns = min(number, SQUARES_IN_ROW)
    rows = -(-number // max(1, columns))
    inner = Markup("").join(
        _rect(n % columns * 8, n // columns * 8, 7, 7, "wrong" if n < bad else "right")
        for n in range(number)
    )
    sized = Markup('<svg class="squares" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"')
    tail = Markup(' aria-label="{}">').format(words)
    return sized.format(columns * 8 - 1, rows * 8 - 1) + tail + inner + Markup("</svg>")


def shapes(got: Sequence[int], wanted: Sequence[int], words: str) -> Markup:
    """Return the shapes of two arrays as two grids, drawn alike: what came, what was asked for."""
    inner, at = Markup(""), 0.0
    for kind, shape in (("wrong", got), ("right", wanted)):
        rows, columns = _grid(shape)
        for row in range(rows):
            for column in range(columns):
                inner += _rect(at + column * 8, row * 8, 7, 7, kind)
        at += columns * 8 + 24
    rows = max(_grid(got)[0], _grid(wanted)[0])
    sized = Markup('<svg class="squares" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"')
    tail = Markup(' aria-label="{}">').format(words)
    return sized.format(int(at - 24), rows * 8 - 1) + tail + inner + Markup("</svg>")


def _grid(shape: Sequence[int]) -> tuple[int, int]:
    """Return rows and columns by which a shape is drawn; long ones are cut."""
    lengths = [max(1, min(12, one)) for one in shape]
    if not lengths:
        return 1, 1
    rows = 1 if len(lengths) == 1 else lengths[-2]
    return rows, lengths[-1]


CURVE_WIDTH, CURVE_HEIGHT = 260, 110


def curves(
    name: str, epochs: Sequence[float], lines: Mapping[str, Sequence[float]], words: str
) -> Markup:
    """Return lines over epochs; `lines` are values by the class of their colour."""
    values = [one for each in lines.values() for one in each]
    if not values or not epochs:
        return Markup("")
    low, high = min(values), max(values)
    low, high = (0.0, 1.0) if name == "accuracy" else (min(0.0, low), high)
    across = max(epochs) - min(epochs) or 1
    up = high - low or 1

    def place(epoch: float, value: float) -> str:
        x = 34 + (epoch - min(epochs)) / across * (CURVE_WIDTH - 40)
        y = 8 + (1 - (value - low) / up) * (CURVE_HEIGHT - 26)
        return f"{x:.4g},{y:.4g}"

    inner = _rect(34, 8, 0.7, CURVE_HEIGHT - 26, "axis")
    inner += _rect(34, CURVE_HEIGHT - 18, CURVE_WIDTH - 40, 0.7, "axis")
    text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    inner += text.format(30, 14, "end", f"{high:.3g}")
    inner += text.format(30, CURVE_HEIGHT - 18, "end", f"{low:.3g}")
    inner += text.format(34, CURVE_HEIGHT - 5, "start", f"{min(epochs):g}")
    inner += text.format(CURVE_WIDTH - 6, CURVE_HEIGHT - 5, "end", f"epoch {max(epochs):g}")
    for kind, each in lines.items():
        points = " ".join(place(*pair) for pair in zip(epochs, each, strict=False))
        inner += Markup('<polyline class="{}" points="{}"/>').format(kind, points)
    return _svg(CURVE_WIDTH, CURVE_HEIGHT, words, inner, "curves")
