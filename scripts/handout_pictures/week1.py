"""The pictures of week 1's handout."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log10

from handout_pictures.svg import Axes, Picture
from handout_pictures.trained import Digits


def two_passes() -> str:
    """Draw a network: values forward, gradients backward."""
    p = Picture(520, 290, "Two passes through a network")
    p.text(14, 28, "forward: values", "small strong", anchor="start", colour="blue")
    p.text(14, 276, "backward: gradients", "small strong", anchor="start", colour="orange")
    names = (("Linear", "keeps x"), ("ReLU", "keeps"), ("Linear", "keeps r"), ("loss", "keeps"))
    left, pitch, width = 50, 110, 72
    for k, (name, kept) in enumerate(names):
        corner = left + pitch * k
        p.box(corner, 110, width, 62)
        p.text(corner + width / 2, 135, name, "strong")
        p.text(corner + width / 2, 157, kept, "small soft")
    for k, value in enumerate("xhrzL"):
        end = left + pitch * k
        start = end - (pitch - width)
        middle = (start + end) / 2
        p.arrow([(start + 2, 124), (end - 2, 124)], "blue")
        p.text(middle, 100, value, colour="blue")
        p.arrow([(end - 2, 160), (start + 2, 160)], "orange")
        p.text(middle, 192, "1" if value == "L" else f"∂L/∂{value}", "small", colour="orange")
    for k in (0, 2):
        centre = left + width / 2 + pitch * k
        p.arrow([(centre, 172), (centre, 220)], "orange")
        p.text(centre, 240, "dL_dW, dL_db", "code", colour="orange")
        p.arrow([(centre, 72), (centre, 108)], "blue")
        p.text(centre, 62, "W, b", colour="blue")
    return p.svg()


def shapes() -> str:
    """Draw the arrays of a linear layer: each gradient has the shape of its array."""
    p = Picture(520, 300, "The arrays of a linear layer and their gradients")
    columns = (
        (96, "x", 4, 3, "(N, D)"),
        (218, "W", 5, 3, "(M, D)"),
        (330, "b", 1, 5, "(M,)"),
        (440, "y", 4, 5, "(N, M)"),
    )
    for centre, name, rows, width, shape in columns:
        cell = 15
        left = centre - width * cell / 2
        p.text(centre, 32, name, "strong", colour="blue")
        p.grid(left, 44, rows, width, cell=cell)
        p.text(centre, 138, shape, "small soft")
        p.grid(left, 170, rows, width, cell=cell, colour="orange")
        words = "arrives" if name == "y" else ("returned" if name == "x" else "stored")
        p.text(centre, 264, f"dL_d{name}", "code", colour="orange")
        p.text(centre, 284, words, "small soft")
    p.text(20, 80, "values", "small", turned=True, colour="blue")
    p.text(20, 210, "gradients", "small", turned=True, colour="orange")
    return p.svg()


def activations() -> str:
    """Draw the four activations."""
    p = Picture(520, 330, "Four activations")
    kinds: tuple[tuple[str, Callable[[float], float], tuple[float, float]], ...] = (
        ("ReLU", lambda x: max(0.0, x), (-1.0, 4.0)),
        ("LeakyReLU, α = 0.1", lambda x: x if x > 0 else 0.1 * x, (-1.0, 4.0)),
        ("sigmoid", lambda x: 1 / (1 + exp(-x)), (-0.25, 1.25)),
        ("tanh", lambda x: (exp(2 * x) - 1) / (exp(2 * x) + 1), (-1.5, 1.5)),
    )
    for k, (name, f, limits) in enumerate(kinds):
        left, top = 40 + 250 * (k % 2), 36 + 158 * (k // 2)
        axes = Axes(p, (left, top, left + 210, top + 106), (-4.0, 4.0), limits)
        axes.curve([(-4.0, 0.0), (4.0, 0.0)], "line", 1)
        axes.curve([(0.0, limits[0]), (0.0, limits[1])], "line", 1)
        for height in {"sigmoid": (1.0,), "tanh": (1.0, -1.0)}.get(name, ()):
            axes.curve([(-4.0, height), (4.0, height)], "line", 1, "3 4")
            p.text(left - 5, axes.at(0.0, height)[1] + 5, f"{height:g}", "small soft", anchor="end")
        axes.curve([(x / 20, f(x / 20)) for x in range(-80, 81)], "blue", 2.6)
        p.text(left + 105, top - 12, name, "strong")
        p.text(left + 213, axes.at(0.0, 0.0)[1] + 5, "x", "small soft", anchor="start")
    return p.svg()


def slopes() -> str:
    """Draw a slope at a point, measured from one side and from both."""
    p = Picture(520, 290, "A slope, measured")
    axes = Axes(p, (50, 30, 500, 240), (0.0, 3.0), (0.0, 3.4))

    def f(x: float) -> float:
        return 0.35 * x**3 - 0.9 * x**2 + 0.9 * x + 0.9

    at, step = 1.7, 0.9
    slope = 1.05 * at**2 - 1.8 * at + 0.9
    axes.frame("x", "f(x)")
    axes.curve([(x / 20, f(x / 20)) for x in range(54)], "text", 2.6)
    lines = (
        ("tangent: the slope that is asked for", slope, "green"),
        ("f(x + ε) and f(x): one side", (f(at + step) - f(at)) / step, "orange"),
        ("f(x + ε) and f(x − ε): both sides", (f(at + step) - f(at - step)) / (2 * step), "blue"),
    )
    for k, (label, steep, colour) in enumerate(lines):
        height = f(at) if k < 2 else (f(at + step) + f(at - step)) / 2
        ends = [(at + d, height + steep * d) for d in (-0.78 if k == 1 else -1.2, 0.98)]
        axes.curve(ends, colour, 2, "7 5" if k == 0 else None)
        p.line([(66, 44 + 22 * k), (92, 44 + 22 * k)], colour, 2.4, "7 5" if k == 0 else None)
        p.text(100, 49 + 22 * k, label, "small", anchor="start")
    for x, label in ((at - step, "x − ε"), (at, "x"), (at + step, "x + ε")):
        p.dot(*axes.at(x, f(x)))
        axes.curve([(x, 0.0), (x, f(x))], "line", 1, "3 4")
        p.text(axes.at(x, 0)[0], 258, label, "small")
    return p.svg()


def epsilon() -> str:
    """Draw the error of measured slopes against the step. The numbers are computed here."""
    p = Picture(520, 320, "The error of a measured slope")
    axes = Axes(p, (66, 36, 500, 258), (-13.0, -0.5), (-12.0, 0.0))
    axes.frame("ε", "relative error")
    axes.ticks([(k, f"1e{k}") for k in range(-12, 0, 2)], [(k, f"1e{k}") for k in range(-12, 1, 3)])

    def f(x: float) -> float:
        return x / (1.0 + x * x)  # nothing but + * /, which are the same on every machine

    at, exact = 0.6, (1 - 0.36) / (1 + 0.36) ** 2
    for k, (label, colour) in enumerate((("one side", "orange"), ("both sides", "blue"))):
        points = []
        for tenth in range(-52, -2):
            step = 10.0 ** (tenth / 4)
            ahead, behind = f(at + step), f(at - step) if k else f(at)
            measured = (ahead - behind) / (step * (1 + k))
            points.append((tenth / 4, max(-12.0, log10(abs(measured / exact - 1) + 1e-13))))
        axes.curve(points, colour, 2)
        p.text((300, 490)[k], (104, 196)[k], label, "strong", anchor="end", colour=colour)
    axes.curve([(-5.0, -12.0), (-5.0, 0.0)], "soft", 1.2, "4 4")
    p.text(axes.at(-5.0, 0.0)[0], 26, "the default", "small soft")
    p.text(74, 244, "too small: digits cancel", "small soft", anchor="start")
    p.text(494, 244, "too large: f bends", "small soft", anchor="end")
    return p.svg()


def learning_curves(digits: Digits) -> str:
    """Draw loss and accuracies of a right solution."""
    p = Picture(520, 490, "Learning curves of a right solution on the digits")
    total = len(digits.losses)
    window = 20
    above = Axes(p, (60, 40, 500, 200), (0.0, total), (0.0, 2.5))
    above.ticks(
        [(k, str(k)) for k in range(0, total, 100)], [(v, f"{v:g}") for v in (0.5, 1, 1.5, 2)]
    )
    above.frame("", "cross-entropy", "Training loss")
    above.curve(list(enumerate(digits.losses))[::3], "line", 1.2)
    mean = [(k, sum(digits.losses[k - window : k]) / window) for k in range(window, total + 1, 10)]
    above.curve(mean, "blue")
    p.text(496, 66, "grey: each batch; blue: mean of 20", "small soft", anchor="end")
    below = Axes(p, (60, 274, 500, 434), (0.0, total), (0.0, 1.0))
    below.ticks(
        [(k, str(k)) for k in range(0, total, 100)], [(v / 4, f"{v * 25} %") for v in range(1, 5)]
    )
    below.frame("batch", "", "Accuracy")
    below.curve([(k, on_training) for k, on_training, _ in digits.looks], "soft")
    below.curve([(k, on_test) for k, _, on_test in digits.looks], "blue")
    p.text(490, 372, "training images", "small", anchor="end", colour="soft")
    p.text(490, 394, "test images", "small", anchor="end", colour="blue")
    return p.svg()
