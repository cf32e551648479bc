"""Reviews made by a small grammar, in which the order of the words decides. Given.

Each review weighs two things against each other, one with a good word and one with a bad one, and
says by a connecting word which of them it comes down to:

    although the plot was dull , the acting was really charming .       positive
    the music seemed brilliant , although the story was weak .          positive
    the ending felt fresh , but the cast was quite tedious .            negative
    the script was not clever , though the humour was stale .           negative

"not" turns a word into its opposite. The words "but", "yet" and "still" stand before what counts;
"although", "though" and "while" stand before what does not, at the beginning of a review or in its
middle.

Whoever only counts words can't do better than chance. Every review has one good and one bad word,
so their number says nothing. Without "not", or with two of them, it depends on the place which of
the two counts; with one "not" both halves say the same, and whether it stands before the good or
the bad word is a matter of the order too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

GOOD = ("good", "charming", "brilliant", "fresh", "moving", "funny", "clever", "warm")
BAD = ("bad", "dull", "weak", "stale", "cold", "tedious", "clumsy", "shallow")
THINGS = ("plot", "acting", "music", "story", "ending", "cast", "script", "camera", "humour")
VERBS = ("was", "felt", "seemed", "looked")
STRONG = ("", "", "really", "rather", "quite")
OPENINGS = ("", "", "", "well ,", "i must say ,", "in the end ,")
BEFORE_WHAT_COUNTS = ("but", "yet", "still")
BEFORE_THE_REST = ("although", "though", "while")

WORDS = (
    "<pad>",
    *sorted(
        {
            word
            for part in (GOOD, BAD, THINGS, VERBS, STRONG, OPENINGS)
            for text in part
            for word in text.split()
        }
        | {*BEFORE_WHAT_COUNTS, *BEFORE_THE_REST, "the", "not", ",", "."}
    ),
)
"""All words; number 0 stands for no word, behind the end of a short review."""

NUMBERS = {word: number for number, word in enumerate(WORDS)}


def review(rng: np.random.Generator) -> tuple[str, bool]:
    """Return a review and whether it is positive."""
    good_first = rng.random() < 0.5
    things = rng.permutation(THINGS)[:2]
    halves, signs = [], []
    for thing, is_good in zip(things, (good_first, not good_first), strict=True):
        turned = rng.random() < 0.5
        word = rng.choice(GOOD if is_good else BAD)
        parts = ["the", thing, rng.choice(VERBS), *(["not"] * turned), rng.choice(STRONG), word]
        halves.append(" ".join(filter(None, parts)))
        signs.append(is_good != turned)
    first, second = halves
    opening, kind = rng.choice(OPENINGS), rng.integers(3)
    if kind == 0:
        text, counts = f"{first} , {rng.choice(BEFORE_WHAT_COUNTS)} {second} .", 1
    elif kind == 1:
        text, counts = f"{rng.choice(BEFORE_THE_REST)} {first} , {second} .", 1
    else:
        text, counts = f"{first} , {rng.choice(BEFORE_THE_REST)} {second} .", 0
    return f"{opening} {text}".strip(), bool(signs[counts])


def reviews(count: int, rng: np.random.Generator) -> tuple[list[str], np.ndarray]:
    """Return so many different reviews, and their labels: float32, 1 for a positive one."""
    found: dict[str, bool] = {}
    while len(found) < count:
        text, positive = review(rng)
        found[text] = positive
    return list(found), np.array(list(found.values()), dtype=np.float32)


def as_numbers(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return texts as numbers of words, shape (N, T), with 0 behind their ends; and their lengths.

    Both are int64. Words that are not in WORDS are left out.
    """
    known = [[NUMBERS[word] for word in text.split() if word in NUMBERS] for text in texts]
    lengths = np.array([len(numbers) for numbers in known])
    ids = np.zeros((len(known), lengths.max()), dtype=np.int64)
    for row, numbers in zip(ids, known, strict=True):
        row[: len(numbers)] = numbers
    return ids, lengths
