"""A student's own modules beside the assignment's are taken with them, as they are imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.course import load
from autograder.intake.imports import MOST_HELPERS
from autograder.intake.reading import take_in
from autograder.worker.modules import ModuleSpace

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
WEEK = COURSE.week(1)


def taken(tmp_path: Path, files: dict[str, str]) -> tuple[dict[str, bytes], str]:
    """Return the files of week 1 that are taken, and all notices in one text."""
    for name, text in files.items():
        path = tmp_path / "class" / "ann" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    others = [week for week in COURSE.weeks if week is not WEEK]
    (one,) = take_in(tmp_path / "class", [WEEK], others)[1]
    assert one.refusal is None
    return one.files, "\n".join(one.notices)


def test_helpers_are_taken_as_they_are_imported(tmp_path: Path) -> None:
    files, notices = taken(
        tmp_path,
        {
            "hw/neural_net.py": "import utils\nfrom mylib import a\nimport numpy, json\n",
            "hw/losses.py": "def late():\n    from deep.er import thing\n",
            "hw/utils.py": "x = 1\n",
            "hw/mylib/__init__.py": "from .b import y\n",
            "hw/mylib/a.py": "z = 3\n",
            "hw/mylib/b.py": "y = 2\n",
            "hw/deep/er.py": "thing = 4\n",
            "hw/scratch.py": "raise SystemExit\n",
            "hw/json.py": "",
        },
    )
    helpers = {"utils.py", "mylib/__init__.py", "mylib/a.py", "mylib/b.py", "deep/er.py"}
    assert files.keys() == helpers | {"neural_net.py", "losses.py"}
    assert "Taken with week 1's files: deep/er.py, mylib/__init__.py" in notices
    assert "hw/scratch.py" in notices
    with ModuleSpace(files).active():
        import neural_net

        assert neural_net.a.z == 3
        assert neural_net.utils.x == 1
        assert sys.modules["mylib"].y == 2
        assert sys.modules["mylib"].__file__ == "/submission/mylib/__init__.py"


def test_what_is_imported_and_not_taken_is_told_with_its_place(tmp_path: Path) -> None:
    files, notices = taken(
        tmp_path,
        {
            "hw/neural_net.py": "import common\nfrom tests import tools\n",
            "lib/common.py": "",
            "hw/tests/tools.py": "",
        },
    )
    assert files.keys() == {"neural_net.py"}
    assert "neural_net.py imports common, and lib/common.py was not taken: it has to lie" in notices
    assert "hw/tests/tools.py was not taken: files in a folder of that name" in notices


def test_a_file_under_another_name_is_one_module_under_both(tmp_path: Path) -> None:
    files, _ = taken(
        tmp_path,
        {
            "Neural_Net.py": "class Layer: pass\n",
            "losses.py": "from Neural_Net import Layer\nimport neural_net\n",
        },
    )
    with ModuleSpace(files).active():
        import losses

        assert losses.Layer is losses.neural_net.Layer


@pytest.mark.parametrize("kind", ["many", "large"])
def test_helpers_have_limits(tmp_path: Path, kind: str) -> None:
    count, size = (MOST_HELPERS + 9, 10) if kind == "many" else (3, 400_000)
    helpers = {f"h{number}.py": "#" * size for number in range(count)}
    lines = "".join(f"import {name.removesuffix('.py')}\n" for name in helpers)
    files, notices = taken(tmp_path, {"neural_net.py": lines, **helpers})
    assert len(files) == 1 + (MOST_HELPERS if kind == "many" else 2)
    assert "at most 40 helper modules, of 1 MB together, are taken" in notices


def test_helpers_are_taken_from_a_folder_above_and_by_relative_imports(tmp_path: Path) -> None:
    files, notices = taken(
        tmp_path,
        {
            "a b/hw1/__init__.py": "",
            "a b/hw1/neural_net.py": "from .helpers import *\nfrom . import more as m\n",
            "a b/hw1/losses.py": "from hw1.helpers import x\nfrom ..utils import z\n",
            "a b/hw1/helpers.py": "x = 1\n",
            "a b/hw1/more.py": "y = 2\n",
            "a b/utils/__init__.py": "from .arrays import *\n",
            "a b/utils/arrays.py": "z = 3\n",
        },
    )
    helpers = {"helpers.py", "more.py", "hw1/__init__.py", "hw1/helpers.py"}
    helpers |= {"utils/__init__.py", "utils/arrays.py"}
    assert files.keys() == helpers | {"neural_net.py", "losses.py"}
    assert "Ignored" not in notices
    with ModuleSpace(files).active():
        import losses
        import neural_net

        assert (neural_net.x, neural_net.m.y) == (1, 2)
        assert (losses.x, losses.z) == (1, 3)


def test_modules_of_a_week_that_is_not_graded_are_not_told_of(tmp_path: Path) -> None:
    project = "hw/final_project"
    _, notices = taken(
        tmp_path,
        {
            "hw/neural_net.py": "",
            "hw/scratch.py": "",
            f"{project}/models/__init__.py": "",
            f"{project}/models/blocks.py": "",
            f"{project}/models/resnet.py": "",
        },
    )
    assert "Ignored 1 file that belongs to no assignment: hw/scratch.py" in notices
