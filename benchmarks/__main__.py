"""Runs the benchmarks: all that `make bench` shows, or those named on the command line."""

import argparse

from benchmarks import grading_speed, training_overhead

BENCHMARKS = {"grading": grading_speed.main, "training": training_overhead.main}


def run() -> None:
    """Run the chosen benchmarks one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    for name in parser.parse_args().names or BENCHMARKS:
        BENCHMARKS[name]()


if __name__ == "__main__":
    run()
