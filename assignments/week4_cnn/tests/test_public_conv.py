"""Public tests of conv.py: one example for each rule, small enough to follow by hand."""

import numpy as np
import pytest

from autograder.suite import expect

conv2d = pytest.mark.item("week4.conv2d")
backward = pytest.mark.item("week4.conv2d_backward")
columns = pytest.mark.item("week4.im2col")
pooling = pytest.mark.item("week4.max_pool2d")

IMAGE = np.array([[1.0, 2.0, 0.0, 3.0], [4.0, -1.0, 2.0, 1.0], [0.0, 5.0, -2.0, 2.0]])
EDGE = np.array([[1.0, -1.0]])
"""A kernel of one row and two columns: the difference of two neighbours."""
CORNER = np.array([[1.0, 2.0], [3.0, 4.0]])
"""A kernel in which no two positions are alike."""
COUNTED = np.arange(1.0, 50.0).reshape(7, 7)

# A case with all settings: stride 2, padding 1, and no two sizes alike. Its arrays are such that a
# result can be read digit by digit: which digit it is says one thing, where it stands another.
DIGITS = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3], [5, 8, 9, 7, 9], [3, 2, 3, 8, 4]])
"""An image of 4 rows and 5 columns."""
TALL = np.array([[1, 2], [3, 4], [5, 6]])
"""A kernel of 3 rows and 2 columns."""
TENS = np.array([[1, 10, 100], [1_000, 10_000, 100_000]])
"""Upstream gradients of its 2 x 3 outputs."""
SPREAD = [
    [4, 30, 40, 300, 400],
    [2_006, 10_050, 20_060, 100_500, 200_600],
    [4_000, 30_000, 40_000, 300_000, 400_000],
    [6_000, 50_000, 60_000, 500_000, 600_000],
]
"""Each pixel's sum over windows. 2006: it lay under the 6 in the first window (1), and under the 2
in the fourth (1000)."""

# Two images of two channels, and a kernel of one row and two columns to three channels.
PAIR = np.array(
    [
        [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 1], [2, 3]]],
        [[[4, 5], [6, 7], [8, 9]], [[1, 3], [5, 7], [9, 2]]],
    ],
    dtype=np.float64,
)
MIXED = np.array([[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [-1, -2, -3]]]], dtype=np.float64)


def image(rows):
    """Return one image of one channel, shape (1, H, W, 1)."""
    return np.asarray(rows, dtype=np.float64)[np.newaxis, :, :, np.newaxis]


def kernel(rows):
    """Return a kernel from one channel to one, shape (Kh, Kw, 1, 1)."""
    return np.asarray(rows, dtype=np.float64)[:, :, np.newaxis, np.newaxis]


# conv2d


@conv2d
def test_a_difference_of_neighbours(student):
    """The kernel is laid onto the image as it is, and not rotated."""
    wanted = image([[-1.0, 2.0, -3.0], [5.0, -3.0, 1.0], [-5.0, 7.0, -4.0]])
    expect.close("conv2d(x, kernel)", student.conv.conv2d(image(IMAGE), kernel(EDGE)), wanted)


@conv2d
def test_a_window_of_two_rows(student):
    """Each output is the sum of a window's entries, each times its entry of the kernel."""
    wanted = image([[13.0, 7.0, 16.0], [22.0, 10.0, 6.0]])
    expect.close("conv2d(x, kernel)", student.conv.conv2d(image(IMAGE), kernel(CORNER)), wanted)


@conv2d
def test_stride_leaves_columns_over(student):
    """With stride 2 a window of 2 has one place in 3 rows, and two in 4 columns."""
    received = student.conv.conv2d(image(IMAGE), kernel(CORNER), 2)
    expect.close("conv2d(x, kernel, 2)", received, image([[13.0, 16.0]]))


@conv2d
def test_padding_adds_zeros_on_all_sides(student):
    """With padding 1 a window of 2 x 2 begins one row and one column outside the image."""
    wanted = image([[4.0, 3.0], [2.0, 1.0]]) * 5.0
    received = student.conv.conv2d(image([[5.0]]), kernel(CORNER), 1, 1)
    expect.close("conv2d of one pixel, padding 1", received, wanted)


@conv2d
def test_channels(student):
    """kernel[i, j] is a matrix from the channels that come in to those that go out."""
    x = np.array([[[[1.0, 2.0]]]])
    matrix = np.array([[[[1.0, 0.0, -1.0], [10.0, 20.0, 30.0]]]])
    received = student.conv.conv2d(x, matrix)
    expect.close("conv2d with a kernel of 1 x 1", received, [[[[21.0, 40.0, 59.0]]]])


@conv2d
def test_all_settings(student):
    """Stride 2 and padding 1, with 3 x 2 windows on 4 x 5 pixels: 2 x 3 outputs."""
    received = student.conv.conv2d(image(DIGITS), kernel(TALL), 2, 1)
    wanted = image([[66.0, 65.0, 66.0], [56.0, 102.0, 132.0]])
    expect.close("conv2d(x, kernel, 2, 1)", received, wanted)


@conv2d
def test_two_images(student):
    """Each image has outputs of its own, in three channels: the first is 1 + 8 + 21 - 4 = 26."""
    wanted = [
        [[[26.0, 28.0, 30.0], [48.0, 54.0, 60.0]], [[101.0, 124.0, 147.0], [24.0, 33.0, 42.0]]],
        [[[59.0, 67.0, 75.0], [81.0, 93.0, 105.0]], [[41.0, 43.0, 45.0], [94.0, 113.0, 132.0]]],
    ]
    expect.close("conv2d of two images", student.conv.conv2d(PAIR, MIXED), wanted)


@conv2d
def test_float32(student):
    """float32 in, float32 out."""
    x, k = image(IMAGE).astype("float32"), kernel(EDGE).astype("float32")
    received = student.conv.conv2d(x, k)
    expect.array("conv2d(x, kernel)", received, (1, 3, 3, 1))
    expect.dtype("conv2d(x, kernel)", received, "float32")


# conv2d_backward


def gradients(student, *args):
    """Return dL/dx and dL/dkernel."""
    received = student.conv.conv2d_backward(*args)
    two = isinstance(received, (tuple, list)) and len(received) == 2
    expect.that("conv2d_backward", two, "expected two arrays, dL/dx and dL/dkernel.")
    return received


@backward
def test_gradient_of_one_output(student):
    """One output has read one window: its pixels get the kernel, and the kernel gets them."""
    grad = np.zeros((1, 2, 3, 1))
    grad[0, 1, 1, 0] = 2.0
    dx, dkernel = gradients(student, grad, image(IMAGE), kernel(CORNER))
    wanted = [[0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 4.0, 0.0], [0.0, 6.0, 8.0, 0.0]]
    expect.close("dL/dx", dx, image(wanted))
    expect.close("dL/dkernel", dkernel, kernel([[-2.0, 4.0], [10.0, -4.0]]))


@backward
def test_windows_overlap(student):
    """A pixel that lies in two windows gets the sum of both."""
    grad = image([[1.0, 10.0, 100.0]])
    dx, _ = gradients(student, grad, image(IMAGE[:1]), kernel(EDGE))
    expect.close("dL/dx", dx, image([[1.0, 9.0, 90.0, -100.0]]))


@backward
def test_gradient_with_padding(student):
    """dL/dx has the shape of x, and dL/dkernel counts the zeros of the padding."""
    grad = image([[1.0, 2.0], [3.0, 4.0]])
    dx, dkernel = gradients(student, grad, image([[5.0]]), kernel(CORNER), 1, 1)
    expect.close("dL/dx", dx, image([[20.0]]))
    expect.close("dL/dkernel", dkernel, kernel([[20.0, 15.0], [10.0, 5.0]]))


@backward
def test_rows_that_are_left_over(student):
    """With stride 3 a window of 2 never reads rows 2, 5 and 6 of 7: they have the gradient 0."""
    grad = image([[1.0, 2.0], [3.0, 4.0]])
    dx, _ = gradients(student, grad, image(COUNTED), kernel(CORNER), 3)
    wanted = np.zeros((7, 7))
    for row, column in np.ndindex(2, 2):
        wanted[3 * row : 3 * row + 2, 3 * column : 3 * column + 2] = (
            grad[0, row, column, 0] * CORNER
        )
    expect.close("dL/dx", dx, image(wanted))


@backward
def test_pixels_with_all_settings(student):
    """Stride 2, padding 1: digits of dL/dx are the kernel's, their places say of which window."""
    dx, _ = gradients(student, image(TENS), image(DIGITS), kernel(TALL), 2, 1)
    expect.close("dL/dx", dx, image(SPREAD))


@backward
def test_kernel_with_all_settings(student):
    """Stride 2, padding 1: digits of dL/dkernel are pixels, their places say of which window."""
    _, dkernel = gradients(student, image(TENS), image(DIGITS), kernel(TALL), 2, 1)
    wanted = [[520_000.0, 369_000.0], [780_110.0, 995_543.0], [820_520.0, 433_369.0]]
    expect.close("dL/dkernel", dkernel, kernel(wanted))


@backward
def test_two_images_of_two_channels(student):
    """1 comes from the first image's channel 0; 10 and 100 from the second's channel 2."""
    grad = np.zeros((2, 2, 2, 3))
    grad[0, 0, 1, 0], grad[1, 1, 0, 2], grad[1, 1, 1, 2] = 1.0, 10.0, 100.0
    dx, dkernel = gradients(student, grad, PAIR, MIXED)
    wanted = np.zeros((2, 2, 3, 2))
    wanted[0, 0, 1:] = [[1.0, 4.0], [7.0, -1.0]]
    wanted[1, 1] = [[30.0, 60.0], [390.0, 570.0], [900.0, -300.0]]
    expect.close("dL/dx", dx, wanted)
    rows = [[[3.0, 0.0, 510.0], [4.0, 0.0, 730.0]], [[5.0, 0.0, 950.0], [6.0, 0.0, 270.0]]]
    expect.close("dL/dkernel", dkernel, [rows])


@backward
def test_gradients_of_float32(student):
    """float32 in, float32 out: both gradients."""
    arrays = [image(one).astype("float32") for one in (np.ones((3, 3)), IMAGE)]
    received = gradients(student, *arrays, kernel(EDGE).astype("float32"))
    for label, one, shape in zip(
        ("dL/dx", "dL/dkernel"), received, ((1, 3, 4, 1), (1, 2, 1, 1)), strict=True
    ):
        expect.dtype(label, expect.array(label, one, shape), "float32")


# im2col and col2im


@columns
def test_windows_as_rows(student):
    """The first row holds the first window, entry by entry."""
    received = student.conv.im2col(image(IMAGE), 2, 2, 1, 0)
    rows = expect.array("im2col", received, (6, 4))
    expect.close("first row of im2col", rows[0], [1.0, 2.0, 4.0, -1.0])
    expect.close("second row of im2col", rows[1], [2.0, 0.0, -1.0, 2.0])
    expect.close("last row of im2col", rows[-1], [2.0, 1.0, -2.0, 2.0])


@columns
def test_order_of_channels(student):
    """Within a row, all channels of one pixel stand side by side."""
    x = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    expect.close("im2col", student.conv.im2col(x, 1, 2, 1, 0), [[1.0, 2.0, 3.0, 4.0]])


@columns
def test_windows_with_all_settings(student):
    """Stride 2 and padding 1: six windows of 3 x 2 pixels, zeros where they hang over."""
    wanted = [
        [0.0, 0.0, 0.0, 3.0, 0.0, 9.0],
        [0.0, 0.0, 1.0, 4.0, 2.0, 6.0],
        [0.0, 0.0, 1.0, 5.0, 5.0, 3.0],
        [0.0, 9.0, 0.0, 5.0, 0.0, 3.0],
        [2.0, 6.0, 8.0, 9.0, 2.0, 3.0],
        [5.0, 3.0, 7.0, 9.0, 8.0, 4.0],
    ]
    expect.close("im2col", student.conv.im2col(image(DIGITS), 3, 2, 2, 1), wanted)


@columns
def test_images_one_after_the_other(student):
    """All windows of the first image come before those of the second."""
    received = student.conv.im2col(PAIR[:, :1], 1, 2, 1, 0)
    wanted = [
        [1.0, 2.0, 3.0, 4.0],
        [3.0, 4.0, 5.0, 6.0],
        [4.0, 5.0, 6.0, 7.0],
        [6.0, 7.0, 8.0, 9.0],
    ]
    expect.close("im2col of two images", received, wanted)


@columns
def test_pixels_from_all_settings(student):
    """Stride 2, padding 1: digits say which entry of a row, their places which of the six rows."""
    rows = TENS.reshape(6, 1) * TALL.reshape(1, 6).astype(np.float64)
    received = student.conv.col2im(rows, (1, 4, 5, 1), 3, 2, 2, 1)
    expect.close("col2im", received, image(SPREAD))


@columns
def test_back_to_two_images(student):
    """col2im gives two images of two channels their own entries back; middle pixels get two."""
    rows = [
        [1.0, 2.0, 3.0, 4.0],
        [10.0, 20.0, 30.0, 40.0],
        [5.0, 6.0, 7.0, 8.0],
        [50.0, 60.0, 70.0, 80.0],
    ]
    wanted = [
        [[[1.0, 2.0], [13.0, 24.0], [30.0, 40.0]]],
        [[[5.0, 6.0], [57.0, 68.0], [70.0, 80.0]]],
    ]
    received = student.conv.col2im(np.array(rows), (2, 1, 3, 2), 1, 2, 1, 0)
    expect.close("col2im", received, wanted)


@columns
def test_rows_are_added_up(student):
    """col2im gives each pixel the sum of its entries in all rows."""
    rows = np.ones((6, 4))
    wanted = [[1.0, 2.0, 2.0, 1.0], [2.0, 4.0, 4.0, 2.0], [1.0, 2.0, 2.0, 1.0]]
    received = student.conv.col2im(rows, (1, 3, 4, 1), 2, 2, 1, 0)
    expect.close("col2im", received, image(wanted))


@columns
def test_padding_is_dropped(student):
    """What col2im adds to the padding is no part of the images."""
    rows = np.arange(16.0).reshape(4, 4)
    received = student.conv.col2im(rows, (1, 1, 1, 1), 2, 2, 1, 1)
    expect.close("col2im", received, image([[3.0 + 6.0 + 9.0 + 12.0]]))


# max pooling


@pooling
def test_largest_entries(student):
    """Windows of 2 x 2 lie side by side, and the row that is left over is not read."""
    received = student.conv.max_pool2d(image(IMAGE), 2)
    expect.close("max_pool2d(x, 2)", received, image([[4.0, 3.0]]))


@pooling
def test_windows_of_pooling_overlap(student):
    """With stride 1 the window moves by one pixel, each channel and each image by itself."""
    received = student.conv.max_pool2d(PAIR, 2, 1)
    wanted = [[[[9.0, 8.0], [9.0, 6.0]]], [[[6.0, 7.0], [9.0, 9.0]]]]
    expect.close("max_pool2d(x, 2, 1)", received, wanted)


@pooling
def test_gradients_of_two_images(student):
    """Windows of 2 x 2, stride 1, two images of two channels: each output has its own winner."""
    grad = np.array([[[[1.0, 2.0], [10.0, 20.0]]], [[[3.0, 4.0], [30.0, 40.0]]]])
    received = student.conv.max_pool2d_backward(grad, PAIR, 2, 1)
    wanted = np.zeros((2, 2, 3, 2))
    wanted[0, 1, 1, 0], wanted[0, 1, 0, 1], wanted[0, 0, 2, 1] = 11.0, 2.0, 20.0
    wanted[1, 0, 1, 0], wanted[1, 1, 2, 0] = 3.0, 30.0
    wanted[1, 0, 2, 1] = 40.0
    wanted[1, 0, 1, 1] = 4.0
    expect.close("dL/dx", received, wanted)


@pooling
def test_gradients_with_padding(student):
    """With padding 1 and stride 2, dL/dx has the shape of x: the padding never wins."""
    grad = image([[1.25, 2.5, 3.75], [4.25, 5.5, 6.75]])
    received = student.conv.max_pool2d_backward(grad, image(DIGITS[:3] - 10.0), 2, 2, 1)
    wanted = [
        [1.25, 0.0, 2.5, 0.0, 3.75],
        [4.25, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 5.5, 0.0, 6.75],
    ]
    expect.close("dL/dx", received, image(wanted))


@pooling
def test_padding_never_wins(student):
    """The padding is smaller than any entry: images that are negative stay so."""
    received = student.conv.max_pool2d(image([[-5.0, -7.0]]), 2, 2, 1)
    expect.close("max_pool2d(x, 2, 2, 1)", received, image([[-5.0, -7.0]]))


@pooling
def test_gradient_goes_to_the_largest(student):
    """The entry that won gets the gradient, the others of its window nothing."""
    received = student.conv.max_pool2d_backward(image([[10.0, 20.0]]), image(IMAGE), 2)
    wanted = [[0.0, 0.0, 0.0, 20.0], [10.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
    expect.close("dL/dx", received, image(wanted))


@pooling
def test_a_pixel_wins_twice(student):
    """An entry that won two overlapping windows gets the sum of both."""
    x, grad = image([[1.0, 9.0, 2.0], [0.0, 3.0, 4.0]]), image([[10.0, 20.0]])
    received = student.conv.max_pool2d_backward(grad, x, 2, 1)
    expect.close("dL/dx", received, image([[0.0, 30.0, 0.0], [0.0, 0.0, 0.0]]))


@pooling
def test_equal_entries(student):
    """Where all entries of a window are equal, their shares add up to the gradient."""
    received = student.conv.max_pool2d_backward(image([[8.0]]), image(np.ones((2, 2))), 2)
    dx = expect.array("dL/dx", received, (1, 2, 2, 1))
    expect.close("sum of dL/dx", float(dx.sum()), 8.0)
