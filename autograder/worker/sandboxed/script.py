"""The program inside the sandbox of a training job: runs `main` of one of the submission's modules.

Started as `python -s -S -P -B -c "..." SETTINGS`, like the worker, but without a channel. The
results of the module are its standard output and the files that it writes.
"""

from __future__ import annotations

import importlib
import json
import resource
import socket
import sys
import traceback

from .. import modules, tensors
from . import confined, ready_made

NOFILE = 1024


def main() -> None:
    """Set the limits, make the submission's modules importable, and run the one that is named.

    SETTINGS has what the worker's has, and "module", "arguments" (a list of text for `main`) and
    "threads". There is no limit of address space: CUDA reserves far more than it uses.
    """
    settings = json.loads(sys.argv.pop())
    if settings["landlock"]:
        confined.restrict_files(settings["landlock"])
    importlib.import_module("torch")
    tensors.prepare(settings["threads"])
    tensors.shut()
    ready_made.refuse(settings["week"])
    sources = {}
    for name in settings["modules"]:
        with open(f"{settings['folder']}/{name}", "rb") as file:
            sources[name] = file.read()
    modules.ModuleSpace(sources, settings["folder"]).install()
    sys.path[:] = [path for path in sys.path if path not in settings["forget"]]
    _wait(settings["control"])
    _limit(resource.RLIMIT_FSIZE, settings["file_bytes"])
    _limit(resource.RLIMIT_NPROC, settings["processes"])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (NOFILE, NOFILE))
    try:
        importlib.import_module(settings["module"]).main(list(settings["arguments"]))
    except Exception as error:  # noqa: BLE001 - reported as Python does, without the frames of this file
        said = traceback.TracebackException.from_exception(error)
        own = settings["folder"]
        said.stack[:] = [line for line in said.stack if line.filename.startswith(own)]
        print("".join(said.format()), file=sys.stderr, flush=True)
        raise SystemExit(1) from None


def _wait(control: int) -> None:
    """Report that all is ready, and wait until the grader has set its limits from outside."""
    with socket.socket(fileno=control) as gate:
        gate.sendall(b"r")
        if not gate.recv(1):
            raise SystemExit(1)


def _limit(what: int, value: int) -> None:
    if value:
        resource.setrlimit(what, (value, value))
