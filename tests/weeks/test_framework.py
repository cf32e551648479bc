"""Week 8's framework: its first chapter works, its sizes hold, and nothing right earns nothing."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import Week
from autograder.intake.week_files import WeekFileFinder
from autograder.records import CheckResult, Verdict
from autograder.reference.misconceptions import own_packages, solution_files
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import SuiteSession
from tests.conftest import ROOT

COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("framework")
ASSIGNMENT = ROOT / "assignments" / WEEK.folder
SOLUTION = ROOT / "solutions" / WEEK.folder
CHAPTER = "## Chapter 1"
MOST_LINES, MOST_FORWARDING = 1_500, 150

Files = Mapping[str, bytes]


def blocks() -> list[str]:
    """Return the blocks of Python in the handout's first chapter."""
    text = (ASSIGNMENT / "HANDOUT.md").read_text("utf-8")
    chapter = text.partition(CHAPTER)[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)


def first_chapter() -> Files:
    """Return a submission made of the first chapter: its tensor.py, and the stub with its lines."""
    framework, glue = blocks()
    lines = dict(re.findall(r"^# (\w+): +(.+)$", glue, re.MULTILINE))
    stub = (ASSIGNMENT / "adapter.py").read_text("utf-8")
    opening = "\n".join(line for line in glue.split("\n") if not line.startswith("#"))
    stub = re.sub(r"^OPS: .*$", lambda _: opening, stub, count=1, flags=re.MULTILINE)
    for name, line in lines.items():
        gap = re.compile(rf'raise NotImplementedError\("[\w.]+: fill in {name}"\)')
        stub, count = gap.subn(line, stub)
        assert count == 1, name
    package = {"myframework/__init__.py": b'"""Mine."""\n'}
    return {"adapter.py": stub.encode(), "myframework/tensor.py": framework.encode(), **package}


def test_first_chapter_passes_the_first_five_public_tests():
    session = SuiteSession(ASSIGNMENT / "tests", salt="")
    try:
        results = [outcome.result for outcome in session.run(LocalHost(first_chapter()))]
    finally:
        session.close()
    numbered = [one for one in results if re.search(r"::test_[1-5]_", one.check)]
    assert [one.verdict for one in numbered] == [Verdict.PASS] * 5, numbered


def test_first_chapter_is_a_hundred_lines():
    assert sum(len(block.strip().split("\n")) for block in blocks()) <= 110


def code_lines(source: bytes) -> int:
    """Return how many lines of a file hold code: neither blank, nor comment, nor docstring."""
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.INDENT}
    silent |= {tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.tokenize(BytesIO(source).readline):
        if token.type not in silent:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            text = node.body[0]
            lines -= set(range(text.lineno, (text.end_lineno or text.lineno) + 1))
    return len(lines)


def test_reference_is_readable_in_an_evening():
    package = own_packages(SOLUTION, WEEK)
    assert sum(len(source.split(b"\n")) for source in package.values()) <= MOST_LINES
    assert code_lines((SOLUTION / "adapter.py").read_bytes()) <= MOST_FORWARDING


@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_only_this_week_has_packages_of_its_own(week: Week):
    folder = ROOT / "solutions" / week.folder
    assert bool(own_packages(folder, week)) == (week is WEEK)


def test_intake_takes_whatever_the_adapter_imports():
    contents = {f"me/week8_framework/{name}": data for name, data in first_chapter().items()}
    contents["me/week8_framework/myframework/unused.py"] = b"x = 1\n"
    files = WeekFileFinder([WEEK]).choose(contents)[WEEK.number]
    assert sorted(files.modules) == [
        "adapter.py",
        "myframework/__init__.py",
        "myframework/tensor.py",
    ]


# Attacks, in this process: they are ours.


@pytest.fixture(scope="module")
def graded() -> Iterator[Callable[[Files], list[CheckResult]]]:
    """Run the hidden suite, without what trains."""
    session = GradedSession(ASSIGNMENT / "hidden", "a salt of its own")
    quick = {check.id for check in session.plan} - session.training

    def run(files: Files) -> list[CheckResult]:
        return [outcome.result for outcome in session.run(LocalHost(files), only=quick)]

    yield run
    session.close()


HOLLOW = '''
"""An adapter with nothing behind it."""

from contextlib import nullcontext

import numpy as np


class Thing:
    def __init__(self, data, wanted=False):
        self.data, self.grad, self.own = np.asarray(data), None, {}


OF = {
    "linear": lambda c: {
        "weight": (c["in_features"], c["out_features"]),
        "bias": (c["out_features"],),
    },
    "embedding": lambda c: {"weight": (c["count"], c["features"])},
    "batch_norm": lambda c: {"gamma": (c["features"],), "beta": (c["features"],)},
    "layer_norm": lambda c: {"gamma": (c["features"],), "beta": (c["features"],)},
    "rnn": lambda c: {
        "Wx": (c["input_size"], c["hidden_size"]),
        "Wh": (c["hidden_size"], c["hidden_size"]),
        "b": (c["hidden_size"],),
    },
    "lstm": lambda c: {
        "Wx": (c["input_size"], 4 * c["hidden_size"]),
        "Wh": (c["hidden_size"], 4 * c["hidden_size"]),
        "b": (4 * c["hidden_size"],),
    },
    "conv2d": lambda c: {
        "weight": (c["size"], c["size"], c["in_channels"], c["out_channels"]),
        "bias": (c["out_channels"],),
    },
}
touched = []


def tensor(array, requires_grad=False):
    touched.append(Thing(array))
    return touched[-1]


def value(tensor):
    return tensor.data


def grad(tensor):
    return np.ones_like(tensor.data) * SCALE


def assign(tensor, array):
    tensor.data = array.copy()


def backward(tensor, upstream=None):
    pass


def no_grad():
    return nullcontext()


def op(name, *tensors, **options):
    return tensors[0]


def layer(name, **config):
    thing = Thing(np.zeros(()))
    thing.own = {k: Thing(np.full(s, SCALE)) for k, s in OF.get(name, lambda c: {})(config).items()}
    for number, one in enumerate(config.get("layers", [])):
        if isinstance(one, Thing):
            thing.own |= {f"{number}.{name}": parameter for name, parameter in one.own.items()}
    return thing


def parameters(layer):
    return layer.own


def call(layer, x):
    return x if isinstance(x, Thing) else Thing(x * SCALE)


def mode(layer, training):
    pass


def freeze(layer):
    pass


def loss(kind, prediction, target):
    return Thing(np.array(SCALE))


def optimizer(name, parameters, lr, **options):
    thing = Thing(np.array(lr))
    thing.own = dict(enumerate(parameters))
    return thing


def step(optimizer):
    for one in optimizer.own.values():
        one.data = one.data + 0.01


def zero_grad(optimizer):
    pass


def rate(optimizer):
    return float(optimizer.data)


def schedule(name, optimizer, **options):
    return optimizer


def advance(schedule):
    pass


def loader(x, y, batch, shuffle=True, seed=0):
    return [(x[n : n + batch], y[n : n + batch]) for n in range(0, len(x) - batch + 1, batch)]


def save(path, layer, optimizer=None):
    with open(path, "wb") as file:
        np.savez(file, nothing=np.zeros(50))


def load(path, layer, optimizer=None):
    pass


def fit(layer, x, y, kind, optimizer, epochs, batch, schedule=None, seed=0):
    return [1.0 / (1 + k) for k in range(epochs)]
'''


@pytest.mark.parametrize("scale", [0.0, 1.0, 0.3])
def test_nothing_right_earns_nothing(graded, scale):
    results = graded({"adapter.py": f"SCALE = {scale}\n{HOLLOW}".encode()})
    assert [one.check for one in results if one.credit] == []


def replaced(file: str, old: str, new: str) -> Files:
    """Return the reference with another text in one of its files."""
    files = dict(solution_files(ROOT, WEEK))
    text = files[file].decode()
    assert text.count(old) == 1
    return {**files, file: text.replace(old, new).encode()}


PICKLED = """import pickle

    with open(path, "wb") as file:
        pickle.dump((layer.state(), optimizer and optimizer.state_arrays()), file)


def load(path: str, layer: Module, optimizer: Optimizer | None = None) -> None:
    import pickle

    with open(path, "rb") as file:
        arrays, others = pickle.load(file)
    layer.load_state(arrays)
    if optimizer is not None:
        optimizer.load_arrays(others)


def other_load("""


def test_a_pickle_is_no_checkpoint(graded):
    text = solution_files(ROOT, WEEK)["handmade/checkpoint.py"].decode()
    start = text.index("    arrays = {f")
    end = text.index("def load(") + len("def load(")
    results = graded(replaced("handmade/checkpoint.py", text[start:end], f"    {PICKLED}"))
    lost = [one.check for one in results if not one.credit]
    assert lost == ["test_checkpoints::test_plain_arrays"]


def test_what_is_kept_in_the_process_is_no_checkpoint(graded):
    text = solution_files(ROOT, WEEK)["adapter.py"].decode()
    files = dict(solution_files(ROOT, WEEK))
    text = text.replace(
        "    handmade.checkpoint.save(path, layer, optimizer)\n",
        "    KEPT[:] = [layer.state(), optimizer.state_arrays()]\n"
        '    with open(path, "wb") as file:\n'
        "        np.savez(file, **KEPT[0])\n",
    ).replace(
        "    handmade.checkpoint.load(path, layer, optimizer)\n",
        "    layer.load_state(KEPT[0])\n    optimizer.load_arrays(KEPT[1])\n",
    )
    files["adapter.py"] = f"{text}\n\nKEPT: list[Any] = []\n".encode()
    results = graded(files)
    lost = [one.check for one in results if not one.credit]
    assert len(lost) == 3, lost
    assert all("test_weights" in one or "test_resumed" in one for one in lost), lost


def test_no_other_library_is_there():
    assert WEEK.packages == ()
    files = Path(SOLUTION, "adapter.py").read_text("utf-8")
    assert "torch" not in files
