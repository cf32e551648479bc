"""The pictures of week 6's handout on the small GPT."""

from __future__ import annotations

from handout_pictures.svg import Picture

GPT = "week6_attention/gpt"
HEADS = ("blue", "green", "orange")


def heads() -> str:
    """Draw how columns become heads, and heads columns again."""
    p = Picture(520, 300, "Three heads of four columns")
    p.text(260, 24, "twelve columns of one place, cut into three blocks", "small soft")
    for k in range(12):
        p.box(104 + 26 * k, 38, 26, 26, colour=HEADS[k // 4])
        p.text(117 + 26 * k, 56, str(k), "small")
    for n, colour in enumerate(HEADS):
        x = 156 + 104 * n
        p.arrow([(x, 66), (x, 104)], colour)
        p.box(x - 44, 106, 88, 44, colour=colour)
        p.text(x, 124, f"head {n}", "strong", colour=colour)
        p.text(x, 141, "attention", "small soft")
        p.arrow([(x, 152), (x, 190)], colour)
    for k in range(12):
        p.box(104 + 26 * k, 192, 26, 26, colour=HEADS[k // 4])
    p.text(260, 238, "side by side again, in the same order", "small soft")
    p.arrow([(260, 246), (260, 264)], "text")
    p.text(260, 284, "out_proj", "code")
    return p.svg()


def block() -> str:
    """Draw a block: two parts that add to what came in."""
    p = Picture(520, 330, "A block, from below upwards")
    p.arrow([(150, 316), (150, 18)], "blue", 2.6)
    p.text(128, 312, "x", "strong", colour="blue")
    for bottom, parts in ((296, ("norm1", "attention")), (156, ("norm2", "up, GELU, down"))):
        p.line([(150, bottom), (330, bottom), (330, bottom - 12)], "text")
        for n, name in enumerate(parts):
            y = bottom - 44 - 46 * n
            p.box(262, y, 136, 32, colour="green" if n else "orange")
            p.text(330, y + 21, name, "code")
        p.line([(330, bottom - 58), (330, bottom - 44)], "text")
        p.arrow([(330, bottom - 90), (330, bottom - 108), (164, bottom - 108)], "text")
        p.dot(150, bottom - 108, "blue", 10)
        p.text(150, bottom - 103, "+", "strong", colour="back")
    p.text(60, 170, "nothing on", "small soft")
    p.text(60, 186, "this way but", "small soft")
    p.text(60, 202, "two sums", "small soft")
    return p.svg()


def causal() -> str:
    """Draw which places each place may attend to."""
    p = Picture(520, 250, "The causal mask of a text of six characters")
    text = "to be "
    p.text(260, 22, "columns: what may be attended to", "small soft")
    for t, character in enumerate(text):
        shown = character if character != " " else "␣"
        p.text(203 + 30 * t, 46, shown, "code")
        p.text(172, 76 + 30 * t, shown, "code")
        for s in range(len(text)):
            if s <= t:
                p.box(188 + 30 * s, 56 + 30 * t, 30, 30, fill="green")
            else:
                p.box(188 + 30 * s, 56 + 30 * t, 30, 30, dash="3 3")
    p.text(80, 140, "rows: who attends,", "small soft")
    p.text(80, 156, "and predicts what", "small soft")
    p.text(80, 172, "comes next", "small soft")
    return p.svg()


PICTURES = {
    (GPT, "heads.svg"): heads,
    (GPT, "block.svg"): block,
    (GPT, "causal.svg"): causal,
}
"""The pictures by their week's folder and file, as scripts/draw_handouts.py draws them."""
