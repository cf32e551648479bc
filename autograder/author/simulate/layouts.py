"""How submissions arrive: folders and archives in the layouts that students really hand in."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.course import Week

Content = str | bytes
"""A file: text (UTF-8) or bytes."""


@dataclass(frozen=True)
class Layout:
    """How a submission is laid out.

    suffix: the archive's ending, "" for a folder; place: where a week's files lie in it; alone:
    the same where it is the only week.
    """

    suffix: str
    place: str
    alone: str

    def folder(self, week: Week, weeks: int) -> str:
        """Return the path before the names of a week's files, in a submission of `weeks` weeks."""
        place = self.alone if weeks == 1 else self.place
        return place.format(folder=week.folder, id=week.id, name=week.name.capitalize())


LAYOUTS = {
    "files": Layout("", "{id}/", ""),
    "week-folder": Layout("", "{folder}/", "{folder}/"),
    "repository": Layout("", "assignments/{folder}/", "assignments/{folder}/"),
    "zip": Layout(".zip", "{name}/", ""),
    "zip-repository": Layout(
        ".zip",
        "neural-network-foundations-main/assignments/{folder}/",
        "neural-network-foundations-main/assignments/{folder}/",
    ),
    "tar": Layout(".tar.gz", "{folder}/", "{folder}/"),
}

# Unwanted files from whole repositories or file managers; paths from the top folder.
EXTRAS: dict[str, dict[str, Content]] = {
    "repository": {
        "README.md": "# My solutions\n",
        "notes.txt": "ask about the bias gradient\n",
        "assignments/scratch.py": "print('trying things out')\n",
    },
    "zip-repository": {
        "neural-network-foundations-main/README.md": "# Neural Network Foundations\n",
        "neural-network-foundations-main/.DS_Store": "\0\0\0\1Bud1",
        "__MACOSX/neural-network-foundations-main/._README.md": "\0\5\26\7",
    },
}

# Placeholders for drawings, scans and photographs; they are never opened.
SAMPLES: dict[str, Content] = {
    ".pdf": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n",
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0",
    ".jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9",
    ".md": "# What I found\n\nThe gradient flows from the loss back to each of the weights.\n",
}
_LONG_AGO = (2026, 1, 15, 12, 0, 0)


def sample_document(name: str) -> Content:
    """Return what a student might hand in under this name, by its ending."""
    return SAMPLES.get(PurePosixPath(name).suffix, SAMPLES[".md"])


def pack(
    folder: Path, student: str, layout: str, weeks: Sequence[tuple[Week, dict[str, Content]]]
) -> str:
    """Write a student's files (name -> content) of each week; return the submission's name.

    It lies in `folder`. Archives carry one fixed time, so that the same files give the same
    members.
    """
    chosen = LAYOUTS[layout]
    members: dict[str, Content] = dict(EXTRAS.get(layout, {}))
    for week, files in weeks:
        place = chosen.folder(week, len(weeks))
        members |= {place + name: content for name, content in files.items()}
    contents = {
        name: content.encode() if isinstance(content, str) else content
        for name, content in members.items()
    }
    suffix = chosen.suffix
    target = folder / f"{student}{suffix}"
    if suffix == ".zip":
        _write_zip(target, contents)
    elif suffix == ".tar.gz":
        _write_tar(target, contents)
    else:
        target.mkdir()
        for name, data in contents.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return target.name


def _write_zip(target: Path, contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in sorted(contents.items()):
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.external_attr = 0o644 << 16
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)


def _write_tar(target: Path, contents: dict[str, bytes]) -> None:
    with (
        target.open("wb") as stream,
        gzip.GzipFile(target.stem, "wb", fileobj=stream, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as archive,
    ):
        for name, data in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(data), 1_768_478_400, 0o644
            archive.addfile(member, io.BytesIO(data))
