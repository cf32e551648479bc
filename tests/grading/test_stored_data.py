"""Data in source files is found in whatever form it stands there; honest work is far from it."""

from __future__ import annotations

import ast
import base64
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.author.simulate.class_folder import write_class
from autograder.gradebook.submission import Submission
from autograder.grading.flags.source import STORED, source_flags
from autograder.grading.stored_data import (
    MOST_BYTES,
    MOST_VOLUME,
    NOTICED_BYTES,
    NOTICED_VOLUME,
    StoredData,
)
from autograder.intake.reading import take_in
from autograder.reference import legal_variants
from autograder.reference.gaps import stub_modules
from autograder.reference.misconceptions import apply, catalogue_of, solution_files

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week(1)
REFERENCE = solution_files(ROOT, WEEK)
MEASURE = StoredData(REFERENCE)

DRAWN = random.Random(5)
WEIGHTS = bytes(min(255, max(0, int(DRAWN.gauss(128, 28)))) for _ in range(6_000))
"""As weights are distributed: around zero, which is 128 here."""

BASE85, BASE64 = base64.b85encode(WEIGHTS).decode(), base64.b64encode(WEIGHTS).decode()
NO_DIGITS = str.maketrans("0123456789", "ghijklmnop")
LETTERS = "".join("ABCDEFGHIJKLMNOP"[byte >> 4] for byte in WEIGHTS)
PROSE = "\n".join(
    (ROOT / "docs" / name).read_text("utf-8") for name in ("instructors.md", "sandbox.md")
)
WORDS = sorted(set(re.findall(r"[a-z]{3,9}", PROSE)))[:256]


def pieces(text, size: int) -> list:
    return [text[n : n + size] for n in range(0, len(text), size)]


def each(stored, size: int, line: Callable[..., str]) -> str:
    return "\n".join(line(n, piece) for n, piece in enumerate(pieces(stored, size)))


def text(spaced: str) -> str:
    return f'x = """{spaced}"""'


STORED_IN = {
    "texts in pieces": each(BASE85, 400, lambda n, p: f"a{n} = {p!r}"),
    "a docstring": f'"""{BASE64}"""',
    "comments": each(BASE85, 70, lambda n, p: f"# {p}"),
    "comments of few letters": each(LETTERS, 5, lambda n, p: f"# {p}"),
    "hexadecimal words": text(" ".join(pieces(WEIGHTS.hex(), 6))),
    "words of few letters": text(" ".join(pieces(LETTERS, 5))),
    "pairs of letters": text(" ".join(pieces(WEIGHTS.hex().translate(NO_DIGITS), 2))),
    "punctuation": text(" ".join("+-*/=<>()[]{},.:"[byte >> 4] for byte in WEIGHTS)),
    "bytes": each(WEIGHTS, 400, lambda n, p: f"a{n} = {p!r}"),
    "long ints": each(WEIGHTS, 100, lambda n, p: f"a{n} = {int.from_bytes(p, 'big')}"),
    "lists of ints": each(WEIGHTS, 100, lambda n, p: f"a{n} = {list(p)}"),
    "short tuples of floats": each(WEIGHTS, 4, lambda n, p: f"a{n} = {tuple(b / 100 for b in p)}"),
    "complex numbers": each(WEIGHTS, 2, lambda n, p: f"a{n} = {complex(*p)}"),
    "truth values": each(WEIGHTS, 8, lambda n, p: f"a{n} = {[b > 128 for b in p]}"),
    "names in lists": each(
        WEIGHTS, 8, lambda n, p: f"a{n} = [{', '.join(LETTERS[b % 16] for b in p)}]"
    ),
    "identifiers": each(WEIGHTS, 30, lambda n, p: f"def f{n}_{p.hex()}(): pass"),
    "Chinese identifiers": each(
        WEIGHTS, 30, lambda n, p: f"class A{''.join(chr(0x4E00 + b) for b in p)}: pass"
    ),
    "Chinese": text("".join(chr(0x4E00 + byte) for byte in WEIGHTS)),
    "Cyrillic words": text(
        " ".join(pieces("".join(chr(0x430 + (byte >> 3)) for byte in WEIGHTS), 12))
    ),
    "braille": text("".join(chr(0x2800 + byte) for byte in WEIGHTS)),
    "nothing visible": text("".join("\u200b\u200c\u200d\u2060"[byte >> 6] for byte in WEIGHTS)),
    "accents": text("".join("a" + chr(0x300 + (byte >> 2)) for byte in WEIGHTS)),
    "blanks at ends of lines": each(WEIGHTS, 1, lambda n, p: f"{n % 10}" + " " * p[0]),
    "tabs and blanks": each(
        WEIGHTS, 1, lambda n, p: "0" + f"{p[0]:08b}".translate(str.maketrans("01", " \t"))
    ),
    "words as symbols": text(" ".join(WORDS[byte] for byte in WEIGHTS)),
    "f-strings": "e = 1\n" + each(BASE64, 60, lambda n, p: f'a{n} = f"{p[:30]}{{e}}{p[30:]}"'),
    "a sum of texts": "x = (" + " + ".join(map(repr, pieces(BASE64, 3))) + ")",
    "keys": "d = {}\n" + each(BASE64, 12, lambda n, p: f"d[{p!r}] = 1"),
    "statements": "x = 1\n" + each(WEIGHTS, 1, lambda n, p: f"x {'+-*/%&|^'[p[0] >> 5]}= x"),
    "what is no Python": BASE85 + "\ndef",
}  # fmt: skip


@pytest.mark.parametrize("form", STORED_IN)
def test_data_is_refused_in_whatever_form_it_stands_there(form: str) -> None:
    if form != "what is no Python":
        ast.parse(STORED_IN[form])
    stored = MEASURE.measure({**REFERENCE, "more.py": STORED_IN[form].encode()})
    assert stored.is_refused, stored.said()
    assert f"at most {MOST_BYTES:,} are allowed, all files together" in stored.refusal()
    assert "Take the data out" in stored.refusal()


@pytest.mark.parametrize("form", ["texts in pieces", "bytes", "long ints", "comments"])
def test_the_limit_is_one_for_all_files_together(form: str) -> None:
    lines = STORED_IN[form].splitlines()
    parts = {f"part{n}.py": "\n".join(lines[n::8]).encode() for n in range(8)}
    assert all(not MEASURE.measure({name: part}).is_refused for name, part in parts.items())
    stored = MEASURE.measure(parts)
    assert stored.is_refused
    flags = source_flags(parts, (), (), stored)
    assert STORED in {flag.rule for flag in flags}
    evidence = next(flag.evidence for flag in flags if flag.rule == STORED)
    assert "all files together hold about" in evidence
    assert re.search(r"part\d\.py, line \d+ \(\d+\)", evidence)
    assert "it is nothing if it is no data" in evidence


HONEST = {
    "a very long docstring": f"'''{PROSE[:25_000]}'''",
    "very long comments": "\n".join(f"# {line}" for line in PROSE[:25_000].splitlines()),
    "rules between sections": "\n".join(f"# {mark * 90}" for mark in "=-#*~" * 40),
    "code in comments": "\n".join(
        "# " + line for line in REFERENCE["neural_net.py"].decode().splitlines()
    ),
    "a table of a test": f"TABLE = {[[n / 8, n % 7, -n] for n in range(120)]}",
    "German": '"""'
    + "Die Schicht merkt sich die Eingabe, damit der Rückwärtsschritt die Gewichte anpassen kann. "
    "Zwischendurch prüfen wir, ob die Größen zueinander passen; sonst gäbe es Verwirrung. " * 9
    + '"""',
    "French": '"""'
    + "On garde l'entrée pour la passe arrière, où l'on en a besoin à nouveau. Les dérivées sont "
    "celles du cours, vérifiées numériquement à côté; c'était déjà prévu l'année dernière. " * 9
    + '"""',
    "Russian": '"""'
    + "Слой запоминает вход, чтобы обратный проход мог вычислить градиенты весов и смещений. "
    "Здесь используется формула из лекции, проверенная численно на нескольких примерах. " * 9
    + '"""',
    "Chinese": '"""'
    + "这一层保存输入以便在反向传播时计算权重和偏置的梯度。这里使用课堂上推导的公式。"
    "如果形状不匹配就会抛出异常。损失函数对整个批次取平均值所以梯度也要除以样本数。" * 9
    + '"""',
    "Hindi": '"""'
    + "यह परत इनपुट को याद रखती है ताकि पीछे जाते समय भार का ढाल निकाला जा सके। " * 12
    + '"""',
    "LaTeX": '"""'
    + r"\frac{\partial L}{\partial W} = \sum_{n=1}^{N} \delta_n x_n^\top, \quad "
    r"\sigma'(z) = \sigma(z)(1-\sigma(z)) " * 12
    + '"""',
}  # fmt: skip


@pytest.mark.parametrize("kind", HONEST)
def test_prose_tables_and_code_are_no_data(kind: str) -> None:
    source = HONEST[kind].replace("\\", "\\\\").encode()
    stored = MEASURE.measure({**REFERENCE, "more.py": source})
    assert stored.data < NOTICED_BYTES, stored.said()
    assert stored.volume < (MOST_VOLUME if "very long" in kind else NOTICED_VOLUME)


def far_away(week, files: dict[str, bytes], measure: StoredData) -> None:
    """It holds less than a third of what is noticed, and so has no flag."""
    stored = measure.measure(files)
    assert stored.data < NOTICED_BYTES / 3, stored.said()
    assert stored.volume < NOTICED_VOLUME / 3
    assert source_flags(files, (), week.given, stored) == []


@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_right_solutions_and_stubs_are_far_from_the_limits(week) -> None:
    measure = StoredData(solution_files(ROOT, week))
    stubs = {name: text.encode() for name, text in stub_modules(ROOT, COURSE, week).items()}
    styles = [ROOT / "tests" / "styles" / style / week.folder for style in STYLES]
    others = (ROOT / "solutions" / week.folder / "other_styles").glob("*")
    written = [
        {name: (folder / name).read_bytes() for name in week.modules if (folder / name).is_file()}
        for folder in (*styles, *others)
        if folder.is_dir()
    ]
    assert written
    for files in (solution_files(ROOT, week), stubs, *written):
        assert files
        far_away(week, files, measure)


STYLES = ("compact", "texts", "tutorial")


@pytest.mark.prove
@pytest.mark.parametrize("week", COURSE.weeks, ids=lambda week: week.id)
def test_every_mistake_and_every_legal_variant_is_far_from_the_limits(week) -> None:
    reference = solution_files(ROOT, week)
    measure = StoredData(reference)
    for mistake in catalogue_of(ROOT, COURSE, week):
        far_away(week, apply(mistake, reference), measure)
    texts = {name: source.decode() for name, source in reference.items()}
    for variant in legal_variants.load(ROOT / "solutions" / week.folder):
        files = {name: text.encode() for name, text in variant.apply(texts).items()}
        far_away(week, files, measure)


@pytest.mark.prove
def test_a_simulated_class_is_far_from_the_limits(tmp_path) -> None:
    write_class(COURSE, ROOT, tmp_path / "class", students=40, seed=3)
    weeks = [week for week in COURSE.weeks if not week.packages]
    taken = take_in(tmp_path / "class", weeks)
    seen: list[Submission] = []
    for week in weeks:
        measure = StoredData(solution_files(ROOT, week))
        for submission in taken[week.number]:
            seen.append(submission)
            stored = measure.measure(submission.files)
            assert stored.data < NOTICED_BYTES / 3, (submission.student, stored.said())
            assert stored.volume < NOTICED_VOLUME / 3
    assert len(seen) > 60
