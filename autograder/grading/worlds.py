"""What students' own tests are held against: the reference, its legal variants, and their mutants.

Modules are compiled here and sent to the workers.
"""

from __future__ import annotations

import marshal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from autograder.reference.legal_variants import LegalVariant, forms
from autograder.reference.misconceptions import Misconception

FOLDER = "/submission"

Modules = Mapping[str, np.ndarray]
"""Compiled modules by file name, as they are sent to the workers."""


@dataclass(frozen=True)
class World:
    """What a test may be held against: the reference in a form of its own, and its mutants.

    With `own_helpers` the modules that could stand in the test file as well are the student's own:
    tests may use functions that only these have.
    """

    form: tuple[LegalVariant, ...] = ()
    own_helpers: bool = False


class Worlds:
    """Makes the modules of each world when they are needed."""

    def __init__(
        self,
        sources: Mapping[str, str],
        mistakes: Sequence[Misconception],
        variants: Sequence[LegalVariant],
        homes: Mapping[str, Sequence[str]],
        test_file: str,
    ):
        self._sources, self._mistakes = sources, mistakes
        self._endings = endings_of(homes, list(sources))
        self.helpers = {name for name, others in homes.items() if test_file in others}
        self._forms = forms(variants)
        self.modules = cache(self._modules)

    def all(self, own_helpers: bool) -> list[World]:
        """Return the worlds, the reference's own first; `own_helpers`: the student has some."""
        own = [False, True] if own_helpers else [False]
        return [World(form, with_own) for with_own in own for form in self._forms]

    def _modules(self, world: World, mistake: int | None = None) -> Modules:
        """Return the modules of a world, with the mistake of that number in them."""
        sources = dict(self._sources)
        if mistake is not None:
            name = f"{self._mistakes[mistake].module}.py"
            sources[name] = self._mistakes[mistake].apply(sources[name], verify=False)
        for variant in world.form:
            sources = variant.apply(sources)
        return {
            name: _compiled(name, source + self._endings.get(name, ""))
            for name, source in sources.items()
            if not (world.own_helpers and name in self.helpers)
        }


def endings_of(homes: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, str]:
    """Return what the modules in `names` end with, so that names have their other homes there too.

    A module that may stand in another one is imported there, if that is possible at that point.
    """
    endings: dict[str, str] = defaultdict(str)
    for module, others in homes.items():
        for home in others:
            if module in names and home in names:
                line = f"from {module.removesuffix('.py')} import *"
                endings[home] += f"\n\ntry:\n    {line}\nexcept ImportError:\n    pass\n"
    return endings


def _compiled(name: str, source: str) -> np.ndarray:
    """Return a trusted module compiled and marshalled, as it is sent to the workers."""
    code = compile(source, f"{FOLDER}/{name}", "exec", dont_inherit=True)
    return np.frombuffer(marshal.dumps(code), np.uint8)
