"""The worker's side: requests are carried out, and whatever student code raises is an answer."""

from __future__ import annotations

import random
import sys
import warnings

import numpy as np
import pytest

from autograder.channel.source_lines import Sources
from autograder.wire.codec import Ref, decode, encode
from autograder.worker.dispatch import Dispatcher, describe_exception, import_all
from autograder.worker.modules import ModuleSpace

FOLDER = "/submission"
MODULE = b'''"""A student's module."""
import sys
import warnings
import numpy as np
import helper

class Layer:
    def __init__(self, size=3):
        self.W = np.ones(size)

    def forward(self, x):
        return x * self.W

    def spoil(self, x):
        x[:] = 0.0

    def fail(self, *args):
        return self.deeper(*args)

    def deeper(self, *args):
        return helper.fail(*args)

def raises(name, *args):
    raise getattr(EXCEPTIONS, name)(*args) if hasattr(EXCEPTIONS, name) else eval(name)(*args)

def recurse(n):
    return recurse(n + 1)

def warn(text):
    warnings.warn(text, RuntimeWarning)

def overflow():
    return np.exp(np.array([1000.0]))

def hide():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("hidden")

def draws():
    import random
    return [np.random.rand(), random.random()]

class EXCEPTIONS:
    class EvilText(Exception):
        def __str__(self): raise ValueError("no text for you")
    class ExitText(Exception):
        def __str__(self): sys.exit(0)
    class InterruptText(Exception):
        def __str__(self): raise KeyboardInterrupt
    class NumberText(Exception):
        def __str__(self): return 5
    class SubclassText(Exception):
        def __str__(self): return type("Text", (str,), {})("a text of its own kind")
    class LongText(Exception):
        def __str__(self): return "x" * 10**6
    class NoUtf8(Exception):
        def __str__(self): return "\\ud800 is no character"
    class EvilClass(Exception):
        __class__ = property(lambda self: 1 / 0)
    class EvilSyntax(SyntaxError):
        filename = property(lambda self: 5)
    class EvilLine(SyntaxError):
        filename = "/submission/student.py"
        lineno = "many"
    class EvilName(Exception, metaclass=type("Meta", (type,), {"__name__": property(lambda c: 5)})):
        pass
    class NotImplementedButMine(NotImplementedError):
        pass
'''
HELPER = b"def fail(*args):\n    raise ValueError('from the helper', *args)\n"
SOURCES = {"student.py": MODULE, "helper.py": HELPER}


@pytest.fixture
def dispatcher():
    """A dispatcher with the student's modules importable, and this process left as it was."""
    state = np.random.get_state(), random.getstate()  # noqa: NPY002 - it is what workers seed
    space = ModuleSpace(SOURCES, FOLDER)
    with space.active(), warnings.catch_warnings():
        made = Dispatcher(FOLDER)
        made.seed(0)
        yield made
    np.random.set_state(state[0])  # noqa: NPY002
    random.setstate(state[1])


@pytest.fixture
def ask(dispatcher):
    """Ask for one operation, which must succeed, and return the result."""

    def ask(operation, *arguments):
        done, result = dispatcher.handle(operation, list(arguments))
        assert done, result
        return dispatcher.from_ref(result) if type(result) is Ref else result

    return ask


@pytest.fixture
def fault(dispatcher, ask):
    """Call a function of the student's, which must fail, and return the description."""

    def fault(function, *arguments):
        target = getattr(ask("import", "student"), function)
        done, record = dispatcher.handle("call", [target, list(arguments), {}])
        assert not done
        body = encode([1, False, record])  # whatever is described can be sent
        assert decode(b"".join(body[1:]), b"", None)[2] == record
        return record

    return fault


# Operations


def test_import_get_set_call(ask):
    module = ask("import", "student")
    layer = ask("call", ask("get", module, "Layer"), [], {"size": 2})
    assert ask("get", layer, "W").tolist() == [1.0, 1.0]
    ask("set", layer, "W", np.array([2.0, 3.0]))
    assert ask("call", layer.forward, [np.array([1.0, 1.0])], {}).tolist() == [2.0, 3.0]


def test_modules_functions_and_objects_stay_behind_references(dispatcher):
    _, module = dispatcher.handle("import", ["student"])
    assert type(module) is Ref
    layer = dispatcher.from_ref(module).Layer()
    ref = dispatcher.to_ref(layer)
    assert ref.type_name == "Layer"
    assert dispatcher.from_ref(ref) is layer


def test_keep_copies_and_fetch_shows_what_became_of_it(ask):
    sent = np.arange(3.0)
    kept = ask("keep", sent)
    assert kept is not sent
    assert not np.shares_memory(kept, sent)
    layer = ask("import", "student").Layer()
    ask("call", layer.spoil, [kept], {})
    assert ask("fetch", kept).tolist() == [0.0, 0.0, 0.0]
    assert sent.tolist() == [0.0, 1.0, 2.0]


def test_probes_and_drivers_go_by_name(dispatcher, ask):
    assert type(ask("call", ask("probe", "generator"), [3], {})) is np.random.Generator
    rows = ask("drive", "standardise", [np.full((2, 1, 2), 3, np.uint8), 1.0, 2.0])
    assert rows.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert type(dispatcher.handle("prepare", ["standardise", [rows, 0.0, 1.0]])[1]) is Ref
    for operation, arguments in (("probe", ["no_such"]), ("drive", ["no_such", []])):
        done, record = dispatcher.handle(operation, arguments)
        assert not done
        assert record["type"] == "KeyError"


@pytest.mark.parametrize("operation", ["eval", "__import__", "handle", ""])
def test_there_are_no_other_operations(dispatcher, operation):
    done, record = dispatcher.handle(operation, ["1"])
    assert not done
    assert record["type"] == "KeyError"


# Exceptions


def test_an_exception_is_described_with_the_students_lines_only(fault):
    record = fault("raises", "ValueError", "bad shape")
    assert (record["kind"], record["type"], record["text"]) == ("raised", "ValueError", "bad shape")
    [[file, line]] = record["frames"]
    assert file == "student.py"
    assert b"raise getattr" in MODULE.splitlines()[line - 1]


def test_frames_run_from_the_call_to_the_raise_through_all_files(dispatcher, ask):
    layer = ask("import", "student").Layer()
    _, record = dispatcher.handle("call", [layer.fail, [1], {}])
    source = Sources(SOURCES)
    assert [(file, source.place(file, line)[1]) for file, line in record["frames"]] == [
        ("student.py", "fail"),
        ("student.py", "deeper"),
        ("helper.py", "fail"),
    ]


def test_numpys_own_frames_are_left_out(dispatcher, ask):
    layer = ask("import", "student").Layer()
    _, record = dispatcher.handle("call", [layer.forward, [np.ones(7)], {}])
    assert record["type"] == "ValueError"
    assert [frame[0] for frame in record["frames"]] == ["student.py"]


def test_an_endless_recursion_shows_its_beginning_and_end(fault):
    record = fault("recurse", 0)
    assert record["type"] == "RecursionError"
    assert len(record["frames"]) == 8


@pytest.mark.parametrize(
    "name", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"]
)
def test_what_is_no_exception_is_an_answer_as_well(fault, name):
    assert fault("raises", name, "bye")["type"] == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("EvilText", "(no text: its __str__ raised ValueError)"),
        ("ExitText", "(no text: its __str__ raised SystemExit)"),
        ("InterruptText", "(no text: its __str__ raised KeyboardInterrupt)"),
        ("NumberText", "(no text: its __str__ raised TypeError)"),
        ("SubclassText", ""),
        ("LongText", "x" * 400),
        ("NoUtf8", "? is no character"),
        ("EvilClass", "(no text: its __str__ raised ZeroDivisionError)"),
        ("EvilSyntax", "(no text: its __str__ raised AttributeError)"),
        ("EvilLine", "(no text: its __str__ raised ValueError)"),
        ("EvilName", ""),
    ],
)
def test_an_evil_exception_is_described_all_the_same(fault, name, text):
    record = fault("raises", name)
    assert record == {**record, "kind": "raised", "type": name, "text": text}
    assert record["frames"][0][0] == "student.py"


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("NotImplementedError", ["week1.linear: fill in Linear.forward"], "not-attempted"),
        ("NotImplementedButMine", [], "raised"),
        ("MemoryError", [], "memory"),
        ("np.exceptions.AxisError", ["axis 3"], "raised"),
        ("np.empty", [2**55], "memory"),
        ("BlockingIOError", [11, "Resource temporarily unavailable"], "processes"),
        ("RuntimeError", ["can't start new thread"], "processes"),
        ("OSError", ["no file"], "raised"),
    ],
)
def test_kinds_of_faults(fault, name, arguments, kind):
    assert fault("raises", name, *arguments)["kind"] == kind


def test_a_missing_attribute_or_module_is_an_answer(dispatcher, ask):
    _, record = dispatcher.handle("get", [ask("import", "student"), "Linear"])
    assert record["type"] == "AttributeError"
    assert record["frames"] == []
    _, record = dispatcher.handle("import", ["no_such_module"])
    assert record["type"] == "ModuleNotFoundError"


def test_a_syntax_error_names_its_line():
    space = ModuleSpace({"broken.py": b"x = 1\ny = (\n"}, FOLDER)
    with space.active():
        _, record = Dispatcher(FOLDER).handle("import", ["broken"])
    assert record["type"] == "SyntaxError"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert record["text"] == f"'(' was never closed (Python {version} read this)"
    assert record["frames"] == [["broken.py", 2]]


def test_descriptions_need_no_traceback():
    assert describe_exception(ValueError("x"), FOLDER)["frames"] == []


# Warnings and seeds


def test_warnings_are_collected_each_time_they_are_given(ask):
    student = ask("import", "student")
    for _ in range(2):
        ask("call", student.warn, ["careful"], {})
    ask("call", student.overflow, [], {})
    first, second, third = ask("warnings")
    assert first == second == "RuntimeWarning: careful"
    assert third.startswith("RuntimeWarning: overflow")


def test_what_student_code_silences_stays_silent(ask):
    ask("call", ask("import", "student").hide, [], {})
    assert ask("warnings") == []


def test_many_and_long_warnings_are_cut(ask):
    student = ask("import", "student")
    for _ in range(50):
        ask("call", student.warn, ["w" * 5000], {})
    texts = ask("warnings")
    assert len(texts) == 20
    assert {len(text) for text in texts} == {400}


def test_an_escape_that_python_warns_of_is_no_warning_of_the_test():
    space = ModuleSpace({"escapes.py": b'"""The sigma in \\sigma(x)."""\n'}, FOLDER)
    with space.active(), warnings.catch_warnings():
        dispatcher = Dispatcher(FOLDER)
        dispatcher.seed(0)
        assert dispatcher.handle("import", ["escapes"])[0]
        assert dispatcher.handle("warnings", []) == (True, [])


def test_the_same_seed_gives_the_same_random_numbers(dispatcher, ask):
    student = ask("import", "student")
    draws = []
    for seed in (1, 1, 2, 2**56 + 1):
        dispatcher.seed(seed)
        draws.append(ask("call", student.draws, [], {}))
    assert draws[0] == draws[1]
    assert draws[2] not in draws[:2]
    assert draws[3] not in draws[:3]


# All modules at once


def test_import_all_imports_what_it_can_and_describes_the_rest():
    space = ModuleSpace(
        {
            **SOURCES,
            "syntax.py": b"def f(:\n",
            "raising.py": b"import student\nraise ValueError('at import')\n",
            "leaving.py": b"import sys\nsys.exit(0)\n",
            "null.py": b"x = 1\0",
            "needs.py": b"import raising\n",
        },
        FOLDER,
    )
    with space.active(), warnings.catch_warnings():
        failed = import_all(space, seed=0)
    kinds = {name: record["type"] for name, record in failed.items()}
    assert kinds.pop("null") in ("SyntaxError", "ValueError")  # it depends on Python's version
    assert kinds == {
        "syntax": "SyntaxError",
        "raising": "ValueError",
        "leaving": "SystemExit",
        "needs": "ValueError",
    }
    assert failed["raising"]["frames"] == [["raising.py", 2]]


def test_an_import_that_failed_is_answered_without_trying_again():
    failed = {"raising": {"kind": "raised", "type": "ValueError", "text": "", "frames": []}}
    dispatcher = Dispatcher(FOLDER, failed)
    assert dispatcher.handle("import", ["raising"]) == (False, failed["raising"])


# Modules from memory


def test_modules_are_found_by_their_bare_names_while_active():
    space = ModuleSpace({"zebra.py": b"import zebra as me\nhere = __file__\n"}, FOLDER)
    with space.active():
        import zebra  # type: ignore[import-not-found]

        assert zebra.here == "/submission/zebra.py"
        assert zebra.me is zebra
    with pytest.raises(ModuleNotFoundError):
        __import__("zebra")


def test_modules_that_were_there_before_come_back():
    space = ModuleSpace({"random.py": b"mine = True\n"}, FOLDER)
    with space.active():
        assert __import__("random").mine
    assert __import__("random") is random


def test_what_another_space_compiled_is_taken_over_where_sources_are_equal():
    first = ModuleSpace({"a.py": b"x = 1\n", "b.py": b"x = 2\n", "c.py": b"x = 3\n"}, FOLDER)
    first.compile_all()
    second = ModuleSpace({"a.py": b"x = 1\n", "b.py": b"x = 5\n"}, FOLDER, like=first)
    assert second.code == {"a": first.code["a"]}
    with second.active():
        assert (__import__("a").x, __import__("b").x) == (1, 5)


def test_compile_all_leaves_broken_files_for_their_import():
    space = ModuleSpace(
        {"good.py": b"x = 1\n", "deep.py": b"x = " + b"-" * 200_000 + b"1\n"}, FOLDER
    )
    space.compile_all()
    assert set(space.code) == {"good"}
