"""What students' own tests are held against: the reference, its legal variants, and their mutants.

Each program is disguised in a way of its own, right and wrong ones alike. Of a program's modules
only those are compiled and sent to a worker that the tests import.
"""

from __future__ import annotations

import ast
import keyword
import marshal
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from autograder.reference.disguise import LARGER, SMALLER, disguised
from autograder.reference.gaps import find_gaps
from autograder.reference.legal_variants import LegalVariant, forms
from autograder.reference.misconceptions import Misconception
from autograder.text.syntax import syntax_tree

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


@dataclass(frozen=True)
class Program:
    """One of a world's programs: the right one, or that with the mistake of this number.

    Programs of another `disguise` look different. `rounded` ones round otherwise; `bent` ones
    give slightly other numbers, so that they are wrong, in all that students fill in, or in the one
    function called `place`; `scrambled` ones give numbers of another order, sign or shape.
    """

    mistake: int | None = None
    disguise: int = 0
    rounded: bool = False
    bent: bool = False
    scrambled: str = ""
    place: str = ""


RIGHT_ONES = 4
"""How many disguises there are of right programs that give the same numbers, 1 to this."""

RIGHT = Program()
"""The right program that a world is known by."""


class Worlds:
    """Makes the modules of each world when they are needed."""

    def __init__(
        self,
        sources: Mapping[str, str],
        mistakes: Sequence[Misconception],
        variants: Sequence[LegalVariant],
        homes: Mapping[str, Sequence[str]],
        test_file: str,
        salt: str = "",
    ):
        self._sources, self._mistakes, self._salt = sources, mistakes, salt
        self._decoys = decoys_of(mistakes)
        self._endings = endings_of(homes, list(sources))
        self.helpers = {name for name, others in homes.items() if test_file in others}
        self._filled_in = {
            name: {gap.where for gap in find_gaps(text, name)} for name, text in sources.items()
        }
        self._forms = forms(variants)
        self.modules = cache(self._modules)
        self._made = cache(self._module)

    def has(self, name: str) -> bool:
        """Whether a file of this name is one of the week's, which the worlds have in their form."""
        return name in self._sources

    def all(self, own_helpers: bool) -> list[World]:
        """Return the worlds, the reference's own first; `own_helpers`: the student has some."""
        own = [False, True] if own_helpers else [False]
        return [World(form, with_own) for with_own in own for form in self._forms]

    @property
    def places(self) -> list[str]:
        """The functions that students fill in, of those classes and functions with mistakes."""
        wrong = {mistake.where.partition(".")[0] for mistake in self._mistakes}
        filled = {place for places in self._filled_in.values() for place in places}
        return sorted(
            place
            for place in filled
            if place.partition(".")[0] in wrong and not place.endswith("__init__")
        )

    def _modules(self, needed: frozenset[str], world: World, program: Program = RIGHT) -> Modules:
        """Return the `needed` modules of a program of that world."""
        without = self.helpers if world.own_helpers else set()
        names = sorted(self._sources.keys() & needed - without)
        return {
            name: self._made(name, world.form, self._in_module(name, program)) for name in names
        }

    def _in_module(self, name: str, program: Program) -> Program:
        """Return the program whose module this is: what is not wrong there is some right one's.

        Right programs have the same modules, so nothing is told by that.
        """
        mistake, place = program.mistake, program.place
        elsewhere = mistake is not None and f"{self._mistakes[mistake].module}.py" != name
        if (elsewhere and not program.bent) or (place and place not in self._filled_in[name]):
            return Program(disguise=1 + (program.disguise + (mistake or 0)) % RIGHT_ONES)
        return program

    def _module(self, name: str, form: tuple[LegalVariant, ...], program: Program) -> np.ndarray:
        source, mistake = self._sources[name], program.mistake
        if mistake is not None and f"{self._mistakes[mistake].module}.py" == name:
            source = self._mistakes[mistake].apply(source, verify=False)
        for variant in form:
            source = variant.apply({name: source})[name] if variant.file == name else source
        source += self._endings.get(name, "")
        seed = f"{self._salt}, {mistake}, {program.disguise}, {name}"
        bent = None if not program.bent else SMALLER if mistake is None else LARGER
        # What students are given stays right in all programs: it tells nothing of them.
        places = {program.place} if program.place else self._filled_in[name]
        tree = disguised(
            source,
            seed,
            self._decoys,
            rounded=program.rounded,
            bent=bent,
            scrambled=program.scrambled,
            places=places,
        )
        return _compiled(name, tree)

    def needed(self, test_file: bytes, helpers: Mapping[str, bytes]) -> frozenset[str]:
        """Return the modules that a test file imports, directly or through others.

        They are those in which there are mistakes, and what these import. No others are in the
        sandbox of the tests: there, everything can be read.
        """
        own = {name: imports_of(text + self._ending(name)) for name, text in helpers.items()}
        imported = {**self._imported, **own}
        wrong = {f"{mistake.module}.py" for mistake in self._mistakes}
        tested = _reached(wrong | self.helpers, imported)
        return frozenset(_reached(tested & imports_of(test_file), imported))

    @cached_property
    def _imported(self) -> dict[str, set[str]]:
        """The files that each module imports."""
        return {
            name: imports_of(text.encode() + self._ending(name))
            for name, text in self._sources.items()
        }

    def _ending(self, name: str) -> bytes:
        return self._endings.get(name, "").encode()


def _reached(names: Iterable[str], imported: Mapping[str, set[str]]) -> set[str]:
    """Return these modules and all that they import, among the keys of `imported`."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in imported and name not in found:
            found.add(name)
            todo += imported[name]
    return found


def imports_of(source: bytes) -> set[str]:
    """Return the files named by the import statements of a file; none if it isn't Python."""
    tree = syntax_tree(source)
    found: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found |= {f"{alias.name}.py" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(f"{node.module}.py")
    return found


def decoys_of(mistakes: Sequence[Misconception]) -> list[str]:
    """Return the names in which wrong programs differ from the right one."""
    texts = " ".join(f"{mistake.replace} {mistake.by}" for mistake in mistakes)
    names = set(re.findall(r"[A-Za-z_]\w*", texts))
    return sorted(name for name in names if not keyword.iskeyword(name))


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


def _compiled(name: str, tree: ast.Module) -> np.ndarray:
    """Return a trusted module compiled and marshalled, as it is sent to the workers."""
    code = compile(tree, f"{FOLDER}/{name}", "exec", dont_inherit=True)
    return np.frombuffer(marshal.dumps(code), np.uint8)
