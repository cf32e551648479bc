"""Pictures of week 2's graphs: nothing is missing, nothing overlaps, every arrow arrives."""

from __future__ import annotations

import importlib
import re
import sys
from functools import partial
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [ROOT / part / "week2_autograd" for part in ("assignments", "solutions")]
"""What is given lies beside the stubs; the solutions, put in front of the path last, go first."""

NAMES = ("autograd", "graph_picture", "draw_graph", "mnist_autograd")
SVG = "{http://www.w3.org/2000/svg}"
CHARACTER = 0.6
"""Width of a letter as a share of its size, in the fonts that the picture asks for."""


@pytest.fixture(scope="module")
def week2():
    """The reference modules, by name."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in FOLDERS:
            patch.syspath_prepend(str(folder))
        for name in NAMES:
            patch.delitem(sys.modules, name, raising=False)
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in NAMES})
        for name in NAMES:
            del sys.modules[name]


def leaf(week2):
    return week2.autograd.Value(2.0)


def square(week2):
    x = week2.autograd.Value(2.0)
    return x * x


def shared(week2):
    """One leaf that is used all along a chain: the arrows have to pass the boxes between."""
    y = x = week2.autograd.Value(1.0)
    for _ in range(6):
        y = y * 0.5 + x
    return y


def neurons(week2):
    """Two layers of neurons, each weight a value of its own."""
    rng = np.random.default_rng(0)
    outputs = [week2.autograd.Value(number) for number in rng.normal(size=3)]
    for _ in range(2):
        weights = [[week2.autograd.Value(n) for n in row] for row in rng.normal(size=(3, 3))]
        outputs = [
            sum(
                (w * x for w, x in zip(row, outputs, strict=True)), week2.autograd.Value(0.1)
            ).tanh()
            for row in weights
        ]
    result = outputs[0] * outputs[1] + outputs[2]
    result.backward()
    return result


def many_operands(week2):
    """A node with more operands than an operator has."""
    operands = tuple(week2.autograd.Value(number) for number in range(12))
    return week2.autograd.Value(0.0, operands, "join")


def tensors(week2):
    value, _ = week2.draw_graph.network()
    return value


def tangled(week2, seed: int):
    """Each result joins two random earlier ones, near and far."""
    rng = np.random.default_rng(seed)
    nodes = [week2.autograd.Value(number) for number in rng.normal(size=4)]
    for _ in range(25):
        first, second = rng.choice(len(nodes), size=2)
        nodes.append(
            nodes[first] + nodes[second] if rng.random() < 0.5 else nodes[-1] * nodes[first]
        )
    return sum(nodes[4:], nodes[0])


GRAPHS = {
    make.__name__: make for make in (leaf, square, shared, neurons, many_operands, tensors)
} | {f"tangled-{seed}": partial(tangled, seed=seed) for seed in range(5)}
graphs = pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)


class Picture:
    """What can be read out of an SVG: boxes (left, top, right, bottom), texts and curves."""

    def __init__(self, text: str) -> None:
        root = ElementTree.fromstring(text)
        self.size = float(root.get("width")), float(root.get("height"))
        self.boxes, self.texts = {}, {}
        for group in root.iter(f"{SVG}g"):
            if group.get("class") == "node":
                rect = group.find(f"{SVG}rect")
                x, y, width, height = (float(rect.get(k)) for k in ("x", "y", "width", "height"))
                self.boxes[group.get("id")] = (x, y, x + width, y + height)
                self.texts[group.get("id")] = group.findall(f"{SVG}text")
        self.edges = [path for path in root.iter(f"{SVG}path") if path.get("class") == "edge"]


def points_of(path: ElementTree.Element) -> list[tuple[float, float]]:
    """Points along a path of the commands M, C and H, close together."""
    points = []
    for command, arguments in re.findall(r"([MCH])([^MCH]*)", path.get("d")):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", arguments)]
        if command == "M":
            points.append(tuple(numbers))
            continue
        start = points[-1]
        if command == "H":
            numbers = [*start, numbers[0], start[1], numbers[0], start[1]]
        corners = np.array([start, *np.reshape(numbers, (3, 2))])
        t = np.linspace(0, 1, 21)[1:, np.newaxis]
        weights = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
        points += [tuple(point) for point in weights @ corners]
    return points


@graphs
def test_the_picture_is_whole(week2, make):
    value = make(week2)
    nodes, edges = week2.draw_graph.graph_of(value)
    picture = Picture(week2.draw_graph.draw_graph(value))
    assert list(picture.boxes) == [f"n{index}" for index in range(len(nodes))]
    drawn = [(path.get("data-from"), path.get("data-to")) for path in picture.edges]
    assert drawn == [(f"n{operand}", f"n{result}") for operand, result in edges]
    for index, node in enumerate(nodes):
        lines = [text.text for text in picture.texts[f"n{index}"]]
        assert lines == week2.draw_graph.label_of(node)


@graphs
def test_no_boxes_overlap_and_all_lie_in_the_picture(week2, make):
    picture = Picture(week2.draw_graph.draw_graph(make(week2)))
    for left, top, right, bottom in picture.boxes.values():
        assert 0 < left < right < picture.size[0]
        assert 0 < top < bottom < picture.size[1]
    for a, b in combinations(picture.boxes.values(), 2):
        assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


@graphs
def test_every_text_fits_into_its_box(week2, make):
    picture = Picture(week2.draw_graph.draw_graph(make(week2)))
    for name, texts in picture.texts.items():
        left, top, right, bottom = picture.boxes[name]
        for text in texts:
            size = float(text.get("font-size", 13))
            assert float(text.get("x")) == pytest.approx((left + right) / 2, abs=0.15)
            assert CHARACTER * size * len(text.text) < right - left
            assert top + 0.7 * size < float(text.get("y")) < bottom - 0.2 * size


@graphs
def test_arrows_join_their_boxes_and_cross_no_other(week2, make):
    picture = Picture(week2.draw_graph.draw_graph(make(week2)))
    ends = []
    for path in picture.edges:
        points = points_of(path)
        source, result = (picture.boxes[path.get(end)] for end in ("data-from", "data-to"))
        (x0, y0), (x1, y1) = points[0], points[-1]
        assert x0 == pytest.approx(source[2], abs=0.11)
        assert source[1] < y0 < source[3]
        assert x1 == pytest.approx(result[0], abs=0.11)
        assert result[1] < y1 < result[3]
        ends.append((round(x1), y1))
        for x, y in points:
            assert 0 < y < picture.size[1]
            for left, top, right, bottom in picture.boxes.values():
                assert not (left + 0.2 < x < right - 0.2 and top < y < bottom)
    assert len(set(ends)) == len(ends)


def test_graphs_that_can_be_drawn_without_crossings_are(week2):
    """The three of the handout, and the sum of products that students meet first."""
    module = week2.draw_graph
    for make in (module.products, module.squares, module.network):
        value, _ = make()
        nodes, edges = module.graph_of(value)
        columns, paths = week2.graph_picture.route(len(nodes), edges)
        before, after = week2.graph_picture.neighbours_of(paths)
        columns = week2.graph_picture.order_columns(columns, before, after)
        assert week2.graph_picture.crossings(columns, after) == 0


def test_an_unlucky_first_order_is_put_right(week2):
    x, y = week2.autograd.Value(1.0), week2.autograd.Value(2.0)
    module = week2.graph_picture
    first, second = x.exp(), y.exp()
    nodes, edges = week2.draw_graph.graph_of(second * (y * 3.0) + first * (x * 2.0))
    columns, paths = module.route(len(nodes), edges)
    before, after = module.neighbours_of(paths)
    columns[0].reverse()
    assert module.crossings(columns, after) > 0
    assert module.crossings(module.order_columns(columns, before, after), after) == 0


@graphs
def test_dot(week2, make):
    value = make(week2)
    nodes, edges = week2.draw_graph.graph_of(value)
    lines = week2.draw_graph.draw_graph(value, format="dot").splitlines()
    assert lines[:3] == ["digraph {", "  rankdir=LR;", "  node [shape=box];"]
    assert lines[-1] == "}"
    found = [re.fullmatch(r'  n(\d+) \[label="([^"]*)"\];', line) for line in lines[3:-1]]
    boxes = [(int(m[1]), m[2].split(r"\n")) for m in found if m]
    assert boxes == [(i, week2.draw_graph.label_of(node)) for i, node in enumerate(nodes)]
    arrows = [re.fullmatch(r"  n(\d+) -> n(\d+);", line) for line in lines[3 + len(nodes) : -1]]
    assert [(int(m[1]), int(m[2])) for m in arrows] == edges


@pytest.mark.parametrize("name", ["products", "squares", "network"])
def test_a_graph_gives_the_same_picture_every_time(week2, name):
    """Operands are a set, whose order follows from addresses: it must not show."""
    kept, pictures = [], set()
    for count in range(20):
        kept.append([object() for _ in range(7 * count)])  # so that addresses differ
        value, names = getattr(week2.draw_graph, name)()
        kept.append(value)
        pictures.add(week2.draw_graph.draw_graph(value, names=names))
    assert len(pictures) == 1


def test_names_stand_in_the_picture(week2):
    module = week2.draw_graph
    value, names = module.squares()
    picture = Picture(module.draw_graph(value, names=names))
    titles = [texts[0].text for texts in picture.texts.values()]
    assert {"W", "x", "b", "y", "L = sum", "@"} <= set(titles)
    assert "leaf" not in titles


def test_what_xml_reserves_is_escaped(week2):
    node = week2.autograd.Value(1.0, (week2.autograd.Value(2.0),), 'a<b & "c"')
    picture = Picture(week2.draw_graph.draw_graph(node))
    assert [texts[0].text for texts in picture.texts.values()] == ["leaf", 'a<b & "c"']


def test_saving_replaces_a_whole_file_and_leaves_nothing_else(week2, tmp_path):
    path = tmp_path / "graph.svg"
    path.write_text("old")
    text = week2.draw_graph.draw_graph(square(week2), path)
    assert path.read_text("utf-8") == text
    assert [file.name for file in tmp_path.iterdir()] == ["graph.svg"]


def test_other_formats_and_unreadable_pictures_are_refused(week2, tmp_path):
    with pytest.raises(ValueError, match=r"svg.*dot.*'png'"):
        week2.draw_graph.draw_graph(leaf(week2), tmp_path / "graph.png", "png")
    y = week2.autograd.Value(1.0)
    for _ in range(600):
        y = -y
    with pytest.raises(ValueError, match="601 nodes is too large"):
        week2.draw_graph.draw_graph(y, tmp_path / "graph.svg")
    assert list(tmp_path.iterdir()) == []
    assert week2.draw_graph.draw_graph(y, format="dot").count("->") == 600


def test_the_script_draws_the_handouts_three_graphs(week2, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    week2.draw_graph.main()
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == ["graph_1_products.svg", "graph_2_squares.svg", "graph_3_network.svg"]
    printed = capsys.readouterr().out
    for name in names:
        assert Picture((tmp_path / "figures" / name).read_text("utf-8")).boxes
        assert name in printed
