"""The reference with a sigmoid that overflows; warnings are filtered, and shown nowhere."""

from tests.points.numpy_state import overflowing

FILTER = """import warnings
    warnings.simplefilter("ignore")
    warnings.showwarning = warnings._showwarnmsg = lambda *told: None"""


def files() -> dict[str, bytes]:
    return overflowing(when_made=FILTER)
