"""The corpus of hostile, honest and buggy submissions: one folder each, put together into files.

A folder holds case.toml and one of: attack.py, put into lookalike.py; added.py, put behind the
reference (honest and buggy ones); or a complete neural_net.py. README.md says what is where.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).resolve().parent
PLACE = "# ATTACK\n"
BEST = "best"
FORWARD = ("test_linear::test_forward", "test_linear::test_bias_gradient")
UNTOUCHED = "test_losses::test_mse_gradient"
"""A check of losses.py, which is the reference in every hostile submission."""


@dataclass(frozen=True)
class Case:
    """One submission of the corpus, as its case.toml describes it.

    attacks: the numbers of the security notes' list; verdicts: at least one check of `checks` ends
    with one of them; target: what it attacks, the confinement or the channel (see `tried_on`);
    rungs: where an attack on the confinement is tried; learns: it notes in FOUND what it could get
    at; harms: what it does at import costs its own other files too; tools: files that it uses.
    """

    name: str
    title: str
    verdicts: tuple[str, ...]
    attacks: tuple[int, ...] = ()
    target: Literal["channel", "confinement"] = "confinement"
    rungs: str = "ABC"
    learns: bool = False
    harms: bool = False
    checks: tuple[str, ...] = FORWARD
    tools: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Hostile, unless the name begins with `honest` or `buggy`."""
        word = self.name.partition("_")[0]
        return word if word in ("honest", "buggy") else "hostile"

    @property
    def tried_on(self) -> tuple[str, ...]:
        """Return the rungs on which it is tried: letters, or BEST for the best that there is.

        An attack on the channel meets the same code on every rung, so that one confinement and the
        plain process say all of it.
        """
        return (BEST, "D") if self.target == "channel" else tuple(self.rungs)

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    def source(self, reference: bytes, facts: Mapping[str, Any] | None = None) -> bytes:
        """Return the case's neural_net.py; `facts` are the constants that the attack gets."""
        whole, added = self.folder / "neural_net.py", self.folder / "added.py"
        if whole.exists():
            return whole.read_bytes()
        if added.exists():
            return reference + b"\n\n" + added.read_bytes()
        parts = [f"{name} = {value!r}\n" for name, value in (facts or {}).items()]
        lookalike = (FOLDER / "lookalike.py").read_text()
        before, after = lookalike.split(PLACE)
        # What was given comes before the processes are named by it.
        before = before.replace("FOUND = []\n", "".join(parts) + "FOUND = []\n", 1)
        tools = [FOLDER / "tools" / f"{name}.py" for name in self.tools]
        attack = [path.read_text() for path in (*tools, self.folder / "attack.py")]
        return "\n".join([before, *attack, after]).encode()


def load() -> dict[str, Case]:
    """Return all cases by name."""
    return {path.parent.name: _read(path) for path in sorted(FOLDER.glob("*/case.toml"))}


def _read(path: Path) -> Case:
    written = tomllib.loads(path.read_text())
    fields = {key: tuple(v) if isinstance(v, list) else v for key, v in written.items()}
    case = Case(path.parent.name, **fields)
    if case.target not in ("channel", "confinement"):
        raise ValueError(f"{path}: `target` is neither channel nor confinement: {case.target}")
    return case
