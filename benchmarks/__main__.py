"""Runs the benchmarks: all that `make bench` shows, or those named on the command line."""

import argparse

from benchmarks import (
    autograd_speed,
    class_speed,
    cluster_speed,
    grading_speed,
    hostile_class,
    kill_speed,
    notebook_class,
    pool_speed,
    project_speed,
    push_speed,
    training_overhead,
)

BENCHMARKS = {
    "class": class_speed.main,
    "pool": pool_speed.main,
    "grading": grading_speed.main,
    "cluster": cluster_speed.main,
    "training": training_overhead.main,
    "autograd": autograd_speed.main,
    "project": project_speed.brief,
    "push": push_speed.main,
    "hostile": hostile_class.main,
    "kill": kill_speed.main,
    "notebooks": notebook_class.main,
}


def run() -> None:
    """Run the chosen benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    for name in parser.parse_args().names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    run()
