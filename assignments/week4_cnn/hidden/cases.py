"""Images, kernels and settings that the hidden tests of convolution and pooling go through.

All sizes of a case differ where they can: what is exchanged shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from .formulas import places


@dataclass(frozen=True)
class Case:
    """Sizes and settings: N images of (H, W, Ci), a kernel of (Kh, Kw, Ci, Co)."""

    images: tuple[int, int, int, int]
    window: tuple[int, int]
    filters: int
    stride: int
    padding: int

    @property
    def settings(self) -> tuple[int, int]:
        """The last two arguments of each function."""
        return self.stride, self.padding

    @property
    def places(self) -> tuple[int, int]:
        """Ho and Wo."""
        rows, columns = (
            places(length, window, self.stride, self.padding)
            for length, window in zip(self.images[1:3], self.window, strict=True)
        )
        return rows, columns

    def x(self, rng: np.random.Generator) -> np.ndarray:
        """Draw images."""
        return rng.normal(size=self.images)

    def kernel(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a kernel."""
        return rng.normal(size=(*self.window, self.images[3], self.filters))

    def grad(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a gradient of the output."""
        return rng.normal(size=(self.images[0], *self.places, self.filters))

    def columns(self, rng: np.random.Generator) -> np.ndarray:
        """Draw rows of windows, as im2col gives them."""
        rows, columns = self.places
        entries = self.window[0] * self.window[1] * self.images[3]
        return rng.normal(size=(self.images[0] * rows * columns, entries))


PLAIN = Case((2, 6, 7, 3), (3, 2), 4, 1, 0)
"""The plainest one: no padding, the window moves by 1."""

CONVOLUTIONS = {
    "stride 1, no padding": PLAIN,
    "stride 2, rows and columns left over": Case((3, 8, 6, 2), (3, 3), 5, 2, 0),
    "stride 3, larger than the kernel": Case((2, 10, 7, 3), (2, 1), 4, 3, 0),
    "padding 1": Case((2, 5, 4, 3), (3, 2), 2, 1, 1),
    "padding 2, stride 2": Case((2, 6, 5, 2), (4, 3), 3, 2, 2),
    "padding 1, stride 3, rows left over": Case((1, 9, 6, 2), (2, 4), 3, 3, 1),
    "a kernel of 1 x 1": Case((3, 4, 5, 4), (1, 1), 2, 1, 0),
    "a kernel as large as the image": Case((4, 3, 5, 2), (3, 5), 6, 1, 0),
}


@dataclass(frozen=True)
class Pooling:
    """Sizes and settings of pooling; a stride of None is the size of the window."""

    images: tuple[int, int, int, int]
    size: int
    stride: int | None
    padding: int

    @property
    def settings(self) -> tuple[int, int | None, int]:
        """The last three arguments of each function."""
        return self.size, self.stride, self.padding

    def x(self, rng: np.random.Generator) -> np.ndarray:
        """Draw images without equal entries, all of them negative."""
        count = int(np.prod(self.images))
        return (-0.1 * rng.permutation(np.arange(1, count + 1))).reshape(self.images)

    def grad(self, rng: np.random.Generator) -> np.ndarray:
        """Draw a gradient of the output."""
        stride = self.size if self.stride is None else self.stride
        rows, columns = (
            places(length, self.size, stride, self.padding) for length in self.images[1:3]
        )
        return rng.normal(size=(self.images[0], rows, columns, self.images[3]))


SIDE_BY_SIDE = Pooling((2, 6, 4, 3), 2, None, 0)
POOLINGS = {
    "windows side by side": SIDE_BY_SIDE,
    "rows and columns left over": Pooling((3, 7, 5, 2), 2, None, 0),
    "overlapping windows": Pooling((2, 5, 7, 3), 3, 2, 0),
    "overlapping windows, stride 1": Pooling((2, 4, 5, 2), 2, 1, 0),
    "stride larger than the window": Pooling((2, 8, 5, 3), 2, 3, 0),
    "padding 1": Pooling((2, 5, 6, 2), 3, 2, 1),
    "padding 1, windows side by side": Pooling((1, 6, 4, 3), 2, 2, 1),
}


def each(table: dict) -> list:
    """Return a parameter for each case of a table."""
    return [pytest.param(case, id=name) for name, case in table.items()]
