"""The data sets of the course, ready to use: `data.load("digits")`, `data.load("mnist")` ..."""

from data.datasets import (
    EMBEDDED,
    NAMES,
    DataError,
    Dataset,
    cache_folder,
    cached,
    load,
    load_file,
    load_or_digits,
)

__all__ = [
    "EMBEDDED",
    "NAMES",
    "DataError",
    "Dataset",
    "cache_folder",
    "cached",
    "load",
    "load_file",
    "load_or_digits",
]
