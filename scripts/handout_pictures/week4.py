"""The pictures of week 4's handout."""

from __future__ import annotations

from handout_pictures.svg import Picture

WEEK4 = "week4_cnn"

CELL = 24
MINUS = "\N{MINUS SIGN}"


def numbers(
    p: Picture, left: float, top: float, rows: list[list[float]], colour: str = "blue"
) -> None:
    """Draw an array with its entries."""
    p.grid(left, top, len(rows), len(rows[0]), cell=CELL, colour=colour)
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            x, y = left + CELL * (c + 0.5), top + CELL * (r + 0.5) + 5
            p.text(x, y, f"{value:g}".replace("-", MINUS), "small")


def correlated(image: list[list[float]], kernel: list[list[float]]) -> list[list[float]]:
    """Return the cross-correlation of two small arrays."""
    height, width = len(image) - len(kernel) + 1, len(image[0]) - len(kernel[0]) + 1
    return [
        [
            sum(image[r + i][c + j] * k for i, row in enumerate(kernel) for j, k in enumerate(row))
            for c in range(width)
        ]
        for r in range(height)
    ]


IMAGE: list[list[float]] = [[1, 2, 0, 3], [4, -1, 2, 1], [0, 5, -2, 2]]
KERNEL: list[list[float]] = [[1, 2], [3, 4]]


def window() -> str:
    """Draw a kernel that lies on an image, and the output that it gives there."""
    p = Picture(520, 210, "A kernel laid onto an image, and its output")
    p.text(78, 34, "x", "strong", colour="blue")
    numbers(p, 30, 50, IMAGE)
    p.box(30 + CELL, 50 + CELL, 2 * CELL, 2 * CELL, colour="orange", fill="none", radius=2)
    p.text(200, 56, "*", "strong")
    p.text(248, 34, "kernel", "strong", colour="orange")
    numbers(p, 224, 50, KERNEL, "orange")
    p.text(316, 56, "=", "strong")
    p.text(400, 34, "y", "strong", colour="blue")
    output = correlated(IMAGE, KERNEL)
    numbers(p, 364, 50, output)
    p.box(364 + CELL, 50 + CELL, CELL, CELL, colour="orange", fill="none", radius=2)
    terms = [(IMAGE[1 + i][1 + j], KERNEL[i][j]) for i in range(2) for j in range(2)]
    said = " + ".join(f"{a:g} · {b:g}" if a >= 0 else f"({MINUS}{-a:g}) · {b:g}" for a, b in terms)
    p.text(260, 164, f"{said} = {output[1][1]:g}", "code")
    p.text(260, 190, "the kernel as it is: its first entry meets the first pixel", "small soft")
    return p.svg()


def overlap() -> str:
    """Draw in which windows a pixel lies, for three settings of stride and kernel."""
    p = Picture(520, 300, "How many windows a pixel lies in")
    for k, (size, stride) in enumerate(((3, 1), (3, 2), (2, 3))):
        top, width = 34 + 90 * k, 8
        places = (width - size) // stride + 1
        p.text(14, top + 10, f"kernel {size}, stride {stride}", "small strong", anchor="start")
        counts = [
            sum(r * stride <= m < r * stride + size for r in range(places)) for m in range(width)
        ]
        for m, count in enumerate(counts):
            x = 190 + 36 * m
            p.box(x, top - 8, 32, 26, colour="blue" if count else "line", radius=3)
            p.text(x + 16, top + 10, str(count), "small", colour="text" if count else "soft")
        for r in range(places):
            y = top + 26 + 6 * (r % size if stride < size else 0)
            ends = (190 + 36 * r * stride + 3, 190 + 36 * (r * stride + size) - 7)
            p.line([(ends[0], y), (ends[1], y)], "orange", 2.6)
    p.text(260, 290, "each box: a pixel, and the number of windows that read it", "small soft")
    return p.svg()


def columns() -> str:
    """Draw how im2col writes windows as rows."""
    p = Picture(520, 230, "Windows as rows of a matrix")
    p.text(78, 30, "x", "strong", colour="blue")
    numbers(p, 30, 44, IMAGE)
    for (r, c), colour in (((0, 0), "orange"), ((1, 2), "green")):
        p.box(
            30 + CELL * c, 44 + CELL * r, 2 * CELL, 2 * CELL, colour=colour, fill="none", radius=2
        )
    p.arrow([(140, 80), (184, 80)], "text")
    p.text(246, 30, "im2col(x, 2, 2)", "code")
    rows = [
        [IMAGE[r + i][c + j] for i in range(2) for j in range(2)]
        for r in range(2)
        for c in range(3)
    ]
    numbers(p, 198, 44, rows)
    for row, colour in ((0, "orange"), (5, "green")):
        p.box(198, 44 + CELL * row, 4 * CELL, CELL, colour=colour, fill="none", radius=2)
    p.text(320, 120, "·", "strong")
    p.text(360, 30, "kernel", "code", colour="orange")
    numbers(p, 348, 68, [[k] for row in KERNEL for k in row], "orange")
    p.text(396, 120, "=", "strong")
    output = correlated(IMAGE, KERNEL)
    numbers(p, 420, 44, [[value] for row in output for value in row])
    p.text(432, 30, "y", "strong", colour="blue")
    p.text(260, 216, "one product of matrices does the whole convolution", "small soft")
    return p.svg()


def pooling() -> str:
    """Draw max pooling forward, and where its gradient goes."""
    p = Picture(520, 210, "Max pooling, forward and backward")
    image: list[list[float]] = [[1, 5, 2, 0], [3, 2, 1, 7], [0, 1, 4, 4], [2, 6, 1, 3]]
    p.text(78, 30, "x", "strong", colour="blue")
    numbers(p, 30, 44, image)
    pooled = [
        [max(image[2 * r + i][2 * c + j] for i in range(2) for j in range(2)) for c in range(2)]
        for r in range(2)
    ]
    for r in range(2):
        for c in range(2):
            corner = (30 + 2 * CELL * c, 44 + 2 * CELL * r)
            p.box(*corner, 2 * CELL, 2 * CELL, colour="text", fill="none", radius=2)
    p.arrow([(138, 92), (174, 92)], "blue")
    p.text(210, 30, "y", "strong", colour="blue")
    numbers(p, 186, 68, pooled)
    p.text(294, 30, "dL_dy", "code", colour="orange")
    numbers(p, 270, 68, [[0.1, 0.2], [0.3, 0.4]], "orange")
    p.arrow([(330, 92), (366, 92)], "orange")
    back = [[0.0, 0.1, 0, 0], [0, 0, 0, 0.2], [0, 0, 0.4, 0], [0, 0.3, 0, 0]]
    p.text(426, 30, "dL_dx", "code", colour="orange")
    numbers(p, 378, 44, back, "orange")
    p.text(260, 176, "the entry that won its window gets the gradient;", "small soft")
    p.text(260, 196, "of equal entries (4 and 4) the first, or each a share", "small soft")
    return p.svg()


def network() -> str:
    """Draw the shapes of an image on its way through the network."""
    p = Picture(520, 190, "Shapes on the way through the network")
    stages = (
        ("image", "8 x 8 x 1", ""),
        ("Conv2d", "6 x 6 x 8", "80 numbers"),
        ("ReLU", "6 x 6 x 8", ""),
        ("MaxPool", "3 x 3 x 8", ""),
        ("Flatten", "72", ""),
        ("Linear", "10", "730 numbers"),
    )
    for k, (name, shape, held) in enumerate(stages):
        x = 8 + 86 * k
        p.box(x, 60, 72, 52, colour="blue" if held else "line")
        p.text(x + 36, 82, name, "small strong")
        p.text(x + 36, 102, shape, "small")
        p.text(x + 36, 134, held, "small", colour="blue")
        if k:
            p.arrow([(x - 13, 86), (x - 1, 86)], "text")
    p.text(260, 34, "one image of a batch", "small soft")
    p.text(260, 168, "backward goes the same way back, shape by shape", "small", colour="orange")
    return p.svg()


PICTURES = {
    (WEEK4, "window.svg"): window,
    (WEEK4, "overlap.svg"): overlap,
    (WEEK4, "columns.svg"): columns,
    (WEEK4, "pooling.svg"): pooling,
    (WEEK4, "network.svg"): network,
}
"""The pictures by their week's folder and file, as scripts/draw_handouts.py draws them."""
