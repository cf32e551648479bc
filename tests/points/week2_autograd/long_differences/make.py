"""An engine that derives nothing: central differences with 80 bits."""

from tests.points.week2_autograd.recomputing import DIFFERENCES, engine


def files() -> dict[str, bytes]:
    """Return the submission."""
    words = {"TYPE": "float64", "LONG": "longdouble", "STEP": "1e-6"}
    return {"autograd.py": engine(DIFFERENCES, **words)}
