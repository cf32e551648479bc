"""What tests of the students' tree share: one tree, in a folder as people name theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.author import release
from autograder.grading import public_suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree that students get, without explanations, which take long to compute."""
    out = tmp_path_factory.mktemp("release") / "Kurs für alle (1)"
    known = {"hidden_tests": 7, "wrong_answers": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(public_suite, "public_catalogue", lambda root, course, week: known)
        release.build_release(ROOT, out)
    return out
