"""Folders written atomically: a new one takes the place of the old one, or nothing changes."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder_in_place_of(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` to be filled; on success it replaces the target.

    If the body raises, the new folder is deleted and the target stays as it was. What is written
    to a full disk names no file: then the error names the target.
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
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename, error.filename2 = str(target), None
        raise
    finally:
        shutil.rmtree(work)
