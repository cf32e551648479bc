"""A small drawing kit: SVG that is legible in light and in dark, and the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import hypot

Point = tuple[float, float]

# Blue is what goes forward, orange what comes back; the others are for curves beside each other.
# All can be told apart with any kind of colour vision (Okabe and Ito).
STYLE = """
svg { color-scheme: light dark; --text: #1c1e21; --back: #ffffff; --soft: #6b727b;
  --line: #c9ced4; --fill: #f1f3f5; --blue: #0072b2; --orange: #c85000; --green: #00795a;
  --pink: #b0508a; --sky: #2f8fc4; }
@media (prefers-color-scheme: dark) { svg { --text: #e3e5e8; --back: #16181b; --soft: #a0a7b0;
  --line: #4a5059; --fill: #24282d; --blue: #5cb8f0; --orange: #ff9a4d; --green: #3fd0a5;
  --pink: #f0a0cc; --sky: #9ad7ff; } }
text { font: 15px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--text); }
.small { font-size: 13px; } .soft { fill: var(--soft); } .strong { font-weight: 600; }
.code { font-family: ui-monospace, Consolas, "DejaVu Sans Mono", monospace; font-size: 13px; }
"""
COLOURS = ("text", "back", "soft", "line", "fill", "blue", "orange", "green", "pink", "sky")


def number(value: float) -> str:
    """Return a length with one decimal at most."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


class Picture:
    """A drawing of a given size in pixels; the origin is at the top left."""

    def __init__(self, width: int, height: int, title: str) -> None:
        """Begin with an empty background; `title` is what a reader of the file is told."""
        self.width, self.height, self.title = width, height, title
        self._parts: list[str] = []

    def add(self, tag: str, content: str = "", **attributes: object) -> None:
        """Add an element; in the names of attributes, `_` stands for `-`."""
        written = []
        for name, value in attributes.items():
            if value is not None:
                text = number(value) if isinstance(value, float | int) else str(value)
                text = f"var(--{text})" if text in COLOURS else text
                written.append(f' {name.rstrip("_").replace("_", "-")}="{escape(text)}"')
        end = f">{content}</{tag}>" if content else "/>"
        self._parts.append(f"<{tag}{''.join(written)}{end}")

    def text(
        self,
        x: float,
        y: float,
        words: str,
        kind: str = "",
        *,
        anchor: str = "middle",
        colour: str | None = None,
        turned: bool = False,
    ) -> None:
        """Write words with their baseline at y. `kind` has small, soft, strong or code in it."""
        style = f"fill:var(--{colour})" if colour else None
        turn = f"rotate(-90 {number(x)} {number(y)})" if turned else None
        self.add(
            "text",
            escape(words),
            x=x,
            y=y,
            text_anchor=anchor,
            class_=kind or None,
            style=style,
            transform=turn,
        )

    def line(
        self,
        points: Iterable[Point],
        colour: str = "text",
        width: float = 1.6,
        dash: str | None = None,
    ) -> None:
        """Draw a line through points."""
        path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.add(
            "polyline",
            points=path,
            fill="none",
            stroke=colour,
            stroke_width=width,
            stroke_linejoin="round",
            stroke_linecap="round",
            stroke_dasharray=dash,
        )

    def arrow(
        self,
        points: Sequence[Point],
        colour: str = "text",
        width: float = 1.8,
        dash: str | None = None,
    ) -> None:
        """Draw a line through points, with a head at its end."""
        (x0, y0), (x, y) = points[-2:]
        length = hypot(x - x0, y - y0)
        dx, dy = (x - x0) / length, (y - y0) / length
        back = (x - 8 * dx, y - 8 * dy)
        self.line([*points[:-1], back], colour, width, dash)
        corners = [(x, y), (back[0] - 4.5 * dy, back[1] + 4.5 * dx)]
        corners.append((back[0] + 4.5 * dy, back[1] - 4.5 * dx))
        path = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
        self.add("polygon", points=path, fill=colour)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        colour: str = "line",
        fill: str = "fill",
        radius: float = 6,
        dash: str | None = None,
    ) -> None:
        """Draw a box with its corner at x, y."""
        self.add(
            "rect",
            x=x,
            y=y,
            width=width,
            height=height,
            rx=radius,
            fill=fill,
            stroke=colour,
            stroke_width=1.4,
            stroke_dasharray=dash,
        )

    def dot(self, x: float, y: float, colour: str = "text", radius: float = 4) -> None:
        """Draw a filled circle."""
        self.add("circle", cx=x, cy=y, r=radius, fill=colour)

    def grid(
        self,
        x: float,
        y: float,
        rows: int,
        columns: int,
        *,
        cell: float = 18,
        colour: str = "blue",
        marked: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Draw an array as cells; those in `marked` (row, column) are filled."""
        full = set(marked)
        for row in range(rows):
            for column in range(columns):
                self.add(
                    "rect",
                    x=x + column * cell,
                    y=y + row * cell,
                    width=cell,
                    height=cell,
                    fill=colour if (row, column) in full else "fill",
                    stroke=colour,
                    stroke_width=1.2,
                )

    def svg(self) -> str:
        """Return the picture as the text of an SVG file."""
        size = f'width="{self.width}" height="{self.height}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        head += f'viewBox="0 0 {self.width} {self.height}" role="img">'
        back = '<rect width="100%" height="100%" rx="10" fill="var(--back)"/>'
        title = f"<title>{escape(self.title)}</title>"
        return "\n".join([head, title, f"<style>{STYLE}</style>", back, *self._parts, "</svg>\n"])


class Axes:
    """A part of a picture with two scales, from which curves are drawn."""

    def __init__(
        self, picture: Picture, place: tuple[float, float, float, float], x: Point, y: Point
    ) -> None:
        """Use the place (left, top, right, bottom) for x and y between the two limits of each."""
        self.picture, self.place, self.x, self.y = picture, place, x, y

    def at(self, x: float, y: float) -> Point:
        """Return where a pair of values lies in the picture."""
        left, top, right, bottom = self.place
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    def frame(self, x: str = "", y: str = "", title: str = "") -> None:
        """Draw the two axes, with their names and a title."""
        left, top, right, bottom = self.place
        self.picture.line([(left, top), (left, bottom), (right, bottom)], "soft", 1.2)
        self.picture.text((left + right) / 2, bottom + 38, x, "small soft")
        self.picture.text(left - 38, (top + bottom) / 2, y, "small soft", turned=True)
        self.picture.text((left + right) / 2, top - 12, title, "strong")

    def ticks(
        self, x: Iterable[tuple[float, str]] = (), y: Iterable[tuple[float, str]] = ()
    ) -> None:
        """Write labels at values of both axes, with faint lines for those of y."""
        left, _, right, bottom = self.place
        for value, label in x:
            self.picture.text(self.at(value, self.y[0])[0], bottom + 18, label, "small soft")
        for value, label in y:
            height = self.at(self.x[0], value)[1]
            self.picture.line([(left, height), (right, height)], "line", 0.6)
            self.picture.text(left - 6, height + 4.5, label, "small soft", anchor="end")

    def curve(
        self, points: Iterable[Point], colour: str, width: float = 2.2, dash: str | None = None
    ) -> None:
        """Draw a curve through pairs of values."""
        self.picture.line([self.at(*point) for point in points], colour, width, dash)
