"""The count of operations, by hand and by the layers that are there."""

import math

import keras
import pytest
import tensorflow as tf

from benchmarks import flops, ours, recipe


def macs(layer):
    if isinstance(layer, keras.layers.Dense):
        return layer.input.shape[-1] * layer.units
    if isinstance(layer, keras.layers.Conv2DTranspose):
        places = layer.input.shape[1] * layer.input.shape[2]
    elif isinstance(layer, keras.layers.Conv2D):
        places = layer.output.shape[1] * layer.output.shape[2]
    else:
        return 0
    return places * 25 * layer.input.shape[-1] * layer.filters


def test_layers_by_hand():
    # Width 1/32 at 32×32: channels 4 and 8; 8 and 4; 1, 4 and 8.
    net = flops.networks(32, 1 / 32, latent_dim=2, encoder_units=64)
    assert net["encoder"].layers == (
        16 * 16 * 25 * 3 * 4,
        8 * 8 * 25 * 4 * 8,
        8 * 8 * 8 * 2,
        2 * 2 * 2,
    )
    assert net["decoder"].layers == (
        2 * 8 * 8 * 8,
        8 * 8 * 25 * 8 * 8,
        16 * 16 * 25 * 8 * 4,
        32 * 32 * 25 * 4 * 3,
    )
    assert net["discriminator"].layers == (
        32 * 32 * 25 * 3 * 1,
        16 * 16 * 25 * 1 * 4,
        8 * 8 * 25 * 4 * 8,
        8 * 8 * 8 * 16,
        16,
    )


NET = {
    "image_size": 32,
    "width": 1 / 32,
    "latent_dim": 2,
    "encoder_units": 64,
}
ENCODER = 76_800 + 51_200 + 1_024 + 8
DECODER = 1_024 + 102_400 + 204_800 + 307_200
DISCRIMINATOR = 76_800 + 25_600 + 51_200 + 8_192 + 16


def test_step_of_vaegan_by_hand():
    features = 76_800 + 25_600 + 51_200
    macs = [
        ENCODER + 2 * DECODER + 3 * DISCRIMINATOR,
        features + DECODER + (ENCODER - 76_800) + ENCODER,
        2 * DISCRIMINATOR + 2 * (DECODER - 1_024) + 2 * DECODER,
        3 * (DISCRIMINATOR - 76_800) + 3 * DISCRIMINATOR,
    ]
    assert flops.step_flops(5, **NET) == 2 * 5 * sum(macs)


def test_step_of_vae_by_hand():
    macs = [
        ENCODER + DECODER,
        DECODER + (ENCODER - 76_800) + ENCODER,
        DECODER,  # Its inputs' gradients are those of the encoder's pass.
    ]
    assert flops.step_flops(5, "vae", **NET) == 2 * 5 * sum(macs)


@pytest.mark.parametrize(
    ("kind", "choices"),
    [
        ("vaegan", {}),
        ("vaegan", {"adversarial": "non_saturating"}),
        ("vae", {}),
    ],
)
def test_step_is_what_the_graph_of_a_step_holds(kind, choices):
    settings = recipe.experiment(kind, width=1 / 32, image_size=32, **choices)
    model, _ = ours.compiled(settings)
    step = tf.function(model.optimize, autograph=False)
    image = tf.TensorSpec((5, 32, 32, 3))
    graph = step.get_concrete_function({"image": image}).graph
    # Cosines of codes with codes, which are logged, are no layer's.
    layers = [op for op in distinct(graph) if not is_between_examples(op, 5)]
    assert len(layers) == len(distinct(graph)) - 1
    found = sum(map(operations, layers))
    counted = flops.step_flops(5, kind, image_size=32, width=1 / 32)
    assert found == counted


def needed(graph):
    """What of a graph is computed: all that its outputs and effects need."""
    waiting = [tensor.op for tensor in graph.outputs] + graph.control_outputs
    seen = set()
    while waiting:
        op = waiting.pop()
        if op not in seen:
            seen.add(op)
            waiting += [tensor.op for tensor in op.inputs] + op.control_inputs
    return seen


def distinct(graph):
    """One of all operations that compute the same, as TensorFlow takes it."""
    keys, chosen, used = {}, {}, needed(graph)
    for op in graph.get_operations():  # Inputs come before what takes them.
        inputs = [(keys[tensor.op], tensor.value_index) for tensor in op.inputs]
        attributes = [
            (name, value.SerializeToString(deterministic=True))
            for name, value in sorted(op.node_def.attr.items())
            if not name.startswith("_")
        ]
        is_own = op.op_def.is_stateful or op.type == "Placeholder"
        keys[op] = op if is_own else hash((op.type, *attributes, *inputs))
        if op in used:
            chosen[keys[op]] = op
    return chosen.values()


def is_between_examples(op, count):
    """Whether it is a product with a number for each pair of examples."""
    return op.type == "MatMul" and op.outputs[0].shape == (count, count)


def operations(op):
    """Floating-point operations of a convolution or product, else 0."""
    if op.type == "MatMul":
        left = op.inputs[0].shape
        inner = left[0] if op.get_attr("transpose_a") else left[1]
        return 2 * math.prod(op.outputs[0].shape) * inner
    kernels = {
        "Conv2D": lambda: (op.outputs[0], op.inputs[1].shape),
        "Conv2DBackpropInput": lambda: (op.inputs[2], op.inputs[1].shape),
        "Conv2DBackpropFilter": lambda: (op.inputs[2], op.outputs[0].shape),
    }
    if op.type not in kernels:
        return 0
    maps, kernel = kernels[op.type]()
    return 2 * math.prod(maps.shape[:3]) * math.prod(kernel)


@pytest.mark.parametrize("image_size", [32, 64, 128])
def test_count_is_that_of_the_networks(image_size):
    settings = recipe.experiment(image_size=image_size, width=1 / 16)
    model = ours.created(settings)
    counted = flops.networks(image_size, 1 / 16)
    for name, network in counted.items():
        layers = getattr(model, name).layers
        assert sum(network.layers) == sum(map(macs, layers))


def test_unknown_size_is_refused():
    with pytest.raises(ValueError, match="must be one of 32, 64, 128"):
        flops.networks(48)
