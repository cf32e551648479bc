"""The command `python -m data download [NAME ...]`."""

from __future__ import annotations

import argparse
import sys

from data.datasets import EMBEDDED, NAMES, DataError, cache_file, cache_folder
from data.download import fetch

DOWNLOADABLE = tuple(name for name in NAMES if name not in EMBEDDED)


def main(arguments: list[str] | None = None) -> int:
    """Download what is asked for; 0 when all of it is in the cache afterwards, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m data", description="Fill the cache of data sets from the network."
    )
    commands = parser.add_subparsers(required=True, metavar="download")
    command = commands.add_parser("download", help="download data sets that are not there yet")
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(DOWNLOADABLE)} (default: all; the others need no download)",
    )
    names = parser.parse_args(arguments).names or list(DOWNLOADABLE)
    for name in names:
        if name not in DOWNLOADABLE:
            parser.error(f"cannot download {name!r}; choose from {', '.join(DOWNLOADABLE)}")
    return download(names)


def download(names: list[str]) -> int:
    """Fetch each data set in turn, going on after a failure; the exit code."""
    failed = []
    print(f"The cache is {cache_folder()}")
    for name in names:
        try:
            written = fetch(name)
        except DataError as error:
            failed.append(name)
            print(error, file=sys.stderr)
        except KeyboardInterrupt:
            print(f"\n{name}: interrupted; nothing incomplete was left.", file=sys.stderr)
            return 130
        else:
            size = cache_file(name).stat().st_size / 1e6
            print(f"{name}: {'downloaded' if written else 'already there'}, {size:.1f} MB")
    if failed:
        print(f"Not downloaded: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
