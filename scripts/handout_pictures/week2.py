"""The pictures of week 2's handout."""

from __future__ import annotations

from handout_pictures.svg import Picture

# The example of the handout: f = (a + b) * a at a = 3, b = -1. Name, operation, data, grad, corner.
NODES = {
    "a": ("", "3", "5", (16, 52)),
    "b": ("", "−1", "3", (16, 172)),
    "u": ("+", "2", "3", (206, 172)),
    "f": ("*", "6", "1", (396, 52)),
}
WIDTH, HEIGHT = 108, 78


def _node(p: Picture, name: str, *, gradients: bool) -> None:
    """Draw one node of the example."""
    operation, data, grad, (left, top) = NODES[name]
    p.box(left, top, WIDTH, HEIGHT)
    title = f"{name}   ({operation})" if operation else name
    p.text(left + WIDTH / 2, top + 22, title, "strong")
    p.text(left + WIDTH / 2, top + 45, f"data  {data}", "small", colour="blue")
    if gradients:
        p.text(left + WIDTH / 2, top + 66, f"grad  {grad}", "small", colour="orange")


def forward() -> str:
    """Draw the graph that computing the example leaves behind."""
    p = Picture(520, 270, "The graph of f = (a + b) · a")
    p.text(16, 30, "f = (a + b) · a, computed from left to right", "small soft", anchor="start")
    for name in NODES:
        _node(p, name, gradients=False)
    p.arrow([(124, 91), (394, 91)], "blue")
    p.arrow([(124, 112), (204, 190)], "blue")
    p.arrow([(124, 211), (204, 211)], "blue")
    p.arrow([(314, 190), (394, 112)], "blue")
    return p.svg()


def backward() -> str:
    """Draw the same graph with what each node hands on."""
    p = Picture(520, 290, "The gradients of f = (a + b) · a")
    p.text(16, 30, "the gradients, from right to left", "small soft", anchor="start")
    for name in NODES:
        _node(p, name, gradients=True)
    p.arrow([(394, 91), (126, 91)], "orange")
    p.text(260, 82, "1 · u = 2", "small", colour="orange")
    p.arrow([(394, 112), (316, 190)], "orange")
    p.text(376, 172, "1 · a = 3", "small", anchor="start", colour="orange")
    p.arrow([(204, 190), (126, 112)], "orange")
    p.text(182, 146, "3 · 1 = 3", "small", anchor="start", colour="orange")
    p.arrow([(204, 211), (126, 211)], "orange")
    p.text(165, 232, "3 · 1 = 3", "small", colour="orange")
    p.text(450, 44, "∂f/∂f = 1", "small", colour="orange")
    p.text(70, 44, "2 + 3 = 5", "small", colour="orange")
    p.text(16, 278, "a is used twice: its two contributions add up", "small soft", anchor="start")
    return p.svg()


def order() -> str:
    """Draw a topological order and one that is none."""
    p = Picture(520, 290, "A topological order, and one that is none")
    places = {0: 96, 1: 206, 2: 316, 3: 426}
    uses = (("a", "u"), ("b", "u"), ("u", "f"), ("a", "f"))
    for row, (names, verdict) in enumerate(
        (("abuf", "every arrow leads to the right"), ("aubf", "u comes before its operand b"))
    ):
        height = 96 + 132 * row
        p.text(20, height - 60, f"{', '.join(names)}: {verdict}", "small", anchor="start")
        where = {name: places[k] for k, name in enumerate(names)}
        for source, target in uses:
            x, end = where[source], where[target]
            wrong = end < x
            sign = 1 if end > x else -1
            if abs(end - x) < 120:
                p.arrow(
                    [(x + 20 * sign, height), (end - 21 * sign, height)],
                    "orange" if wrong else "blue",
                    2.6 if wrong else 1.8,
                )
            else:
                below = (source, target) == ("a", "f")
                level, edge = height + (42 if below else -36), 18 if below else -18
                p.arrow(
                    [
                        (x + 8, height + edge),
                        (x + 30, level),
                        (end - 30, level),
                        (end - 8, height + edge),
                    ],
                    "blue",
                )
        for name, x in where.items():
            p.add("circle", cx=x, cy=height, r=19, fill="fill", stroke="soft", stroke_width=1.4)
            p.text(x, height + 5, name, "strong")
    return p.svg()


def paths() -> str:
    """Draw y = y + y, done four times: few nodes, many paths."""
    p = Picture(520, 200, "Five nodes and sixteen paths")
    p.text(
        20, 30, "y = y + y, four times: 5 nodes, 2 · 2 · 2 · 2 = 16 paths", "small", anchor="start"
    )
    for k in range(5):
        x = 50 + 105 * k
        p.add("circle", cx=x, cy=100, r=22, fill="fill", stroke="soft", stroke_width=1.4)
        p.text(x, 105, "+" if k else "y", "strong")
        p.text(x, 158, f"{2 ** (4 - k)}", colour="orange")
        if k < 4:
            for bend in (-26, 26):
                p.arrow(
                    [
                        (x + 16, 100 + bend * 0.6),
                        (x + 38, 100 + bend),
                        (x + 67, 100 + bend),
                        (x + 88, 100 + bend * 0.6),
                    ],
                    "blue",
                )
    p.text(
        20,
        186,
        "gradient of each: the number of paths from it to the end",
        "small soft",
        anchor="start",
    )
    return p.svg()


def broadcasting() -> str:
    """Draw what broadcasting does to an operand, and what undoes it."""
    p = Picture(520, 300, "Broadcasting, forward and backward")
    cell, top = 26, 62
    p.text(20, 32, "forward: b is used in each row", "small strong", anchor="start", colour="blue")
    p.grid(30, top, 2, 3, cell=cell)
    p.text(69, top + 76, "a: (2, 3)", "small")
    p.text(136, top + 32, "+")
    p.grid(166, top + 13, 1, 3, cell=cell, marked=[(0, 1)])
    p.text(205, top + 76, "b: (3,)", "small")
    p.arrow([(254, top + 22), (284, top + 13)], "blue")
    p.arrow([(254, top + 32), (284, top + 39)], "blue")
    p.grid(292, top, 2, 3, cell=cell, marked=[(0, 1), (1, 1)])
    p.text(331, top + 76, "b, twice", "small soft")
    p.text(386, top + 32, "=")
    p.grid(410, top, 2, 3, cell=cell)
    p.text(449, top + 76, "c: (2, 3)", "small")
    top = 206
    p.text(
        20, 180, "backward: the two uses add up", "small strong", anchor="start", colour="orange"
    )
    p.grid(410, top, 2, 3, cell=cell, colour="orange", marked=[(0, 1), (1, 1)])
    p.text(449, top + 76, "∂L/∂c", "small", colour="orange")
    p.arrow([(402, top + 26), (268, top + 26)], "orange")
    p.text(335, top + 18, "sum over axis 0", "small")
    p.grid(166, top + 13, 1, 3, cell=cell, colour="orange", marked=[(0, 1)])
    p.text(205, top + 76, "∂L/∂b: (3,)", "small", colour="orange")
    return p.svg()


def two_modes() -> str:
    """Draw how many passes the two modes need for all derivatives of one result."""
    p = Picture(520, 300, "Forward mode and reverse mode")
    for left, title, words in (
        (20, "forward mode", "one pass for each input: 4"),
        (280, "reverse mode", "one pass for all inputs: 1"),
    ):
        reverse = left > 100
        p.text(left + 110, 34, title, "strong")
        p.text(left + 110, 282, words, "small soft")
        heights = [76 + 52 * k for k in range(4)]
        for k, height in enumerate(heights):
            for middle in (102, 206):
                p.line([(left + 30, height), (left + 110, middle)], "line", 1.2)
            full = reverse or k == 1
            if full:
                for middle in (102, 206):
                    ends = [(left + 44, height), (left + 96, middle)]
                    p.arrow(ends[::-1] if reverse else ends, "orange" if reverse else "blue")
            colour = ("orange" if reverse else "blue") if full else "soft"
            p.add(
                "circle",
                cx=left + 30,
                cy=height,
                r=13,
                fill="fill",
                stroke=colour,
                stroke_width=1.6,
            )
            p.text(left + 30, height + 5, f"x{'₁₂₃₄'[k]}", "small")
        for middle in (102, 206):
            p.add(
                "circle",
                cx=left + 110,
                cy=middle,
                r=13,
                fill="fill",
                stroke="soft",
                stroke_width=1.4,
            )
            ends = [(left + 124, middle), (left + 178, 154)]
            p.arrow(ends[::-1] if reverse else ends, "orange" if reverse else "blue")
        p.add("circle", cx=left + 192, cy=154, r=14, fill="fill", stroke="soft", stroke_width=1.4)
        p.text(left + 192, 159, "L", "strong")
    return p.svg()
