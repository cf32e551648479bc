"""Hidden tests of language.batches, on texts in which each character occurs once.

So a character tells its place. How long exactly the rows are is not asked: what is left at the end
of a row may be a character more or less.
"""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("week5.batches")

TEXTS = [
    pytest.param((100, 3, 8), id="something left over"),
    pytest.param((71, 5, 4), id="short rows"),
    pytest.param((60, 2, 1), id="one column"),
    pytest.param((53, 1, 6), id="one row"),
]


class Cut:
    """A text of the examiner's and the pieces that the student's function makes of it."""

    def __init__(self, student, rng, sizes):
        length, self.batch, self.steps = sizes
        self.ids = rng.permutation(length)
        self.place = np.argsort(self.ids)
        cut = student.language.batches
        found = student.drive("text_pieces", cut, self.ids, self.batch, self.steps)
        some = type(found) is list and len(found) > 0
        expect.that("pieces", some, "there is no piece, though the text is long enough.")
        self.pieces = [self._piece(*one) for one in found]

    def _piece(self, x, y):
        """Return the places of inputs and targets in the text."""
        shape, found = (self.batch, self.steps), []
        for name, array in (("inputs", x), ("targets", y)):
            ids = expect.array(f"{name} of a piece", array, shape)
            known = ids.dtype.kind in "iu" and ids.min() >= 0 and ids.max() < len(self.ids)
            message = "they are not all numbers of characters in the text."
            expect.that(f"{name} of a piece", bool(known), message)
            found.append(self.place[ids.astype(np.int64)])
        return found

    def rows(self):
        """Return the places that each row reads, from the first piece to the last."""
        return np.concatenate([x for x, _ in self.pieces], axis=1)


@pytest.mark.weight(2)
@pytest.mark.parametrize("sizes", TEXTS)
def test_targets(student, rng, sizes):
    """Each target is the character that follows its input in the text."""
    for x, y in Cut(student, rng, sizes).pieces:
        expect.equal("places of the targets", y, x + 1)


@pytest.mark.weight(2)
@pytest.mark.parametrize("sizes", TEXTS)
def test_rows_go_on(student, rng, sizes):
    """Row b of a piece goes on where row b of the piece before ended, from its first character."""
    at = Cut(student, rng, sizes)
    expect.that("pieces", len(at.pieces) > 1, "there is one piece, where more have place.")
    rows = at.rows()
    expect.equal("place of the first input", int(rows[0, 0]), 0)
    expect.equal("places that the rows read", rows, rows[:, :1] + np.arange(rows.shape[1]))


@pytest.mark.parametrize("sizes", [TEXTS[0], TEXTS[1]])
def test_rows_are_parts(student, rng, sizes):
    """Each row is another part of the text, equally long, one after the other."""
    at = Cut(student, rng, sizes)
    starts = at.pieces[0][0][:, 0]
    gap = int(starts[1] - starts[0])
    right = len(at.ids) // at.batch
    near = right - 1 <= gap <= right
    message = f"they begin {gap} characters apart; {len(at.ids)} were cut into {at.batch} rows."
    expect.that("rows", bool(near), message)
    expect.equal("where the rows begin", starts, starts[0] + gap * np.arange(at.batch))


@pytest.mark.parametrize("sizes", TEXTS)
def test_how_many(student, rng, sizes):
    """There are as many pieces as the rows have place for, and each is read once."""
    at = Cut(student, rng, sizes)
    length = len(at.ids) // at.batch
    fewest, most = (length - 1) // at.steps, length // at.steps
    said = f"expected {fewest} or {most}" if most > fewest else f"expected {most}"
    count = len(at.pieces)
    expect.that("pieces", fewest <= count <= most, f"{said}, got {count}.")
    once = len(np.unique(at.rows())) == at.rows().size
    expect.that("inputs", once, "some characters are read several times.")


def test_hardly_longer_than_a_piece(student, rng):
    """Rows with place for one piece and hardly more give one."""
    at = Cut(student, rng, (3 * 9, 3, 8))
    expect.equal("pieces", len(at.pieces), 1)
    x, y = at.pieces[0]
    expect.equal("places of the targets", y, x + 1)


def test_keeps_its_argument(student, rng):
    """The text stays as it is."""
    at = Cut(student, rng, (40, 3, 4))
    rows = at.rows()
    expect.differ("places that the rows read", rows, 0, "they all read the first character.")
    along = len(at.pieces) > 1 and bool((np.diff(rows, axis=1) == 1).any())
    expect.that("rows", along, "no row reads on in the text from piece to piece.")
    kept = student.keep(at.ids)
    student.drive("text_pieces", student.language.batches, kept, 3, 4)
    expect.unchanged("ids", at.ids, student.fetch(kept))
