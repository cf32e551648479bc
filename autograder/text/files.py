"""Files written atomically: they appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a UTF-8 text file under a temporary name beside it, then put it in place."""
    write_bytes(path, text.encode("utf-8"), mode)


def write_bytes(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file under a temporary name beside it, then put it in place.

    An OSError names the file itself, and leaves nothing of the temporary one.
    """
    try:
        _replace(path, data, mode)
    except OSError as error:
        missing = path.parent if error.errno == errno.ENOENT else path
        error.filename, error.filename2 = str(missing), None
        raise


def _replace(path: Path, data: bytes, mode: int) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(temporary).chmod(mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def source_digest(source: bytes) -> str:
    """Return the SHA-256 of a source file, independent of the kind of its line ends."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n")).hexdigest()
