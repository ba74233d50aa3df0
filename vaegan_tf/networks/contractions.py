"""The three sums behind every convolution, each by a fast kernel.

A convolution is y = Σ x · k. Its gradients are the same sum of products, taken
over other indices: by its input Σ y · k, by its filter Σ x · y. A transposed
convolution is the second, and has the other two as gradients. So three
functions are enough, for these images x, maps y and filters k, all of them
"same" and channels-last:

    x (batch, height, width, channels)
    y (batch, height / strides, width / strides, filters)
    k (size, size, channels, filters)

TensorFlow's kernels for processors are slow at some of the shapes that the
paper's networks have. There the same numbers are asked for in another form;
`benchmarks/RESULTS.md` says what each gains. Elsewhere, and with a GPU, the
functions call TensorFlow's own.
"""

import tensorflow as tf

from vaegan_tf import hardware

# Channels that leave most of the 16 lanes of a processor's register empty.
FEW = 4
# Side of the largest maps at which bfloat16's gradient by filters is slow.
SMALL_MAP = 8


def convolve(x, k, strides=1):
    """Convolves: y[b,h,w,f] = Σ x[b, sh + i, sw + j, c] · k[i, j, c, f].

    The indices i and j count from the filter's middle.
    """
    size, _, channels, filters = k.shape
    if _is_slow(channels, filters, size, strides) and _has_even_sides(x):
        return _convolve_four_pixels_at_once(x, k)
    return tf.nn.conv2d(x, k, strides, "SAME")


def spread(y, k, x_shape, strides=1):
    """Gradient of `convolve` by x, a transposed convolution.

    x[b, sh + i, sw + j, c] = Σ y[b,h,w,f] · k[i, j, c, f].

    Args:
        y: As above.
        k: As above.
        x_shape: The shape of x, a list or tensor.
        strides: Those of `convolve`.
    """
    size, _, channels, filters = k.shape
    if _is_slow(filters, channels, size, strides) and _has_even_sides(y):
        return _convolve_four_pixels_at_once(y, _mirror(k))
    return tf.nn.conv2d_transpose(y, k, x_shape, strides, "SAME")


def correlate(x, y, size, strides=1):
    """Gradient of `convolve` by k.

    k[i, j, c, f] = Σ x[b, sh + i, sw + j, c] · y[b,h,w,f].

    Args:
        x: As above.
        y: As above.
        size: Height and width of k.
        strides: Those of `convolve`.
    """
    channels, filters = x.shape[-1], y.shape[-1]
    if _is_slow(channels, filters, size, strides):
        # Shifting x by i is shifting y by -i.
        return _mirror(correlate(y, x, size))
    if _is_slow_to_small_maps(x, strides):
        return _correlate_as_convolution(x, y, size, strides)
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x,
        filter_sizes=(size, size, channels, filters),
        out_backprop=y,
        strides=(1, strides, strides, 1),
        padding="SAME",
    )


def _convolve_four_pixels_at_once(x, k):
    """A convolution as one with stride 2 and four times the filters.

    Squares of 2×2 pixels of y become the channels of one, so that registers
    are filled. A filter for each sees a window one larger on either side.
    """
    first, second = (0, 1), (1, 0)  # Where the filter lies in the window.
    squares = tf.concat(
        [
            tf.pad(k, [rows, columns, (0, 0), (0, 0)])
            for rows in (first, second)
            for columns in (first, second)
        ],
        axis=-1,
    )
    margin = (k.shape[0] // 2,) * 2
    y = tf.nn.conv2d(x, squares, 2, [(0, 0), margin, margin, (0, 0)])
    return tf.nn.depth_to_space(y, 2)


def _correlate_as_convolution(x, y, size, strides):
    """The sum over a batch as one over channels: y is the filter.

    Images and channels change places. What moved x by the stride per pixel of
    y is now the spacing of the filter's taps, its dilation.
    """
    side = x.shape[1]
    overlap = (side // strides - 1) * strides + size - side
    margin = (overlap // 2, overlap - overlap // 2)
    k = tf.nn.conv2d(
        tf.transpose(x, (3, 1, 2, 0)),
        tf.transpose(y, (1, 2, 0, 3)),
        1,
        [(0, 0), margin, margin, (0, 0)],
        dilations=strides,
    )
    return tf.transpose(k, (1, 2, 0, 3))


def _mirror(k):
    """The filter that goes the other way: turned round, channels swapped."""
    return tf.transpose(tf.reverse(k, (0, 1)), (0, 1, 3, 2))


def _is_slow(many, few, size, strides):
    """Whether a sum ends in so few channels that registers stay empty."""
    return _is_processor() and strides == 1 and size % 2 and few <= FEW < many


def _is_slow_to_small_maps(x, strides):
    """Whether the maps are those that bfloat16's own kernel is slow at."""
    return (
        _is_processor()
        and strides == 2
        and x.dtype == tf.bfloat16
        and _has_even_sides(x)
        and x.shape[1] == x.shape[2] <= 2 * SMALL_MAP
        and hardware.has_vectors_of_bfloat16_only()
    )


def _has_even_sides(maps):
    return all(side and side % 2 == 0 for side in maps.shape[1:3])


def _is_processor():
    return not hardware.gpus()
