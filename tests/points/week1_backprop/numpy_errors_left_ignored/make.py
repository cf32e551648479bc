"""The reference with a sigmoid that overflows; a new layer turns numpy's errors off."""

from tests.points.numpy_state import overflowing


def files() -> dict[str, bytes]:
    return overflowing(when_made='np.seterr(all="ignore")')
