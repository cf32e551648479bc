"""The pictures of week 5's handout."""

from __future__ import annotations

import sys
from math import exp
from pathlib import Path

import numpy as np

from handout_pictures.svg import Axes, Picture

WEEK5 = "week5_rnn"
SOLUTION = Path(__file__).resolve().parents[2] / "solutions" / WEEK5
STEPS = (120, 260, 400)
SUB = "₀₁₂₃"


def unrolled() -> str:
    """Draw three steps of a recurrent network, with the matrices that they share."""
    p = Picture(520, 250, "A recurrent network, unrolled over three steps")
    p.box(14, 104, 44, 36, dash="4 3")
    p.text(36, 127, f"h{SUB[0]}", "strong")
    before = 58.0
    for t, x in enumerate(STEPS, 1):
        p.arrow([(before, 122), (x - 2, 122)], "blue")
        p.text((before + x) / 2 - 4, 114, "Wh", "code", colour="blue")
        p.box(x, 104, 60, 36, colour="blue")
        p.text(x + 30, 127, f"h{SUB[t]}", "strong")
        p.arrow([(x + 30, 196), (x + 30, 142)], "green")
        p.text(x + 50, 176, "Wx", "code", colour="green")
        p.text(x + 30, 214, f"x{SUB[t]}", "strong", colour="green")
        p.arrow([(x + 30, 102), (x + 30, 62)], "text", dash="5 4")
        p.text(x + 30, 52, "loss", "small")
        before = x + 60
    p.text(260, 24, "one layer for each step; all of them are the same layer", "small soft")
    p.text(260, 240, "the time goes to the right", "small soft")
    return p.svg()


def through_time() -> str:
    """Draw where the gradient of a state comes from."""
    p = Picture(520, 210, "What reaches the states on the way back")
    after = None
    for t, x in reversed(list(enumerate(STEPS, 1))):
        p.box(x, 104, 60, 36, colour="orange")
        p.text(x + 30, 127, f"h{SUB[t]}", "strong")
        p.text(x + 30, 42, "loss", "small")
        p.arrow([(x + 30, 50), (x + 30, 102)], "orange")
        p.text(x + 38, 80, f"u{SUB[t]}", "strong", anchor="start", colour="orange")
        if after is not None:
            p.arrow([(after, 122), (x + 62, 122)], "orange")
            p.text((after + x + 62) / 2, 112, "?", "strong", colour="orange")
        after = x
    p.arrow([(STEPS[0], 122), (60, 122)], "orange")
    p.box(14, 104, 44, 36, dash="4 3")
    p.text(36, 127, f"h{SUB[0]}", "strong")
    p.text(260, 176, "directly from the loss, and from the step after", "small soft")
    p.text(260, 196, "the last state has nothing after it", "small soft")
    return p.svg()


def lstm_cell() -> str:
    """Draw what happens to the cell and the state in one step of an LSTM."""
    p = Picture(520, 330, "One step of an LSTM")
    p.box(88, 38, 344, 232, fill="back", radius=14)
    p.text(40, 66, "cₜ₋₁", "strong", colour="blue")
    p.text(482, 66, "cₜ", "strong", colour="blue")
    p.arrow([(60, 78), (146, 78)], "blue", 2.6)
    p.arrow([(174, 78), (236, 78)], "blue", 2.6)
    p.arrow([(264, 78), (502, 78)], "blue", 2.6)
    blocks = (("f", 160, "σ"), ("i", 220, "σ"), ("g", 280, "tanh"), ("o", 340, "σ"))
    for name, x, function in blocks:
        p.box(x - 24, 196, 48, 38, colour="green")
        p.text(x, 212, name, "strong", colour="green")
        p.text(x, 228, function, "small soft")
        p.arrow([(x, 252), (x, 236)], "text")
    p.line([(60, 296), (108, 296), (108, 252), (340, 252)], "text")
    p.text(40, 300, "hₜ₋₁", "strong")
    p.arrow([(250, 306), (250, 254)], "text")
    p.text(262, 308, "xₜ", "strong", anchor="start")
    p.arrow([(160, 194), (160, 94)], "green")
    p.line([(220, 194), (220, 146), (237, 146)], "green")
    p.line([(280, 194), (280, 146), (263, 146)], "green")
    p.arrow([(250, 134), (250, 94)], "green")
    p.arrow([(382, 78), (382, 100)], "blue")
    p.box(356, 102, 52, 24, colour="line")
    p.text(382, 119, "tanh", "small")
    p.arrow([(382, 128), (382, 146)], "blue")
    p.line([(340, 194), (340, 160), (368, 160)], "green")
    p.arrow([(396, 160), (502, 160)], "text", 2.6)
    p.text(482, 150, "hₜ", "strong")
    for x, y, sign in ((160, 78, "×"), (250, 78, "+"), (250, 146, "×"), (382, 160, "×")):
        p.add("circle", cx=x, cy=y, r=13, fill="fill", stroke="text", stroke_width=1.4)
        p.text(x, y + 5, sign, "strong")
    p.text(118, 132, "keep", "small soft")
    p.text(310, 140, "write", "small soft")
    p.text(424, 188, "show", "small soft", anchor="end")
    p.text(260, 24, "the cell goes straight through: a product and a sum", "small soft")
    return p.svg()


def layouts() -> str:
    """Draw the two orders of the four blocks."""
    p = Picture(520, 220, "Two orders of the blocks of an LSTM")
    names = {"i": "input", "f": "forget", "o": "output", "g": "candidate"}
    colours = {"i": "blue", "f": "orange", "o": "green", "g": "pink"}
    rows = (("here, CS231n", "ifog", "one"), ("PyTorch, needle", "ifgo", "two"))
    for row, (who, order, biases) in enumerate(rows):
        top = 62 + 84 * row
        p.text(14, top + 22, who, "small strong", anchor="start")
        p.text(14, top + 42, f"biases: {biases}", "small soft", anchor="start")
        for k, name in enumerate(order):
            x = 146 + 90 * k
            p.box(x, top, 88, 44, colour=colours[name], radius=2)
            p.text(x + 44, top + 20, name, "strong", colour=colours[name])
            p.text(x + 44, top + 37, names[name], "small")
    for k, label in enumerate(("0", "H", "2H", "3H", "4H")):
        p.text(146 + 90 * k, 50, label, "code")
    p.text(260, 26, "columns of Wx, Wh and b (rows in PyTorch)", "small soft")
    p.text(260, 208, "the same shapes: the wrong order gives no error", "small soft")
    return p.svg()


def two_ways() -> str:
    """Draw which gradients run back through one step of an LSTM."""
    p = Picture(520, 300, "Backward through one step of an LSTM")
    p.text(310, 34, "loss", "small")
    p.arrow([(310, 42), (310, 66)], "orange")
    p.box(270, 68, 80, 38, colour="orange")
    p.text(310, 92, "hₜ", "strong")
    p.box(270, 146, 80, 38, colour="blue")
    p.text(310, 170, "cₜ", "strong")
    p.arrow([(310, 108), (310, 144)], "orange")
    p.arrow([(496, 87), (352, 87)], "orange")
    p.text(424, 78, "from step t + 1", "small", colour="orange")
    p.arrow([(496, 165), (352, 165)], "blue", 2.6)
    p.text(424, 156, "from step t + 1", "small", colour="blue")
    for k, name in enumerate("ofig"):
        x = 176 + 70 * k
        p.box(x, 216, 44, 30, colour="green")
        p.text(x + 22, 236, name, "strong", colour="green")
        if name != "o":
            p.arrow([(310, 186), (x + 22, 214)], "blue")
    p.line([(270, 98), (198, 98)], "orange")
    p.arrow([(198, 98), (198, 214)], "orange")
    p.arrow([(270, 165), (24, 165)], "blue", 2.6)
    p.text(70, 156, "to cₜ₋₁", "small", colour="blue")
    p.line([(408, 248), (408, 264), (150, 264)], "text")
    for x in (198, 268, 338):
        p.line([(x, 248), (x, 264)], "text")
    p.arrow([(150, 264), (24, 264)], "text")
    p.text(76, 254, "through Wh to hₜ₋₁", "small")
    p.text(
        260,
        288,
        "orange: of the state; blue: of the cell; both add up where they meet",
        "small soft",
    )
    return p.svg()


def batches() -> str:
    """Draw how a text is cut into rows, and rows into pieces."""
    p = Picture(520, 280, "A running text in rows and pieces")
    letters = "abcdefghijklmnopqrstuvwxy"
    p.text(260, 24, letters, "code")
    p.text(260, 44, "24 of 25 letters in 3 rows of 8; the last is a target only", "small soft")
    left, cell = 92, 30
    for row in range(3):
        top = 74 + 46 * row
        p.text(20, top + 20, f"row {row}", "small", anchor="start")
        for column in range(8):
            x = left + cell * column + (36 if column >= 4 else 0)
            p.box(x, top, cell, cell, colour="blue" if column < 4 else "green", radius=1)
            p.text(x + cell / 2, top + 20, letters[8 * row + column], "code")
        end = left + 4 * cell
        p.arrow([(end + 2, top + 15), (end + 34, top + 15)], "orange", 2.4)
    p.text(left + 2 * cell, 228, "first piece", "small", colour="blue")
    p.text(left + 6 * cell + 36, 228, "second piece", "small", colour="green")
    p.text(left + 4 * cell + 18, 66, "state", "small", colour="orange")
    p.text(400, 92, "targets of", "small soft", anchor="start")
    p.text(400, 110, "abcd: bcde", "code", anchor="start")
    p.text(400, 138, "targets of", "small soft", anchor="start")
    p.text(400, 156, "mnop: nopq", "code", anchor="start")
    p.text(260, 264, "each row goes on in the same row of the next piece", "small soft")
    return p.svg()


def memory() -> str:
    """Draw how much of the last step's gradient reaches the first input, on the solution."""
    sys.path.insert(0, str(SOLUTION))
    import rnn

    lengths = (1, 2, 5, 10, 20, 30, 40, 50)
    curves = {"RNN": "pink", "0": "orange", "1": "blue", "3": "green"}
    p = Picture(520, 300, "How much of the last gradient reaches the first input")
    axes = Axes(p, (70, 40, 400, 240), (0, 50), (-11, 0.5))
    axes.frame("number of steps T", title="|dL/dx₁| / |dL/dx_T|, before training")
    axes.ticks([(t, str(t)) for t in range(0, 51, 10)], [(e, f"1e{e}") for e in (0, -3, -6, -9)])
    for name, colour in curves.items():
        points = []
        for steps in lengths:
            ratios = []
            for seed in range(5):
                rng, data = np.random.default_rng(seed), np.random.default_rng(1000 + seed)
                layer = (
                    rnn.RNN(8, 32, rng=rng)
                    if name == "RNN"
                    else rnn.LSTM(8, 32, float(name), rng=rng)
                )
                x, last = data.normal(size=(steps, 8, 8)), data.normal(size=(8, 32))
                ratios.append(rnn.gradient_by_step(layer, x, last)[0])
            points.append((steps, float(np.log10(np.median(ratios)))))
        axes.curve(points, colour, dash="6 4" if name == "RNN" else None)
        shift = {"RNN": -4.0, "0": 14.0}.get(name, 4.0)
        label = name if name == "RNN" else f"LSTM, bias {name}"
        x_end, y_end = axes.at(*points[-1])
        p.text(x_end + 8, y_end + shift, label, "small", anchor="start", colour=colour)
    return p.svg()


def temperature() -> str:
    """Draw the probabilities of six characters at three temperatures."""
    p = Picture(520, 220, "Probabilities at three temperatures")
    logits = {"e": 2.0, "a": 1.4, "o": 0.9, "i": 0.3, "r": -0.5, "z": -2.0}
    for k, t in enumerate((0.3, 0.8, 1.5)):
        weights = {name: exp(value / t) for name, value in logits.items()}
        total, left = sum(weights.values()), 22 + 168 * k
        p.text(left + 72, 28, f"T = {t:g}", "strong")
        p.line([(left, 168), (left + 144, 168)], "soft", 1.2)
        for n, (name, weight) in enumerate(weights.items()):
            share = weight / total
            p.box(left + 24 * n + 2, 168 - 120 * share, 20, 120 * share, colour="blue", radius=1)
            p.text(left + 24 * n + 12, 186, name, "code")
            if share >= 0.1:
                p.text(left + 24 * n + 12, 162 - 120 * share, f"{100 * share:.0f}", "small soft")
    p.text(260, 210, "the same six logits each time; numbers are per cent", "small soft")
    return p.svg()


PICTURES = {
    (WEEK5, "unrolled.svg"): unrolled,
    (WEEK5, "through_time.svg"): through_time,
    (WEEK5, "lstm_cell.svg"): lstm_cell,
    (WEEK5, "layouts.svg"): layouts,
    (WEEK5, "two_ways.svg"): two_ways,
    (WEEK5, "batches.svg"): batches,
    (WEEK5, "memory.svg"): memory,
    (WEEK5, "temperature.svg"): temperature,
}
"""The pictures by their week's folder and file, as scripts/draw_handouts.py draws them."""
