"""The reference with a sigmoid that overflows; numpy's errors go to a function of its own."""

from tests.points.numpy_state import overflowing

CALL = """np.seterrcall(lambda *told: None)
np.seterr(all="call")"""


def files() -> dict[str, bytes]:
    return overflowing(at_import=CALL)
