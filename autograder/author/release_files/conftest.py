"""pytest in this tree: public tests get your modules as `student`, your own import the week's."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

pytest_plugins = ["autograder.students.pytest_plugin"]
