"""The files of this machine that a sandbox sees: the interpreter, numpy and the worker.

Inside, the interpreter is always in /runtime and the worker in /grader, so that student code sees
no paths of the host.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import msgpack
import numpy
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYTHON = "/runtime/bin/python3"
SITE = "/runtime/site"
GRADER = "/grader"
WEEK = "/grader/week"
"""The folder that holds a week's own drivers and probes."""

MOUNTED = ("wire", "worker")
"""The subpackages of autograder that a sandbox holds."""
PYTEST = "/runtime/pytest"
PYTEST_NEEDS = ("pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")
EXTRA = "/runtime/extra"
STAGE = "/run/autograder"
TREE = f"{STAGE}/tree"

READ_VERSIONS = ("transformers",)
"""Distributions that look up the versions of what they need, and refuse to be imported without."""

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x1000, 0x4000, 0x40000


@dataclass(frozen=True)
class Mount:
    """A file or folder of the host, mounted read-only at `target` inside."""

    source: str
    target: str


@dataclass(frozen=True)
class Runtime:
    """All mounts of a sandbox, and the folders inside to be hidden by an empty one."""

    mounts: tuple[Mount, ...]
    masks: tuple[str, ...]


def basics(site: str, grader: str, pytest_site: str) -> list[Mount]:
    """Return numpy (with its libraries) for `site`, msgpack and the worker for `grader`.

    `pytest_site` gets pytest and what it imports; it is put on sys.path only for a submission's
    own tests, when they import it.
    """
    folder = Path(numpy.__file__).parent
    mounts = [Mount(str(folder), f"{site}/numpy")]
    libraries = folder.parent / "numpy.libs"
    if libraries.is_dir():
        mounts.append(Mount(str(libraries), f"{site}/numpy.libs"))
    mounts.append(Mount(str(Path(msgpack.__file__).parent), f"{grader}/msgpack"))
    ours = Path(__file__).parent.parent
    mounts += [Mount(str(ours / room), f"{grader}/autograder/{room}") for room in MOUNTED]
    for name in PYTEST_NEEDS:
        spec = find_spec(name)
        if spec is not None and spec.origin is not None:
            path = Path(spec.origin)
            path = path.parent if spec.submodule_search_locations else path
            mounts.append(Mount(str(path), f"{pytest_site}/{path.name}"))
    return mounts


@lru_cache(maxsize=16)
def installed(root: str) -> dict[str, str]:
    """Return the modules of distribution `root` and its dependencies: top-level name -> path.

    Distributions that aren't installed are left out, so the result is empty if `root` isn't
    installed. numpy, which every sandbox has, is left out too. The folders that say which version
    of a distribution it is (`*.dist-info`) are only there for READ_VERSIONS and what it needs,
    numpy's among them.
    """
    found: dict[str, str] = {}
    todo, seen = [root], set[str]()
    while todo:
        name = canonicalize_name(todo.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        # `distribution.files` has the same names but takes half a second more for torch.
        for line in (distribution.read_text("RECORD") or "").splitlines():
            top = re.split("[/,]", line, maxsplit=1)[0]
            says_version = root in READ_VERSIONS and top.endswith(".dist-info")
            is_module = name != "numpy" and not top.endswith((".dist-info", ".pth", ".."))
            if (says_version or is_module) and top != "__pycache__":
                found[top] = str(distribution.locate_file(top))
        for text in distribution.requires or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                todo.append(need.name)
    return found


def extras(names: Iterable[str], target: str) -> list[Mount]:
    """Return the mounts below `target` for distributions and their dependencies."""
    tops = {top: path for name in names for top, path in installed(name).items()}
    return [Mount(path, f"{target}/{top}") for top, path in sorted(tops.items())]


def host_runtime(packages: Iterable[str] = ()) -> Runtime:
    """Return the mounts for the interpreter of this process."""
    stdlib = os.path.dirname(os.path.realpath(os.__file__))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = f"/runtime/lib/{version}"
    mounts = [Mount(os.path.realpath(sys.executable), PYTHON), Mount(stdlib, target)]
    masks = [
        f"{target}/{name}"
        for name in ("site-packages", "dist-packages")
        if os.path.isdir(f"{stdlib}/{name}")
    ]
    shared = Path(sysconfig.get_config_var("LIBDIR") or "") / (
        sysconfig.get_config_var("INSTSONAME") or ""
    )
    if ".so" in shared.name and shared.is_file():
        mounts.append(Mount(os.path.realpath(shared), f"/runtime/lib/{shared.name}"))
    mounts += basics(SITE, GRADER, PYTEST)
    mounts += extras(packages, EXTRA)
    if os.path.isdir("/usr/lib/python3"):  # Debian's packages for its own interpreter
        masks.append("/usr/lib/python3")
    return Runtime(tuple(mounts), tuple(masks))


@lru_cache(maxsize=16)
def prepare(packages: tuple[str, ...] = ()) -> Runtime:
    """Return the runtime, with sources that the user of the sandbox can reach.

    `packages` are distributions that sandboxes can hold besides numpy; those that aren't installed
    are left out.

    A sandbox started by root runs under another uid, which can't read a private home folder. So
    root binds each source into STAGE first, in a mount namespace that ends with this process. To be
    called before the process starts threads: earlier threads don't share the namespace. If root may
    not mount (in a plain container), the original sources are used.
    """
    runtime = host_runtime(packages)
    if not _can_stage():
        return runtime
    staged = tuple(Mount(_stage_in_tree(mount), mount.target) for mount in runtime.mounts)
    for mask in runtime.masks:
        _cover(TREE + mask)
    return Runtime(staged, runtime.masks)


@lru_cache(maxsize=1)
def _can_stage() -> bool:
    """Begin staging if this process may mount; return whether it does."""
    global _staging
    if os.geteuid() != 0:
        return False
    try:
        make_open(STAGE)
        _mount_private(STAGE)
    except OSError:
        return False
    _staging = True
    return True


_staging = False


def staged() -> bool:
    """Whether `prepare` has made its sources available to every user."""
    return _staging


@lru_cache(maxsize=1024)
def _stage_in_tree(mount: Mount) -> str:
    """Bind a source below TREE, at its path inside a sandbox; return the new path."""
    place = TREE + mount.target
    make_open(os.path.dirname(place))
    if os.path.isdir(mount.source):
        make_open(place)
    else:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o644))
    _mount(mount.source, place, None, MS_BIND)
    return place


@lru_cache(maxsize=64)
def _cover(folder: str) -> None:
    """Mount an empty, read-only file system over a folder, if the folder exists."""
    if os.path.isdir(folder):
        _mount("tmpfs", folder, "tmpfs", MS_RDONLY)


@lru_cache(maxsize=1024)
def stage(source: str) -> str:
    """Return a path by which the user of the sandbox can reach a file or folder of the host.

    If staging has begun (`prepare`), it is a bind mount in STAGE, which lasts until this process
    ends; otherwise it is the source itself.
    """
    if not _staging:
        return source
    if os.path.isdir(source):
        place = tempfile.mkdtemp(prefix="folder", dir=STAGE)
        os.chmod(place, 0o755)
    else:
        handle, place = tempfile.mkstemp(prefix="file", dir=STAGE)
        os.close(handle)
    _mount(source, place, None, MS_BIND)
    return place


def make_open(folder: str) -> None:
    """Make a folder that the user of a sandbox can reach, and those above it, under any umask."""
    if not os.path.isdir(folder):
        make_open(os.path.dirname(folder))
        os.mkdir(folder)
        os.chmod(folder, 0o755)


def _mount_private(stage: str) -> None:
    """Give this process a mount namespace of its own, with an empty file system at `stage`.

    Its mounts are visible to this process and its children only, and end with them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare: {os.strerror(number)}")
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", stage, "tmpfs", 0)
    os.chmod(stage, 0o755)


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    kind_bytes = kind.encode() if kind else None
    if libc.mount(source.encode(), target.encode(), kind_bytes, ctypes.c_ulong(flags), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {source} on {target}: {os.strerror(number)}")
