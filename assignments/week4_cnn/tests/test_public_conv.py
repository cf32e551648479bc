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
