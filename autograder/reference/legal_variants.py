"""Legal variants of a solution: other right forms, against which students' own tests may be right.

Where two forms are accepted (weights one way round or the other, a mean over all elements or over
the batch), students' tests may hold code to theirs. A variant is code at the end of a module of the
reference that puts a class in the place of the earlier one and uses that: so every catalogued
mistake can be made in a variant too.
"""

from __future__ import annotations

import ast
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from autograder.errors import AuthorError

FILE = "legal_variants.toml"
Text = Annotated[str, StringConstraints(min_length=1)]


class LegalVariantError(AuthorError):
    """The file of legal variants is wrong. The message names it, the entry and the fault."""


class LegalVariant(BaseModel):
    """Another right form of `module`: with `append` at its end, or with `by` in place of `replace`.

    `where` is the class that `replace` is in, which stands once in the module. (Where a mistake has
    taken its place, nothing is replaced.) Students' own tests are held against this form too, if
    `for_tests`, and each mistake of the catalogue in what it redefines is looked for in it as well.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Text
    module: Text
    append: str = ""
    where: str = ""
    replace: str = ""
    by: str = ""
    for_tests: bool = True

    def apply(self, files: Mapping[str, str]) -> dict[str, str]:
        """Return the sources of the modules, by file name, in this form."""
        source = files[self.file]
        if self.replace and source.count(self.replace) == 1:
            source = source.replace(self.replace, self.by)
        ending = f"\n\n{self.append}" if self.append else ""
        return {**files, self.file: f"{source}{ending}"}

    @property
    def file(self) -> str:
        """The name of the module's file."""
        return f"{self.module}.py"

    def redefines(self, module: str, where: str) -> bool:
        """Tell whether it puts something in the place of what `where` in that module is part of."""
        name = where.partition(".")[0]
        made = (node for node in ast.parse(self.append).body if isinstance(node, ast.ClassDef))
        names = {self.where, *(node.name for node in made)}
        return module == self.module and name in names


def load(folder: Path) -> list[LegalVariant]:
    """Read the legal variants beside a solution; none where there is no such file."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        written = tomllib.loads(path.read_text("utf-8"))
        variants = [LegalVariant.model_validate(entry) for entry in written.get("variant", [])]
        for variant in variants:
            if not (folder / f"{variant.module}.py").is_file():
                raise LegalVariantError(f"{path}: {variant.id}: there is no {variant.module}.py")
            source = (folder / variant.file).read_text("utf-8")
            if not variant.append and source.count(variant.replace) != 1:
                problem = "it has no `append`, and a `replace` that doesn't stand once"
                raise LegalVariantError(f"{path}: {variant.id}: {problem} in {variant.file}")
            ast.parse(variant.append)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError, SyntaxError) as error:
        raise LegalVariantError(f"{path}: {error}") from error
    return variants


def forms(variants: Sequence[LegalVariant]) -> list[tuple[LegalVariant, ...]]:
    """Return every combination of variants, those of fewer first: the reference's own is ()."""
    sizes = range(len(variants) + 1)
    return [form for size in sizes for form in itertools.combinations(variants, size)]
