"""How submissions arrive: folders and archives in the layouts that students really hand in."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

# layout -> (suffix of the archive, "" for a folder; where the week's files lie in it)
LAYOUTS = {
    "files": ("", ""),
    "week-folder": ("", "{week}/"),
    "repository": ("", "assignments/{week}/"),
    "zip": (".zip", ""),
    "zip-repository": (".zip", "neural-network-foundations-main/assignments/{week}/"),
    "tar": (".tar.gz", "{week}/"),
}

# What comes along unasked with a whole repository or from a file manager; paths from the top.
EXTRAS = {
    "repository": {
        "README.md": "# My solutions\n",
        "notes.txt": "ask about the bias gradient\n",
        "assignments/{week}/scratch.py": "print('trying things out')\n",
    },
    "zip-repository": {
        "neural-network-foundations-main/README.md": "# Neural Network Foundations\n",
        "neural-network-foundations-main/.DS_Store": "\0\0\0\1Bud1",
        "__MACOSX/neural-network-foundations-main/._README.md": "\0\5\26\7",
    },
}
_LONG_AGO = (2026, 1, 15, 12, 0, 0)


def pack(folder: Path, student: str, layout: str, week: str, files: dict[str, str]) -> str:
    """Write a student's files (name -> text) into `folder` and return the submission's name.

    `week` is the name of the week's folder. Archives carry one fixed time, so that the same files
    give the same members.
    """
    suffix, prefix = LAYOUTS[layout]
    members = {prefix + name: text for name, text in files.items()} | EXTRAS.get(layout, {})
    contents = {name.format(week=week): text.encode("utf-8") for name, text in members.items()}
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
