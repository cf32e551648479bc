"""An engine that derives nothing: complex steps through the graph."""

from tests.points.week2_autograd.recomputing import COMPLEX, engine


def files() -> dict[str, bytes]:
    """Return the submission."""
    return {"autograd.py": engine(COMPLEX)}
