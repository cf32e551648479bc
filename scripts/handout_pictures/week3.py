"""The pictures of week 3's handout, and of the project's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import cos, pi, sqrt

from handout_pictures.svg import Axes, Picture, Point
from handout_pictures.trained import Overfitted

CURVATURE = (1.0, 25.0)
START = (-4.0, 1.4)
Step = Callable[[list[float], int], list[float]]
"""Takes a gradient and the number of the step, from 1, and returns what is added to the place."""


def _descent(step: Step, steps: int) -> list[Point]:
    """Return the places of a descent on f = (x² + 25 y²) / 2."""
    place, places = list(START), [START]
    for t in range(1, steps + 1):
        gradient = [h * x for h, x in zip(CURVATURE, place, strict=True)]
        place = [x + d for x, d in zip(place, step(gradient, t), strict=True)]
        places.append((place[0], place[1]))
    return places


def _plain(gradient: list[float], _: int) -> list[float]:
    return [-0.07 * g for g in gradient]


def _momentum() -> Step:
    velocity = [0.0, 0.0]

    def step(gradient: list[float], _: int) -> list[float]:
        velocity[:] = [0.75 * v + g for v, g in zip(velocity, gradient, strict=True)]
        return [-0.03 * v for v in velocity]

    return step


def _adam() -> Step:
    first, second = [0.0, 0.0], [0.0, 0.0]

    def step(gradient: list[float], t: int) -> list[float]:
        first[:] = [0.9 * m + 0.1 * g for m, g in zip(first, gradient, strict=True)]
        second[:] = [0.999 * s + 0.001 * g * g for s, g in zip(second, gradient, strict=True)]
        return [
            -0.25 * (m / (1 - 0.9**t)) / (sqrt(s / (1 - 0.999**t)) + 1e-8)
            for m, s in zip(first, second, strict=True)
        ]

    return step


def optimizer_paths() -> str:
    """Draw the ways of three optimizers through a ravine."""
    p = Picture(520, 408, "Three optimizers in a ravine")
    kinds: tuple[tuple[str, Step, str], ...] = (
        ("gradient descent", _plain, "orange"),
        ("with momentum", _momentum(), "blue"),
        ("Adam", _adam(), "green"),
    )
    for k, (name, step, colour) in enumerate(kinds):
        top = 30 + 128 * k
        axes = Axes(p, (20, top, 500, top + 104), (-4.6, 2.2), (-1.75, 1.75))
        centre = axes.at(0.0, 0.0)
        across, up = axes.at(1.0, 1.0)[0] - centre[0], centre[1] - axes.at(0.0, 1.0)[1]
        for level in (0.4, 1.6, 3.6, 6.4, 10.0, 14.4):
            # Where (x² + 25 y²) / 2 = level there is an ellipse; what is outside is cut off.
            if sqrt(2 * level) * across < 240 + 140:
                p.add(
                    "ellipse",
                    cx=centre[0],
                    cy=centre[1],
                    rx=sqrt(2 * level) * across,
                    ry=sqrt(2 * level / 25) * up,
                    fill="none",
                    stroke="line",
                    stroke_width=1.1,
                )
        places = _descent(step, 30)
        axes.curve(places, colour, 2)
        for place in places:
            p.dot(*axes.at(*place), colour, 2.6)
        p.dot(*axes.at(*START), "text", 4.5)
        x, y = centre
        p.line([(x - 6, y), (x + 6, y)])
        p.line([(x, y - 6), (x, y + 6)])
        p.text(500, top + 6, name, "strong", anchor="end", colour=colour)
    return p.svg()


def schedules() -> str:
    """Draw the learning rate by epoch, for the schedules of the week."""
    p = Picture(520, 380, "Five schedules")

    def cosine(epoch: float, length: float) -> float:
        return 0.5 * (1 + cos(pi * min(epoch, length) / length))

    kinds: tuple[tuple[str, Callable[[int], float]], ...] = (
        ("in equal steps", lambda e: 0.4 ** (e // 25)),
        ("at milestones", lambda e: 0.4 ** ((e >= 20) + (e >= 80))),
        ("a little in every epoch", lambda e: 0.96**e),
        ("along a cosine", lambda e: cosine(e, 100)),
        ("warm-up, then a cosine", lambda e: (e + 1) / 20 if e < 20 else cosine(e - 20, 80)),
    )
    for k, (name, rate) in enumerate(kinds):
        left, top = 42 + 250 * (k % 2), 42 + 118 * (k // 2)
        axes = Axes(p, (left, top, left + 206, top + 68), (0.0, 100.0), (0.0, 1.08))
        p.line([(left, top), (left, top + 68), (left + 206, top + 68)], "soft", 1.2)
        points = []
        for epoch in range(100):  # a rate holds for the whole of its epoch
            points += [(epoch, rate(epoch)), (epoch + 1, rate(epoch))]
        axes.curve(points, "blue", 2)
        p.text(left + 103, top - 10, name, "small strong")
        p.text(left - 4, top + 12, "η", "small soft", anchor="end")
        p.text(left + 206, top + 84, "epoch 100", "small soft", anchor="end")
    return p.svg()


def batch_norm_graph() -> str:
    """Draw the graph of batch normalisation: x goes three ways."""
    p = Picture(520, 348, "The graph of batch normalisation")
    nodes = {
        "x": (48, 150, "x"),
        "mu": (160, 62, "μ"),
        "c": (208, 150, "x − μ"),
        "v": (262, 236, "v"),
        "s": (368, 236, "√(v + ε)"),
        "h": (368, 150, "x̂"),
        "y": (470, 150, "y"),
    }
    arrows = (
        ("x", "mu", 1),
        ("mu", "c", 0),
        ("x", "c", 1),
        ("c", "v", 1),
        ("v", "s", 0),
        ("s", "h", 0),
        ("c", "h", 0),
        ("h", "y", 0),
    )
    sizes = {"c": 38, "s": 46}
    for source, target, _ in arrows:
        (x, y, _n), (end, height, _m) = nodes[source], nodes[target]
        length = sqrt((end - x) ** 2 + (height - y) ** 2)
        dx, dy = (end - x) / length, (height - y) / length

        def reach(name: str, across: float, up: float) -> float:
            half = sizes.get(name, 22)
            return min(half / abs(across) if across else 1e9, 19 / abs(up) if up else 1e9)

        a, b = reach(source, dx, dy), reach(target, dx, dy) + 2
        p.arrow([(x + a * dx, y + a * dy), (end - b * dx, height - b * dy)], "blue")
    for name, (x, y, words) in nodes.items():
        half = sizes.get(name, 22)
        p.box(x - half, y - 18, 2 * half, 36)
        p.text(x, y + 5, words, "strong")
    p.text(160, 34, "mean of each column", "small soft")
    p.text(262, 276, "mean of squares", "small soft")
    p.text(420, 104, "γ, β", colour="blue")
    p.arrow([(424, 110), (454, 130)], "blue")
    for k, (start, way) in enumerate(
        (("1", "x → x − μ → x̂"), ("2", "x → μ → x − μ → x̂"), ("3", "x → … → v → √(v + ε) → x̂"))
    ):
        p.text(
            28 + (0, 122, 284)[k], 326, f"{start}:  {way}", "small", anchor="start", colour="orange"
        )
    p.text(
        28,
        304,
        "three ways from x to x̂, so three contributions to ∂L/∂x",
        "small soft",
        anchor="start",
    )
    return p.svg()


def rows_and_columns() -> str:
    """Draw over which numbers two normalisations take their mean."""
    p = Picture(520, 262, "Batch norm takes columns, layer norm rows")
    for left, title, words, marked in (
        (60, "batch norm", "mean and variance of a column", [(row, 2) for row in range(5)]),
        (316, "layer norm", "mean and variance of a row", [(2, column) for column in range(6)]),
    ):
        p.text(left + 75, 32, title, "strong")
        p.grid(left, 62, 5, 6, cell=25, marked=marked)
        p.text(left + 75, 212, words, "small soft")
        p.text(left + 75, 54, "D features", "small")
        p.text(left - 12, 124, "N examples", "small", turned=True)
    p.text(260, 246, "γ and β belong to the columns in both", "small soft")
    return p.svg()


def dropout() -> str:
    """Draw units in training and in testing, with dropout of a half."""
    p = Picture(520, 236, "Dropout with p = 0.5")
    values, kept = (1.2, 0.4, 2.0, 0.8, 1.6, 0.6), (1, 0, 0, 1, 1, 0)
    for row, (title, left) in enumerate(
        (
            ("training: some are 0, the others are twice as large", 0),
            ("testing: all as they are", 1),
        )
    ):
        top = 46 + 108 * row
        p.text(20, top - 12, title, "small strong", anchor="start")
        for k, (value, keep) in enumerate(zip(values, kept, strict=True)):
            x = 52 + 84 * k
            on = left == 1 or keep
            p.add(
                "circle",
                cx=x,
                cy=top + 30,
                r=26,
                fill="fill",
                stroke="blue" if on else "line",
                stroke_width=2.2 if on else 1.2,
                stroke_dasharray=None if on else "4 4",
            )
            shown = value if left else value * 2 * keep
            p.text(x, top + 35, f"{shown:g}", "strong" if on else "soft")
    return p.svg()


def overfitting(run: Overfitted) -> str:
    """Draw losses of a run that learns its training images by heart, and where to stop it."""
    p = Picture(520, 310, "Where to stop")
    epochs = len(run.training)
    axes = Axes(p, (60, 36, 500, 252), (1.0, float(epochs)), (0.0, 2.2))
    axes.frame("epoch", "loss")
    axes.ticks(
        [(k, str(k)) for k in range(5, epochs + 1, 5)], [(v, f"{v:g}") for v in (0.5, 1, 1.5, 2)]
    )
    axes.curve(list(enumerate(run.training, 1)), "soft")
    axes.curve(list(enumerate(run.validation, 1)), "blue")
    best = min(range(epochs), key=run.validation.__getitem__)
    axes.curve([(best + 1, 0.0), (best + 1, 1.75)], "orange", 1.6, "5 4")
    x, y = axes.at(best + 1, run.validation[best])
    p.dot(x, y, "orange", 5)
    p.text(x + 8, 64, "the best weights", "small", anchor="start", colour="orange")
    p.text(
        494,
        axes.at(1, run.validation[-1])[1] - 12,
        "images not trained on",
        "small",
        anchor="end",
        colour="blue",
    )
    p.text(
        494,
        axes.at(1, run.training[-1])[1] - 12,
        "training images",
        "small",
        anchor="end",
        colour="soft",
    )
    return p.svg()


def residual_block() -> str:
    """Draw a block with its shortcut, and the way of the gradient around the layers."""
    p = Picture(520, 270, "A residual block")
    names = ("conv 3 × 3", "bn", "ReLU", "conv 3 × 3", "bn")
    left, places = 50, []
    for name in names:
        width = 78 if name.startswith("conv") else 46
        places.append((left, width))
        p.box(left, 104, width, 42)
        p.text(left + width / 2, 130, name, "small")
        left += width + 12
    p.arrow([(10, 125), (48, 125)], "blue")
    p.text(18, 114, "x", "strong", colour="blue")
    for (start, width), (end, _) in pairwise(places):
        p.line([(start + width, 125), (end, 125)], "blue")
    p.add("circle", cx=left + 4, cy=125, r=13, fill="fill", stroke="soft", stroke_width=1.4)
    p.text(left + 4, 130, "+", "strong")
    p.line([(left - 12, 125), (left - 9, 125)], "blue")
    p.line([(left + 17, 125), (left + 24, 125)], "blue")
    p.box(left + 24, 104, 46, 42)
    p.text(left + 47, 130, "ReLU", "small")
    p.arrow([(28, 125), (28, 58), (left + 4, 58), (left + 4, 110)], "blue")
    p.text(250, 48, "shortcut: x itself, or 1 × 1 and bn where the shape changes", "small")
    p.arrow([(left + 70, 125), (left + 92, 125)], "blue")
    p.arrow([(left + 4, 142), (left + 4, 196), (24, 196)], "orange", 2)
    p.text(
        214, 188, "gradient by the shortcut: not multiplied by any weight", "small", colour="orange"
    )
    p.text(250, 236, "The sum hands its gradient to both ways, and they add up at x.", "small soft")
    return p.svg()


def resnet18() -> str:
    """Draw the stages of the network: images get smaller, channels more."""
    p = Picture(520, 286, "ResNet-18 for images of 32 x 32 pixels")
    stages = (
        ("image", 3, 32, ""),
        ("conv1", 64, 32, ""),
        ("layer1", 64, 32, "2 blocks"),
        ("layer2", 128, 16, "2 blocks"),
        ("layer3", 256, 8, "2 blocks"),
        ("layer4", 512, 4, "2 blocks"),
        ("fc", 10, 1, ""),
    )
    for k, (name, channels, side, words) in enumerate(stages):
        x = 42 + 73 * k
        height, depth = 12 + 3.4 * side, 5 + channels / 16
        depth = min(depth, 38)
        if name == "fc":
            height, depth = 60, 8
        top = 122 - height / 2
        p.box(x - depth / 2, top, depth, height, colour="blue", radius=2)
        p.text(x, 212, name, "code")
        p.text(x, 234, f"{channels}", "small")
        p.text(x, 254, f"{side} × {side}" if side > 1 else "logits", "small soft")
        p.text(x, 274, words, "small soft")
        if k:
            p.arrow([(x - 73 + 22, 122), (x - 22, 122)], "soft", 1.4)
    p.text(20, 34, "height: pixels; width: channels", "small soft", anchor="start")
    return p.svg()


def learning_rate() -> str:
    """Draw the rate of a long run: a warm-up, then a cosine."""
    p = Picture(520, 250, "A warm-up, then a cosine")
    axes = Axes(p, (60, 36, 500, 192), (0.0, 100.0), (0.0, 1.1))
    axes.frame("epoch", "learning rate")
    axes.ticks([(k, str(k)) for k in (0, 5, 25, 50, 75, 100)], [(1, "highest")])
    points = []
    for epoch in range(100):
        rate = (epoch + 1) / 5 if epoch < 5 else 0.5 * (1 + cos(pi * (epoch - 5) / 95))
        points += [(epoch, rate), (epoch + 1, rate)]
    axes.curve(points, "blue")
    p.text(96, 150, "5 epochs of warm-up", "small soft", anchor="start")
    p.text(330, 84, "half a period of the cosine", "small soft", anchor="start")
    return p.svg()
