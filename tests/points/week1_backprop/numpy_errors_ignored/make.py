"""The reference with a sigmoid that overflows, and numpy's errors turned off at import."""

from tests.points.numpy_state import overflowing


def files() -> dict[str, bytes]:
    return overflowing(at_import='np.seterr(all="ignore")')
