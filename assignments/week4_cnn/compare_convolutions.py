"""Compare four ways to compute one convolution: nested loops, your two, and PyTorch's.

    python compare_convolutions.py                    3 and 16 channels, 32 filters: a few seconds
    python compare_convolutions.py --channels 64      another layer; --help: all options

Given, nothing to fill in. It needs `week4.conv2d` and `week4.im2col`; what has gaps left is left
out, and the script says so. `conv_by_loops` is a worked example, complete, in the other order of
axes: images (N, C, H, W) and kernels (Co, Ci, Kh, Kw), as PyTorch and many books write them. All
ways have to agree before their times are worth anything, so each line says whether they do.

NumPy and PyTorch take as many threads as they like; the environment variables
OPENBLAS_NUM_THREADS=1 and OMP_NUM_THREADS=1 make it one. What to expect, and why, is in part 1 of
week 4's notebook of analyses.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from conv import conv2d, im2col

try:
    import torch
except ModuleNotFoundError:
    torch = None

FloatArray = npt.NDArray[np.floating]

TOLERANCE = 1e-4
"""float32 sums of a few hundred terms in another order differ by less; a mistake by more."""


def conv_by_loops(
    x: FloatArray, kernel: FloatArray, stride: int = 1, padding: int = 0
) -> FloatArray:
    """Worked example: the formula as it stands, a loop for each of its indices.

    y[n, o, r, c] = sum over k, i, j of p[n, k, r stride + i, c stride + j] kernel[o, k, i, j],
    where p is x with `padding` rows and columns of zeros on each side.

    Args:
        x: images, shape (N, Ci, H, W), not changed.
        kernel: shape (Co, Ci, Kh, Kw), not changed.
        stride: how far the window moves.
        padding: rows and columns of zeros on each side.

    Returns:
        Shape (N, Co, Ho, Wo) with Ho = floor((H + 2 padding - Kh) / stride) + 1, and Wo alike.
    """
    filters, channels, kh, kw = kernel.shape
    beside = (padding, padding)
    padded = np.pad(x, ((0, 0), (0, 0), beside, beside))
    height = (padded.shape[2] - kh) // stride + 1
    width = (padded.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), filters, height, width), dtype=np.result_type(x, kernel))
    for n in range(len(x)):
        for o in range(filters):
            for r in range(height):
                for c in range(width):
                    total = 0.0
                    for k in range(channels):
                        for i in range(kh):
                            for j in range(kw):
                                pixel = padded[n, k, r * stride + i, c * stride + j]
                                total += float(pixel) * float(kernel[o, k, i, j])
                    y[n, o, r, c] = total
    return y


def to_nchw(x: FloatArray) -> FloatArray:
    """Return images (N, H, W, C) as (N, C, H, W): axes change places, and no number does."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))


def to_nhwc(x: FloatArray) -> FloatArray:
    """Return images (N, C, H, W) as (N, H, W, C)."""
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1))


@dataclass(frozen=True)
class Layer:
    """One convolution to compute: images (N, H, W, Ci), kernel (Kh, Kw, Ci, Co), and how."""

    x: FloatArray
    kernel: FloatArray
    stride: int
    padding: int

    def multiplications(self, outputs: int) -> int:
        """Return how many products are added up in `outputs` numbers."""
        return outputs * int(np.prod(self.kernel.shape[:3]))

    def looped(self) -> FloatArray:
        """Return the result of the loops, for the first image alone: they take seconds for it."""
        kernel = np.ascontiguousarray(self.kernel.transpose(3, 2, 0, 1))
        return to_nhwc(conv_by_loops(to_nchw(self.x[:1]), kernel, self.stride, self.padding))

    def by_positions(self) -> FloatArray:
        """Return the result of your conv2d."""
        return conv2d(self.x, self.kernel, self.stride, self.padding)

    def by_columns(self) -> FloatArray:
        """Return the result of your im2col and one product; the copying counts."""
        kh, kw, channels, filters = self.kernel.shape
        columns = im2col(self.x, kh, kw, self.stride, self.padding)
        y = columns @ self.kernel.reshape(kh * kw * channels, filters)
        height = (self.x.shape[1] + 2 * self.padding - kh) // self.stride + 1
        return y.reshape(len(self.x), height, -1, filters)

    def by_torch(self) -> FloatArray:
        """Return PyTorch's result; bringing the axes into its order and back counts, too."""
        x = torch.from_numpy(to_nchw(self.x))
        kernel = torch.from_numpy(np.ascontiguousarray(self.kernel.transpose(3, 2, 0, 1)))
        y = torch.nn.functional.conv2d(x, kernel, stride=self.stride, padding=self.padding)
        return to_nhwc(y.numpy())


def timed(work: Callable[[], FloatArray], rounds: int) -> tuple[FloatArray, float]:
    """Return what a call gives, and the least time of several calls, in seconds.

    Other programs can make a measurement longer but never shorter, so the least is the best. A
    single long call is counted in the seconds that its processor really spent on it.
    """
    least = float("inf")
    for _ in range(rounds):
        start, own = time.perf_counter(), time.process_time()
        result = work()
        least = min(least, time.perf_counter() - start)
    return result, least if rounds > 1 else time.process_time() - own


def line_of(name: str, layer: Layer, y: FloatArray, seconds: float, loops: float) -> str:
    """Return the start of a way's line: seconds of one image, and how much faster than loops."""
    rate = layer.multiplications(y[0].size) / seconds / 1e6
    return f"| {name:19} | {1e3 * seconds:14.3f} | {loops / seconds:9,.0f} | {rate:18,.1f} |"


def difference(y: FloatArray, expected: FloatArray) -> float:
    """Return the largest difference on the first image, or infinity for another shape."""
    if np.ndim(y) != expected.ndim or y.shape[1:] != expected.shape[1:]:
        return float("inf")
    worst = float(np.abs(y[:1] - expected).max())
    return worst if np.isfinite(worst) else float("inf")


def layer_of(options: argparse.Namespace, channels: int) -> Layer:
    """Return a random layer, in float32, as networks are trained."""
    rng = np.random.default_rng(options.seed)
    x = rng.normal(size=(options.batch, options.size, options.size, channels))
    shape = (options.kernel, options.kernel, channels, options.filters)
    kernel = rng.normal(0.0, np.sqrt(2.0 / np.prod(shape[:3])), size=shape)
    return Layer(x.astype(np.float32), kernel.astype(np.float32), options.stride, options.padding)


def compare(layer: Layer, rounds: int) -> list[str]:
    """Print a table; return the names of the ways that differ from the loops."""
    ways = {"loop over positions": layer.by_positions, "im2col, one product": layer.by_columns}
    if torch is not None:
        ways["PyTorch"] = layer.by_torch
    print("| way                 | ms for 1 image | faster by | million products/s | difference |")
    print("| ------------------- | -------------- | --------- | ------------------ | ---------- |")
    expected, slow = timed(layer.looped, 1)
    print(f"{line_of('seven nested loops', layer, expected, slow, slow)} {'':10} |", flush=True)
    wrong = []
    for name, work in ways.items():
        try:
            y, seconds = timed(work, rounds)
        except NotImplementedError as gap:
            print(f"| {name:19} | left out: {gap}")
            continue
        worst = difference(y, expected)
        if worst > TOLERANCE:
            wrong.append(name)
        line = line_of(name, layer, expected, seconds / len(layer.x), slow)
        print(f"{line} {worst:10.0e} |", flush=True)
    return wrong


def read_options() -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(description="Compare four ways to compute a convolution.")
    parser.add_argument("--channels", type=int, nargs="+", default=[3, 16], help="a table for each")
    parser.add_argument("--filters", type=int, default=32)
    parser.add_argument("--batch", type=int, default=32, help="images; the loops do one of them")
    parser.add_argument("--size", type=int, default=32, help="rows and columns of an image")
    parser.add_argument("--kernel", type=int, default=3, help="rows and columns of a window")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--padding", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5, help="the least time of so many counts")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sizes = (options.filters, options.batch, options.size, options.kernel, options.stride)
    if min(*options.channels, *sizes) < 1 or options.rounds < 2 or min(options.padding, 0) < 0:
        parser.error("sizes and --stride are at least 1, --rounds 2 and --padding 0")
    if options.size + 2 * options.padding < options.kernel:
        parser.error("the window doesn't fit into the image")
    return options


def main() -> int:
    """Print a table for each number of channels; return 1 where a way is wrong."""
    options = read_options()
    wrong = []
    for channels in options.channels:
        size, kernel = options.size, options.kernel
        print(
            f"\n{size} x {size} x {channels}, {options.filters} filters of {kernel} x {kernel}:\n"
        )
        wrong += compare(layer_of(options, channels), options.rounds)
    if torch is None:
        print("\nPyTorch is not installed, so it is left out: `python check.py setup torch`")
    if wrong:
        names = ", ".join(dict.fromkeys(wrong))
        print(f"\nNot what the loops compute, so look there before you look at times: {names}")
        return 1
    print("\nAll ways that were run agree.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
