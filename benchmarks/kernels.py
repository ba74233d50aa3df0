"""What the kernels of `vaegan_tf.networks.layers` gain beside Keras's."""

import time

from benchmarks import tables

BATCH_SIZE = 64
PRECISIONS = ("float32", "mixed_bfloat16")
SAME = {"kernel_size": 5, "padding": "same", "use_bias": False}
# Of the paper's networks at 64×64: this project's layer and Keras's, their
# arguments, and the shape of an input.
LAYERS = {
    "convolution to images": (
        ("Convolution", "Conv2D"),
        {"filters": 3, **SAME},
        (64, 64, 32),
    ),
    "convolution from images": (
        ("Convolution", "Conv2D"),
        {"filters": 32, **SAME},
        (64, 64, 3),
    ),
    "convolution to 8×8 maps": (
        ("Convolution", "Conv2D"),
        {"filters": 256, "strides": 2, **SAME},
        (16, 16, 256),
    ),
    "transposed convolution from 8×8 maps": (
        ("TransposedConvolution", "Conv2DTranspose"),
        {"filters": 256, "strides": 2, **SAME},
        (8, 8, 256),
    ),
    "fully connected": (
        ("FullyConnected", "Dense"),
        {"units": 2048, "use_bias": False},
        (16384,),
    ),
}
COLUMNS = ("forward", "by inputs", "by weights")


def measure(run, quick=False):
    """Times each layer and its gradients, in Keras's form and in this one.

    Args:
        run: `children.run`.
        quick: Whether few repeats are enough.

    Returns:
        `kernels`: for each layer and precision, `layer`, `precision`, and by
        column the median seconds of Keras's form and of this project's.
    """
    answer = run("kernels:time_layers", repeats=3 if quick else 10)
    return {"kernels": answer["rows"]}


def time_layers(repeats):
    """Times all layers.

    Args:
        repeats: How often each is run.

    Returns:
        `rows`, as `measure` says.
    """
    rows = []
    for precision in PRECISIONS:
        for name, (kinds, arguments, shape) in LAYERS.items():
            own, stock = (
                _seconds(_layer(kind, precision, arguments), shape, repeats)
                for kind in kinds
            )
            rows.append(
                {
                    "layer": name,
                    "precision": precision,
                    **{key: [stock[key], own[key]] for key in COLUMNS},
                }
            )
    return {"rows": rows}


def report(results):
    """The table of the layers.

    Args:
        results: What `measure` returned.
    """
    rows = [
        [row["layer"], row["precision"], *[_change(row[c]) for c in COLUMNS]]
        for row in results["kernels"]
    ]
    return tables.table(
        f"Layers, batches of {BATCH_SIZE}: Keras's → this project's, ms",
        ["layer", "precision", *COLUMNS],
        rows,
    )


def _layer(kind, precision, arguments):
    import keras

    from vaegan_tf.networks import layers

    module = layers if hasattr(layers, kind) else keras.layers
    return getattr(module, kind)(**arguments, dtype=precision)


def _seconds(layer, shape, repeats):
    """Median seconds of the layer and of each of its gradients."""
    import tensorflow as tf

    shape = (BATCH_SIZE, *shape)
    layer.build(shape)
    dtype = layer.compute_dtype
    x = tf.cast(tf.random.stateless_normal(shape, (0, 0)), dtype)
    by_y = tf.ones(layer.compute_output_shape(shape), dtype)

    def gradient(source):
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = layer(x)
        return tape.gradient(y, source, by_y)

    functions = (
        lambda: layer(x),
        lambda: gradient(x),
        lambda: gradient(layer.kernel.value),
    )
    return {
        column: _median(tf.function(function, autograph=False), repeats)
        for column, function in zip(COLUMNS, functions)
    }


def _median(function, repeats):
    seconds = []
    for _ in range(1 + repeats):
        start = time.perf_counter()
        function()[..., :1].numpy()
        seconds.append(time.perf_counter() - start)
    return tables.summary(seconds[1:])["median"]


def _change(seconds):
    before, after = (tables.number(1000 * value) for value in seconds)
    return f"{before} → {after}"
