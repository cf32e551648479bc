"""How much data the source files of a submission hold: stored weights or answers, in any portions.

Whatever stands in a file can be read while it runs: constants, names, docstrings and, since the
file itself can be opened, comments. So all of it counts, over all files together, in bytes of
information: characters that are no prose, digits of numbers, entries of containers. Words don't
count, as long as they are used as a language uses words, a few often and most of them seldom.

What prose looks like is learned from the reference, whose docstrings and code are both.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from autograder.grading.rules import nodes_of
from autograder.text.display import clean
from autograder.text.syntax import syntax_tree

MOST_BYTES = 1_600
"""More data is refused where a network is to be trained: right solutions hold up to 200 bytes."""

NOTICED_BYTES = 800
"""From here on a person is asked to look."""

MOST_VOLUME = 40_000
NOTICED_VOLUME = 24_000
"""Compressed bytes of all files together, without the lines that the reference has too. Data that
is dressed up as prose or code needs room; right solutions take up to 9,000."""

STRANGE_BITS = 6.0
"""From so many bits for each character on, a word is no word of any language: English, code and
names take 3 to 5, base64 and hexadecimal digits 7 to 9."""

LONGEST_WORD = 24
SHORTEST_WORD = 3
STRANGE_BYTES = 0.75
BARE_BYTES = 0.5
"""For each character: of a strange word; of what is no word, where there is more of it than words
(letters one by one, say)."""

DIGIT_BYTES = math.log2(10) / 8
FREE_ENTRIES, FREE_ARGUMENTS, FREE_STATEMENTS = 4, 8, 3_000
ENTRY_BYTES = 0.5

WORDS_FROM = 500
EVEN = 0.965
SELDOM = 0.2
"""From so many words on: the share of the largest possible entropy from which, and the share of
words used once up to which, they are the symbols of a code. Languages have 0.75 to 0.93 and a half
(characters of Chinese a third); symbols have nearly 1, or hardly any that is used once."""

FOREIGN_FROM = 2_000
FOREIGN_BITS = 0.65
"""Of so many letters of other alphabets on, what a letter tells of the next, in bits: a language 1,
letters that stand for numbers nothing."""

MOST_MARKS = 0.45
"""Share of accents and vowel signs from which on they are no writing: Hindi has 0.4."""

UNSPACED = 0x2E80
"""From this character on, scripts have no blanks between words: each character is a word."""

FUNCTION_WORDS = frozenset(
    (
        *("a", "i", "is", "to", "of", "in", "it", "be", "as", "at", "so", "we", "he", "by", "or"),
        *("on", "do", "if", "me", "my", "up", "an", "go", "no", "us", "am"),
    )
)
NAMING = ("id", "attr", "name", "arg", "asname")
LONG_BITS = 64
ALL_FILES = "all files"
FOREIGN = "\0"
"""Begins words of other alphabets among the words."""

SHOWN = 6

WORDS = re.compile(r"[^\W\d_]+|\d+|[^\w\s]+|_")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
RUNS = re.compile(r"(.)\1{3,}")


@dataclass
class Stored:
    """What was found: bytes of data by kind, and by place (file, line) for showing the largest."""

    kinds: Counter[str] = field(default_factory=Counter)
    places: Counter[tuple[str, int]] = field(default_factory=Counter)
    volume: int = 0

    @property
    def data(self) -> int:
        """Bytes of data, all kinds together."""
        return round(sum(self.kinds.values()))

    def add(self, kind: str, amount: float, file: str, line: int) -> None:
        """Count an amount in bytes."""
        if amount:
            self.kinds[kind] += amount  # type: ignore[assignment]
            self.places[file, line] += amount  # type: ignore[assignment]

    @property
    def is_refused(self) -> bool:
        """Whether it is more than any solution needs, beyond doubt."""
        return self.data > MOST_BYTES or self.volume > MOST_VOLUME

    @property
    def is_noticed(self) -> bool:
        """Whether a person should look at it."""
        return self.data > NOTICED_BYTES or self.volume > NOTICED_VOLUME

    def refusal(self) -> str:
        """Say to the student what is refused, why, and what to do."""
        if self.data <= MOST_BYTES:
            return (
                f"Your files together take {self.volume:,} bytes when compressed, beside what was "
                f"given; at most {MOST_VOLUME:,} are allowed where a network is trained, so that "
                f"none can be stored in them. Take out of the folder what doesn't belong to the "
                f"task."
            )
        return (
            f"Your files hold {self.said()}; at most {MOST_BYTES:,} are allowed, all files "
            f"together, where a network is trained, so that none can be stored in them. What the "
            f"task asks for needs a tenth of that. Take the data out."
        )

    def said(self) -> str:
        """Say what was found: how much of each kind, and where most of it stands."""
        kinds = ", ".join(f"{round(n):,} in {kind}" for kind, n in self.kinds.most_common(SHOWN))
        most = self.places.most_common(SHOWN)
        places = "; ".join(
            f"{clean(file, 60)}, line {line} ({round(n):,})" for (file, line), n in most
        )
        return f"about {self.data:,} bytes of data ({kinds}), most of it in {places}"


class Language:
    """How probable characters are after each other, in some texts."""

    def __init__(self, texts: Sequence[str]):
        pairs: Counter[str] = Counter()
        for text in texts:
            for word in WORDS.findall(text):
                pairs.update(_pairs(word))
        self._pairs, self._first, self._single = pairs, Counter[str](), Counter[str]()
        for pair, count in pairs.items():
            self._first[pair[0]] += count
            self._single[pair[1]] += count
        self._total = sum(pairs.values())
        self._known: dict[str, float] = {}

    def bits(self, word: str) -> float:
        """Return the bits for each character of a word, on average."""
        if word not in self._known:
            costs = [self._bits(pair) for pair in _pairs(word)]
            self._known[word] = sum(costs) / len(costs)
        return self._known[word]

    def _bits(self, pair: str) -> float:
        single = (self._single[pair[1]] + 0.1) / (self._total + 30)
        share = (self._pairs[pair] + 2 * single) / (self._first[pair[0]] + 2)
        return min(12.0, -math.log2(share))


def _pairs(word: str) -> list[str]:
    spelled = f" {word} "
    return [spelled[n : n + 2] for n in range(len(spelled) - 1)]


class StoredData:
    """Measures submissions; `given` are files that students got or might write, such as the
    reference: their texts and words are known, and their lines count for no volume."""

    def __init__(self, given: Mapping[str, bytes]):
        self._given = [source for name, source in given.items() if name.endswith(".py")]

    @cached_property
    def _lines(self) -> frozenset[str]:
        texts = (source.decode("utf-8", "replace") for source in self._given)
        return frozenset(line.strip() for text in texts for line in text.splitlines())

    @cached_property
    def _pieces(self) -> frozenset[str]:
        return frozenset(
            piece for source in self._given for _, _, piece in _texts(syntax_tree(source))
        )

    @cached_property
    def _language(self) -> Language:
        return Language([_plain(source.decode("utf-8", "replace")) for source in self._given])

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        texts = (_plain(source.decode("utf-8", "replace")) for source in self._given)
        return frozenset(word for text in texts for word in WORDS.findall(text))

    def measure(self, files: Mapping[str, bytes]) -> Stored:
        """Return what the Python files hold; what is no Python is text from end to end."""
        stored = Stored()
        words: Counter[str] = Counter()
        new: list[str] = []
        statements = 0
        for file, source in sorted(files.items()):
            if not file.endswith(".py"):
                continue
            tree = syntax_tree(source)
            for line, text in enumerate(source.decode("utf-8", "replace").splitlines(), start=1):
                if text.strip() in self._lines and text.rstrip() == text:
                    continue
                new.append(text)
                _count_end(stored, file, line, text)
                comment = text.partition("#")[2] if tree else text
                self._count(stored, words, file, line, "comments", comment)
            for line, kind, piece in _texts(tree):
                if piece not in self._pieces:
                    self._count(stored, words, file, line, kind, piece)
            self._count(stored, words, file, 1, "names", file)
            if tree:
                _count_values(stored, file, tree)
                statements += sum(isinstance(node, ast.stmt) for node in nodes_of(tree))
        more = max(0, statements - FREE_STATEMENTS)
        stored.add("statements", more * STRANGE_BYTES, ALL_FILES, 1)
        _count_even(stored, words)
        _count_foreign(stored, words)
        stored.volume = len(zlib.compress("\n".join(new).encode("utf-8", "replace"), 9))
        return stored

    def _count(
        self, stored: Stored, words: Counter[str], file: str, line: int, kind: str, piece: str
    ) -> None:
        """Count what is no prose in a piece of text; add its words to `words`."""
        if kind == "names":  # they come once each: that is no way to use words
            words = Counter()
        prose = bare = 0
        for word in WORDS.findall(_plain(piece)):
            if word.isdigit():
                stored.add("digits of texts", _digits(word) * DIGIT_BYTES, file, line)
            elif word.isalpha() and ord(max(word)) >= UNSPACED:
                if kind == "names":
                    stored.add(kind, len(word), file, line)
                words.update(word)
                prose += len(word)
            elif word.isalpha() and not word.isascii() and len(word) <= LONGEST_WORD:
                words[FOREIGN + word] += 1
                prose += len(word)
            elif word not in self._vocabulary and self._is_strange(word):
                stored.add(kind, len(word.encode("utf-8", "replace")) * STRANGE_BYTES, file, line)
            elif word.isalpha() and (len(word) >= SHORTEST_WORD or word in FUNCTION_WORDS):
                words[word] += 1
                prose += len(word)
            else:
                bare += len(word)
        if kind != "names" and bare > prose:
            stored.add(kind, (bare - prose) * BARE_BYTES, file, line)
        marks = 0 if piece.isascii() else sum(map(_is_mark, piece))
        if marks > MOST_MARKS * len(piece):
            stored.add(kind, len(piece) * STRANGE_BYTES, file, line)

    def _is_strange(self, word: str) -> bool:
        if len(word) > LONGEST_WORD or not word.isalpha():
            return len(word) >= SHORTEST_WORD or not word.isascii()
        if len(word) < SHORTEST_WORD:
            return False
        return all(self._language.bits(form) > STRANGE_BITS for form in (word, word.lower()))


def _plain(text: str) -> str:
    """Return a text without accents and long rows of one character, camelCase in its parts."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in text if not _is_mark(c))
    return CAMEL.sub(" ", RUNS.sub(r"\1\1\1", text))


def _is_mark(character: str) -> bool:
    """Whether a character is an accent or a vowel sign, upon a letter."""
    return character >= "\u0300" and unicodedata.category(character)[0] == "M"


def _digits(number: str) -> int:
    """Return how many digits of a number say something: 1500 has two."""
    return max(1, len(number.strip("0")))


def _texts(tree: ast.Module | None) -> Iterator[tuple[int, str, str]]:
    """Yield line, kind and text of all texts, and of every name the first time."""
    names: dict[str, int] = {}
    for node in nodes_of(tree) if tree else ():
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield line, "texts", node.value
            elif isinstance(node.value, bytes):
                yield line, "bytes", node.value.decode("latin-1")
            continue
        for key in NAMING:
            name = getattr(node, key, None)
            if isinstance(name, str):
                names.setdefault(name, line)
    for name, line in names.items():
        yield line, "names", name


def _count_end(stored: Stored, file: str, line: int, text: str) -> None:
    """Count the blanks at a line's end, which nobody sees: how many they are, or what."""
    blanks = text[len(text.rstrip()) :]
    if blanks:
        bits = math.log2(1 + len(blanks)) if len(set(blanks)) == 1 else len(blanks)
        stored.add("blanks", bits / 8, file, line)


def _count_values(stored: Stored, file: str, tree: ast.Module) -> None:
    """Count numbers, and entries of containers and calls that are no numbers or texts."""
    for node in nodes_of(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, int | float | complex) and not _is_bit(node.value):
                stored.add("numbers", _number_bytes(node.value), file, line)
            continue
        entries = _entries(node)
        if len(entries) > (FREE_ARGUMENTS if isinstance(node, ast.Call) else FREE_ENTRIES):
            plain = sum(not isinstance(e, ast.Constant) or _is_bit(e.value) for e in entries)
            stored.add("entries", plain * ENTRY_BYTES, file, line)


def _is_bit(value: object) -> bool:
    return value is True or value is False or value is None


def _number_bytes(value: int | float | complex) -> float:
    if isinstance(value, int):
        bits = value.bit_length()
        return bits / 8 if bits > LONG_BITS else _digits(str(value)) * DIGIT_BYTES
    mantissa = repr(value).strip("()j").partition("e")[0]
    return _digits(mantissa.replace(".", "").replace("-", "").lstrip("0")) * DIGIT_BYTES


def _entries(node: ast.AST) -> Sequence[ast.AST]:
    """Return the entries of a display, a call, a comparison, or a chain of operators."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return node.elts
    if isinstance(node, ast.Dict):
        return [*(key for key in node.keys if key), *node.values]
    if isinstance(node, ast.Call):
        return [*node.args, *(keyword.value for keyword in node.keywords)]
    if isinstance(node, ast.BoolOp | ast.JoinedStr):
        return node.values
    return node.comparators if isinstance(node, ast.Compare) else ()


def _count_even(stored: Stored, words: Counter[str]) -> None:
    """Count words that are used as the symbols of a code: all of them equally often."""
    total, different = words.total(), len(words)
    if total < WORDS_FROM or different < 2:
        return
    entropy = sum(n / total * math.log2(total / n) for n in words.values())
    seldom = sum(n == 1 for n in words.values()) / different
    if entropy / math.log2(different) > EVEN or seldom < SELDOM:
        stored.add("words as in a code", total * entropy / 8, ALL_FILES, 1)


def _count_foreign(stored: Stored, words: Counter[str]) -> None:
    """Count letters of other alphabets that follow each other by chance."""
    spelled = [w.removeprefix(FOREIGN) for w in words.elements() if w.startswith(FOREIGN)]
    letters = Counter("".join(spelled))
    pairs = Counter(word[n : n + 2] for word in spelled for n in range(len(word) - 1))
    if pairs.total() < FOREIGN_FROM:
        return
    told = 2 * _entropy(letters) - _entropy(pairs)
    if told < FOREIGN_BITS:
        amount = letters.total() * _entropy(letters) / 8
        stored.add("letters of another alphabet", amount, ALL_FILES, 1)


def _entropy(counts: Counter[str]) -> float:
    """Return bits for each, with Miller and Madow's correction for few of them."""
    total = counts.total()
    plain = sum(n / total * math.log2(total / n) for n in counts.values())
    return plain + (len(counts) - 1) / (2 * total * math.log(2))
