"""`python check.py` in this folder checks this week; the program is the course's, further up."""

import os
import runpy
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COURSE = next(folder.parent for folder in FOLDER.parents if folder.name == "assignments")

if __name__ == "__main__":
    if not Path.cwd().resolve().is_relative_to(FOLDER):
        os.chdir(FOLDER)
    runpy.run_path(str(COURSE / "check.py"), run_name="__main__")
