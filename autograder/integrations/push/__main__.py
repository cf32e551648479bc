"""What a hook starts: a service that ends when there has been nothing to do for a while."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from autograder.errors import AutograderError
from autograder.integrations.push import service


def main() -> int:
    """Run as `python -m autograder.integrations.push OUT`; what goes wrong is a line in the log."""
    parser = argparse.ArgumentParser(
        prog="python -m autograder.integrations.push", description=__doc__
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--root", type=Path, required=True, help="the course's repository")
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--idle", type=float, default=service.IDLE_SECONDS)
    given = parser.parse_args()
    service.start_log(given.out / "push")
    jobs = given.jobs or os.cpu_count() or 1
    try:
        service.run(given.root, given.out, given.out / "push", jobs, given.idle)
    except AutograderError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except service.Stopped as stopped:
        service.note(f"stopped by {stopped}")
        sys.stderr.flush()
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
