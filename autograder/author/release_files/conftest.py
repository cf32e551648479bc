"""pytest in this tree: public tests get your modules as `student`, your own import the week's."""

import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

if missing := [name for name in ("numpy", "msgpack") if importlib.util.find_spec(name) is None]:
    python = Path(__file__).resolve().parent / ".venv"
    pytest.exit(
        f"this Python ({sys.executable}) has no {' and no '.join(missing)}. `python check.py setup`"
        f" puts what is needed into {python}: choose that Python in your editor, or activate it.",
        returncode=4,
    )

pytest_plugins = ["autograder.students.pytest_plugin"]
