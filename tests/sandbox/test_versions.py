"""What says which version a distribution is: there in a sandbox only where it is looked up."""

from __future__ import annotations

import pytest

from autograder.sandbox.runtime import READ_VERSIONS, installed


def versions(name: str) -> set[str]:
    return {top.partition("-")[0] for top in installed(name) if top.endswith(".dist-info")}


def test_what_looks_up_no_version_gets_none():
    assert installed("pytest")
    assert versions("pytest") == set()


@pytest.mark.parametrize("name", READ_VERSIONS)
def test_who_looks_up_versions_finds_them(name):
    if not installed(name):
        pytest.skip(f"{name} is not installed (requirements-torch.txt)")
    found = versions(name)
    assert {name, "numpy", "tokenizers", "tqdm"} <= found
    assert "numpy" not in installed(name)
