"""What a submission uses that no task asks for is pointed out with its place, and nothing else."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import CourseError
from autograder.gradebook.flags import Flag
from autograder.grading.flags.source import (
    COMPLEX,
    HIDDEN_CODE,
    IMPORTS,
    LEADS_OUT,
    RUN_TIME,
    STORED,
    run_time_flags,
    source_flags,
)
from autograder.grading.flags.watched import watched_in, watched_names
from autograder.reference.misconceptions import solution_files
from autograder.sandbox import Limits
from autograder.suite.hidden.sandbox_host import MOST_NOTES, SandboxHost
from autograder.worker.sandboxed.audit import MOST, MOST_TEXT

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week(1)
NAMES = watched_names(COURSE)
WATCHED = watched_in(NAMES, WEEK)

FOUND = {
    "import torch": (IMPORTS, "torch"),
    "from scipy.special import expit": (IMPORTS, "scipy"),
    "import numba as fast": (IMPORTS, "numba"),
    "import ctypes": (IMPORTS, "ctypes"),
    "from numpy import ctypeslib": (IMPORTS, "numpy.ctypeslib"),
    "import numpy as np\nx = np.ctypeslib": (IMPORTS, "numpy.ctypeslib"),
    "import sys\nx = sys._getframe(1)": (IMPORTS, "sys._getframe"),
    "from inspect import currentframe": (IMPORTS, "inspect.currentframe"),
    "import gc\nx = gc.get_objects()": (IMPORTS, "gc.get_objects"),
    "import os\nos.system('true')": (IMPORTS, "os.system"),
    "from os import fork": (IMPORTS, "os.fork"),
    "import pickle\npickle.loads(b'')": (IMPORTS, "pickle.loads"),
    "import base64": (IMPORTS, "base64"),
    "import importlib\nimportlib.import_module('torch')": (IMPORTS, "torch"),
    "__import__('jax')": (IMPORTS, "jax"),
    "__import__(''.join(map(chr, [116, 111])))": (HIDDEN_CODE, "__import__ of something"),
    "import importlib\nimportlib.import_module(chr(116))": (HIDDEN_CODE, "import_module of"),
    "exec(''.join(['x', '=1']))": (HIDDEN_CODE, "exec of something"),
    "y = 1\neval(f'{y}')": (HIDDEN_CODE, "eval of something"),
    "import numpy as np\nnp.load('a', allow_pickle=True)": (HIDDEN_CODE, "allow_pickle"),
    r"x = b'\x7fELF\x02\x01'": (HIDDEN_CODE, "machine code"),
    "x = 'f0VMRgIBAQAAAA'": (HIDDEN_CODE, "machine code as base64"),
    "try: 1\nexcept E as e: x = e.__traceback__.tb_frame": (LEADS_OUT, "tb_frame"),
    "def f(frame): return frame.f_back": (LEADS_OUT, "f_back"),
    "def f(frame): return frame.f_globals": (LEADS_OUT, "f_globals"),
    "def f(frame): return frame.f_locals": (LEADS_OUT, "f_locals"),
    "def f(frame): return frame.f_builtins": (LEADS_OUT, "f_builtins"),
    "x = (n for n in [])\ny = x.gi_frame": (LEADS_OUT, "gi_frame"),
    "def f(c): return c.cr_frame": (LEADS_OUT, "cr_frame"),
    "def f(g): return g.__globals__": (LEADS_OUT, "__globals__"),
    "def f(g): return g.__code__.co_code": (LEADS_OUT, "co_code"),
    "def f(g): return g.__closure__[0]": (LEADS_OUT, "__closure__"),
    "x = object.__subclasses__()": (LEADS_OUT, "__subclasses__"),
    "x = __builtins__": (LEADS_OUT, "__builtins__"),
    "def f(g): return getattr(g, '__globals__')": (LEADS_OUT, "getattr of '__globals__'"),
    "def f(g): return getattr(g, '__glo' + 'bals__')": (LEADS_OUT, "getattr of '__globals__'"),
    "def f(g): return getattr(g, f'__co{\"de__\"}')": (LEADS_OUT, "getattr of '__code__'"),
    "def f(g): return getattr(g, ''.join(['f_', 'back']))": (LEADS_OUT, "getattr of 'f_back'"),
    "def f(g): return getattr(g, 'kcab_f'[::-1])": (LEADS_OUT, "put together from pieces"),
    "def f(g): return getattr(g, ''.join(map(chr, [102])))": (LEADS_OUT, "from pieces"),
    "def f(g): return getattr(g, bytes([102]).decode())": (LEADS_OUT, "from pieces"),
    "def f(g): return object.__getattribute__(g, 'f_back')": (LEADS_OUT, "of 'f_back'"),
    "import operator\nx = operator.attrgetter('tb_frame.f_back')": (LEADS_OUT, "attrgetter of"),
    "import sys\nx = getattr(sys, '_getframe')(1)": (LEADS_OUT, "getattr of '_getframe'"),
    "import gc\nx = vars(gc)['get_objects']()": (LEADS_OUT, "['get_objects']"),
    "def backward(f, x): return f(x + 1e-20j)": (COMPLEX, "the number 1e-20j"),
    "def backward(f, x): return f(x + complex(0, 1))": (COMPLEX, "complex"),
    "def f(x): return isinstance(x, type(complex(0, x)))": (COMPLEX, "complex"),
    "def isinstance(x, t): return t(x, 1)\ny = isinstance(2, complex)": (COMPLEX, "complex"),
    "isinstance = lambda x, t: t(x, 1)\ny = isinstance(2, complex)": (COMPLEX, "complex"),
    "from a import b as isinstance\ny = isinstance(2, complex)": (COMPLEX, "complex"),
    "def f(x): return x.isinstance(2, complex)": (COMPLEX, "complex"),
    "vars(b)['isinstance'] = g\ny = isinstance(2, complex)": (COMPLEX, "complex"),
    "import numpy as np\ndef f(x): return np.complex128(x)": (COMPLEX, ".complex128"),
    "def backward(y): return y.imag": (COMPLEX, ".imag"),
    "import numpy as np\ndef backward(y): return np.imag(y)": (COMPLEX, ".imag"),
    "def backward(x): return x.astype('c16')": (COMPLEX, "astype with 'c16'"),
    "def backward(x): return x.astype(dtype='D')": (COMPLEX, "astype with 'D'"),
    "import numpy as np\ndef f(x): return np.array(x, 'complex')": (COMPLEX, "array with"),
    "def backward(y): return getattr(y, 'imag')": (COMPLEX, "getattr with 'imag'"),
    "import cmath": (COMPLEX, "cmath"),
    "from numpy import emath": (COMPLEX, "emath"),
    "x = " + repr(list(range(501))): (STORED, "a constant of 501 entries"),
    "\n".join(f"x{n} = {list(range(100))}" for n in range(16)): (STORED, "1,600 numbers"),
}
ALLOWED = (
    "import numpy as np\nx = np.load('a', allow_pickle=False)",
    "import os, sys\nprint(os.getcwd(), sys.argv)",
    "eval('1 + 1')",
    "print('torch', 'jax', 'socket')",
    "import re\nre.compile('a' + 'b')",
    "class A:\n    def eval(self): ...\nA().eval()",
    "import pickle",
    "import torchlike",
    "'''Unlike scipy, this is ours.'''",
    "import inspect\ninspect.signature(print)",
    "not Python",
    "class A:\n    def __repr__(self): return self.__class__.__name__ + repr(self.__dict__)",
    "class A:\n    def __init__(self): super().__init__()\nx = A.__mro__, type(A()).__bases__",
    "def f(layer, n): return getattr(layer, 'dL_d' + n), getattr(layer, f'layer{n}')",
    "def f(model): return [getattr(model, name) for name in ('W', 'b')]",
    "class A:\n    def __getattr__(self, name): return object.__getattribute__(self, name)",
    "def f(e): raise ValueError('so') from e.__cause__",
    "import numpy as np\ndef f(x): return np.asarray(x, order='F').astype('f8')",
    "def f(x, p):\n    y = x**p\n    if isinstance(y, complex): raise ValueError(x)",
    "import numpy as np\ndef f(p): return isinstance(p, (int, float, complex, np.complexfloating))",
    "import numpy as np\ndef f(p): return isinstance(p, int | complex)",
    "import numpy as np\ndef f(x):\n    if np.iscomplexobj(x) or x.dtype.kind == 'c': raise E",
    "x = 'The complex part of this, its imag and its tb_frame.', 'f_back'",
    "def test_complex_step(f, x):\n    assert f(x + 1e-20j).imag",
    "def numerical_gradient(f, x): return f(x + 1e-20j).imag / 1e-20",
)


@pytest.mark.parametrize("source", FOUND)
def test_what_is_watched_is_found_with_its_line(source: str) -> None:
    rule, text = FOUND[source]
    flags = source_flags({"a.py": source.encode()}, WATCHED)
    assert [flag.rule for flag in flags if flag.rule != HIDDEN_CODE or rule == HIDDEN_CODE] == [
        rule
    ]
    flag = next(flag for flag in flags if flag.rule == rule)
    assert text in flag.evidence
    if rule != STORED:
        line = len(source.splitlines())
        assert f"a.py, line {line}: " in flag.evidence
        assert flag.place == f"a.py:{line}"


@pytest.mark.parametrize("source", ALLOWED)
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert source_flags({"a.py": source.encode()}, WATCHED) == []


def test_evidence_says_why_and_stays_short() -> None:
    source = "import torch\n" * 30
    [flag] = source_flags({"a.py": source.encode()}, WATCHED)
    assert flag.evidence.startswith("the week's work is to be done with NumPy alone: a.py, line 1")
    assert flag.evidence.endswith("a.py, line 8: torch; and 22 more")


def test_what_checks_gradients_may_be_complex_unless_layers_use_it() -> None:
    check = b"def check(f, x): return f(x + 1e-20j).imag"
    assert source_flags({"gradient_check.py": check, "a.py": b"x = 1"}, WATCHED) == []
    tests = {"gradient_check.py": check, "test_gradients.py": b"from gradient_check import check"}
    assert source_flags(tests, WATCHED) == []
    for use in (b"from gradient_check import check", b"import gradient_check"):
        [flag] = source_flags({"gradient_check.py": check, "neural_net.py": use}, WATCHED)
        assert flag.rule == COMPLEX
        assert flag.place == "gradient_check.py:1"
    inside = check + b"\ndef backward(f, x): return check(f, x)"
    [flag] = source_flags({"a.py": inside}, WATCHED)
    assert flag.rule == COMPLEX


def test_what_would_clear_it_is_said() -> None:
    [flag] = source_flags({"a.py": b"def f(g): return g.f_back"}, WATCHED)
    assert "it is nothing where the program only looks at itself" in flag.evidence
    [flag] = source_flags({"a.py": b"x = 1j"}, WATCHED)
    assert "it is nothing where no gradient comes from them" in flag.evidence


def test_a_module_of_the_submission_is_its_own() -> None:
    files = {"autograd.py": b"x = 1", "draw.py": b"from autograd import x"}
    assert source_flags(files, WATCHED) == []
    assert len(source_flags({"draw.py": b"from autograd import x"}, WATCHED)) == 1
    assert source_flags({"draw.py": b"from autograd import x"}, WATCHED, ["autograd.py"]) == []


@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_correct_solutions_use_nothing_that_is_watched(week) -> None:
    solution = solution_files(ROOT, week)
    homes = (ROOT / "tests/styles/compact", ROOT / "solutions")
    styles = [homes[0] / week.folder, *(homes[1] / week.folder / "other_styles").glob("*")]
    found = [folder for folder in styles if folder.is_dir()]
    assert found
    for folder in found:
        written = [name for name in week.modules if (folder / name).is_file()]
        style = {name: (folder / name).read_bytes() for name in written}
        for files in (solution, solution | style):
            assert source_flags(files, watched_in(NAMES, week), week.given) == []


def test_torch_is_the_projects_own() -> None:
    project = COURSE.week_called("project")
    assert source_flags({"train.py": b"import torch"}, watched_in(NAMES, project)) == []
    assert source_flags({"train.py": b"import ctypes"}, watched_in(NAMES, project)) != []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            '[[watched]]\nnames = ["a"]\nwhy = "b"\nweeks = ["week9"]\n',
            "watched#1.weeks: there is no",
        ),
        ('[[watched]]\nwhy = "b"\n', "watched#1.names: field required. Add it"),
        ("[whatched]\n", "whatched: extra inputs are not permitted"),
    ],
)
def test_a_wrong_table_is_a_mistake_in_the_settings(small, tmp_path, table, says) -> None:
    shutil.copytree(small / "assignments", tmp_path / "assignments")
    with (tmp_path / courses.GRADING_FILE).open("a") as settings:
        settings.write(f"\n{table}")
    with pytest.raises(CourseError, match=re.escape(says)) as caught:
        watched_names(courses.load(tmp_path))
    assert caught.value.file == courses.GRADING_FILE


# While it runs.

DISGUISED = "__import__(''.join(map(chr, {letters})))"
EVENTS = {
    "x = " + DISGUISED.format(letters=[*map(ord, "asyncio")]): ("import", "asyncio"),
    "open('/etc/hostname2', 'a') if 0 else None\ntry: open('/etc/nothing')\nexcept OSError: pass": (
        "open",
        "/etc/nothing",
    ),
    "import numpy as np\ntry: np.load('/secret.npy')\nexcept OSError: pass": (
        "open",
        "/secret.npy",
    ),
    "import os\nos.system('true')": ("os.system", ""),
    "import os\npid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)": ("os.fork", ""),
    "import subprocess\ntry: subprocess.run(['/bin/true'])\nexcept OSError: pass": (
        "subprocess.Popen",
        "",
    ),
    "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 0.1)\nexcept OSError: pass": (
        "socket.__new__",
        "",
    ),
    "import ctypes\nctypes.CDLL(None)": ("ctypes.dlopen", ""),
    "import sys\nx = sys._getframe(0)": ("sys._getframe", ""),
    "import marshal\nmarshal.loads(marshal.dumps(1))": ("marshal.loads", ""),
    "exec('x = 1')": ("exec", ""),
    "import gc\nx = len(gc.get_objects())": ("gc.get_objects", ""),
    "name = ''.join(map(chr, [116, 98, 95, 102, 114, 97, 109, 101]))\n"
    "try: 1 / 0\nexcept ArithmeticError as e: x = getattr(e.__traceback__, name)": (
        "object.__getattr__",
        "tb_frame",
    ),
    "x = (n for n in [])\ny = type(x).gi_frame.__get__(x)": ("object.__getattr__", "gi_frame"),
    "def f(): pass\nx = f.__code__": ("object.__getattr__", "__code__"),
    "import types\nx = types.FunctionType((lambda: 1).__code__, {})": ("function.__new__", ""),
}
QUIET = """
import dataclasses, functools, inspect, json, tempfile, traceback, warnings
from collections import namedtuple
from pathlib import Path
import numpy as np

Pair = namedtuple("Pair", "a b")

@dataclasses.dataclass
class Thing:
    a: int = 1

@functools.wraps(print)
def traced(*arguments):
    try:
        raise ValueError("so")
    except ValueError as error:
        return repr(error.__traceback__), inspect.signature(traced), Thing.__mro__

def work():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, np.ones(3))
        np.load(path)
    Path("here.txt").write_text("x")
    warnings.warn("this")
    json.dumps({"a": [1]})
    np.testing.assert_allclose(np.linalg.inv(np.eye(3)) @ np.ones(3), np.ones(3))
    np.random.default_rng(0).normal(size=3)
    traced()
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.format_exc()
    return Thing().a
work()
"""


def notes_of(confinement, source: str, *, call: bool = False) -> dict[tuple[str, str], str]:
    host = SandboxHost(confinement, {"code_of_a_student.py": source.encode()}, Limits())
    try:
        module = host.start(0).code_of_a_student
        if call:
            module.work()
        host.finish(None)
        return host.notes
    finally:
        host.close()


@pytest.mark.parametrize("source", EVENTS)
def test_what_happens_is_noted_with_the_line_that_asked_for_it(confinement, source) -> None:
    event, what = EVENTS[source]
    notes = notes_of(confinement, source)
    found = {key: place for key, place in notes.items() if key[0] == event and what in key[1]}
    assert found, notes
    assert all(place.startswith("code_of_a_student.py:") for place in found.values())


def test_ordinary_work_is_not_noted(confinement) -> None:
    notes = notes_of(confinement, QUIET, call=True)
    assert {key for key in notes if key[0] != "import"} == set()
    assert run_time_flags(notes, WATCHED, []) == []


def test_what_the_worker_does_itself_is_not_noted(confinement) -> None:
    """Counting lines uses sys.settrace, and stops in the middle of a long loop."""
    source = "def loop():\n    for n in range(99_999):\n        n += 1\n"
    host = SandboxHost(confinement, {"a.py": source.encode()}, Limits())
    try:
        student = host.start(0)
        assert not student.trace(student.a.loop).complete
        host.finish(None)
    finally:
        host.close()
    assert host.notes == {}


def test_notes_are_few_and_short(confinement) -> None:
    source = (
        "for n in range(999):\n    try: open('/x' + str(n) + 'y' * 9999)\n    except OSError: pass"
    )
    notes = notes_of(confinement, source)
    assert 0 < len(notes) <= MOST <= MOST_NOTES
    assert all(len(what) <= MOST_TEXT for _, what in notes)


LIES = """
import gc, sys
from types import FunctionType
for dispatcher in [o for o in gc.get_objects() if type(o).__name__ == "Dispatcher"]:
    dispatcher.operations["notes"] = lambda: {lie}
"""


@pytest.mark.parametrize(
    "lie",
    [
        "3",
        "[1]",
        "[[1, 2, 3, 4]]",
        "[['open', 'a', 'b', 'c']]",
        "1 / 0",
        "[['\\x1b[31m', 'a\\nb', 'c', 4]] * 500",
    ],
)
def test_a_lying_worker_changes_nothing_but_its_notes(confinement, lie) -> None:
    source = "def f(): return 7\n" + LIES.format(lie=lie)
    host = SandboxHost(confinement, {"a.py": source.encode()}, Limits())
    host._import_first = False
    try:
        assert host.start(0).a.f() == 7
        host.finish(None)
        assert host.start(0).a.f() == 7
        host.finish(None)
    finally:
        host.close()
    assert all(text.isprintable() for key in host.notes for text in key)


def test_what_the_source_says_is_not_said_again() -> None:
    notes = {("import", "torch.nn"): "a.py:3", ("os.system", ""): "a.py:9"}
    [flag] = run_time_flags(notes, WATCHED, [])
    assert flag.rule == RUN_TIME
    assert "a.py:3 imported torch.nn (the week's work is to be done with NumPy" in flag.evidence
    assert flag.evidence.endswith("a.py:9 did os.system")
    read = {("object.__getattr__", "tb_frame"): "a.py:7"}
    [flag] = run_time_flags(read, WATCHED, [])
    assert "a.py:7 read the attribute tb_frame (it leads from an object" in flag.evidence
    assert run_time_flags(read, WATCHED, [Flag(LEADS_OUT, "a.py, line 7: tb_frame")]) == []
    known = [Flag(IMPORTS, "a.py, line 3: torch.nn; a.py, line 9: os.system")]
    assert run_time_flags(notes, WATCHED, known) == []
    assert run_time_flags({("import", "json"): "a.py:1"}, WATCHED, []) == []
