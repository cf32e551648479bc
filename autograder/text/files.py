"""Files and folders written atomically: they appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file under a temporary name beside it, then put it in place."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it, then put it in place."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def folder_in_place_of(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` to be filled; on success it replaces the target.

    If the body raises, the new folder is deleted and the target stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        work.chmod(0o755)
        new = work / "new"
        new.mkdir()
        yield new
        old = work / "old"
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(new, target)
        except OSError:
            if old.exists():
                os.replace(old, target)
            raise
    finally:
        shutil.rmtree(work)


def source_digest(source: bytes) -> str:
    """Return the SHA-256 of a source file, independent of the kind of its line ends."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n")).hexdigest()
