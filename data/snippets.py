"""The rated movie snippets: from the archive that has them to the cache, and read from there."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

from data.datasets import DataError, damaged

ARCHIVE = "vaderSentiment-3.3.2.tar.gz"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"

SNIPPETS = 10_603
LARGEST_RATING = 4.0


def write_snippets(folder: Path, finished: Path) -> None:
    """Write the snippets of the archive as compressed lines `rating<TAB>sentence` to `finished`.

    Two sentences are in the archive twice; the first rating of each is kept. No code of the package
    is run.
    """
    with tarfile.open(folder / ARCHIVE, "r:gz") as package:
        inner = _member(package, INNER)
    with tarfile.open(fileobj=io.BytesIO(inner), mode="r:gz") as resources:
        lines = _member(resources, MEMBER).decode("utf-8").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        if line.strip():
            _, rating, sentence = line.split("\t")
            found.setdefault(sentence.strip(), f"{float(rating):.3f}")
    text = "".join(f"{rating}\t{sentence}\n" for sentence, rating in found.items())
    finished.write_bytes(lzma.compress(text.encode("utf-8")))


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    """Return the content of a file in an archive. Nothing is unpacked."""
    try:
        file = archive.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise DataError(f"the archive has no file {name}")
    return file.read()


def read_snippets(path: Path) -> str:
    """Read and check the lines `rating<TAB>sentence`.

    Raises:
        DataError: the file can't be read, or has other lines or another number of them.
    """
    try:
        text = lzma.decompress(path.read_bytes()).decode("utf-8")
        rows = [line.split("\t") for line in text.splitlines()]
        ratings = [float(rating) for rating, _ in rows]
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise damaged("snippets", path, f"it cannot be read ({error})") from error
    if len(rows) != SNIPPETS:
        reason = f"it has {len(rows):,} sentences, not {SNIPPETS:,}"
        raise damaged("snippets", path, reason)
    if not all(-LARGEST_RATING <= rating <= LARGEST_RATING for rating in ratings):
        raise damaged("snippets", path, "a rating is not between -4 and 4")
    return text
