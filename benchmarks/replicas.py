"""What replicas cost on this machine, and what they would bring on others.

Two things grow with their number: gradients are summed up over all of them
once a step, and batch statistics at every normalisation. What is computed
shrinks, as each gets fewer images.
"""

import math

from benchmarks import tables

COUNTS = (1, 2, 4, 8, 16, 32, 64)
# Assumed and not measured: one GPU's speed on these networks, its link, and
# the time of one message between two of them.
FLOPS_PER_SECOND = 5e13
LINKS = {"NVLink, 300 GB/s": 300e9, "Ethernet, 100 Gbit/s": 12.5e9}
MESSAGE_SECONDS = 5e-6
# Of Keras's synchronised normalisation: sum, sum of squares and count on the
# way forward, the gradients of the first two on every way back.
MESSAGES_FORWARD = 3
MESSAGES_BACK = 2


def measure(run, quick=False):
    """Measures a few steps on logical devices, and counts for the paper.

    Args:
        run: `children.run`.
        quick: Whether one step on one and two replicas is enough.

    Returns:
        `replicas`: `measured`, `step_seconds` for each number of replicas on
        the same processor; and `counts` of what `on_paper` takes.
    """
    measured = []
    for replicas in (1, 2) if quick else (1, 2, 4):
        answer = run(
            "replicas:train", replicas=replicas, timed=1 if quick else 3
        )
        measured.append(
            {
                "replicas": replicas,
                "step_seconds": tables.summary(answer["seconds"]),
            }
        )
    return {"replicas": {"measured": measured, "counts": run("replicas:count")}}


def report(results):
    """The tables: measured here, and on paper.

    Args:
        results: What `measure` returned.
    """
    found = results["replicas"]
    first = found["measured"][0]["step_seconds"]["median"]
    here = [
        [
            str(row["replicas"]),
            tables.spread(row["step_seconds"]) + " s",
            tables.times(row["step_seconds"]["median"] / first),
        ]
        for row in found["measured"]
    ]
    title = "Replicas on one processor, batch of 16 (the same work, cut up)"
    parts = [tables.table(title, ["replicas", "step", "of one"], here)]
    for batch_size in (64, 1024):
        parts.append(_paper(found["counts"], batch_size))
    return "\n".join(parts)


def on_paper(counts, batch_size, bytes_per_second, replicas):
    """One step of several GPUs, nothing of it hidden behind anything else.

    Gradients go round a ring: each GPU sends 2 (N − 1) / N of their bytes.
    A message for batch statistics is small: it takes 2 log₂ N hops.

    Args:
        counts: What `count` returned.
        batch_size: Images in a step, over all replicas.
        bytes_per_second: What each GPU sends at a time.
        replicas: N.

    Returns:
        `compute_seconds`, `bytes` that each GPU sends, `reduce_seconds`,
        `speedup` over one GPU, and `efficiency`, the speedup by N.
    """
    whole = counts["flops_per_image"] * batch_size / FLOPS_PER_SECOND
    sent = 2 * (replicas - 1) / replicas * counts["gradient_bytes"]
    hops = 2 * math.log2(replicas) * (counts["messages"] + 1)
    reduce_seconds = sent / bytes_per_second + hops * MESSAGE_SECONDS
    speedup = whole / (whole / replicas + reduce_seconds)
    return {
        "replicas": replicas,
        "compute_seconds": whole / replicas,
        "bytes": sent,
        "reduce_seconds": reduce_seconds,
        "speedup": speedup,
        "efficiency": speedup / replicas,
    }


def count():
    """What a step of `vaegan-train` reduces and computes; runs in a child.

    Returns:
        `gradient_bytes`, `messages` for batch statistics in a step, and
        `flops_per_image`.
    """
    from benchmarks import flops, ours, recipe

    model = ours.created(recipe.experiment())
    size = sum(
        weight.shape.num_elements()
        for name in model.trained_networks()
        for weight in getattr(model, name).trainable_weights
    )
    return {
        "gradient_bytes": 4 * size,
        "messages": messages(model),
        "flops_per_image": flops.step_flops(1),
    }


def messages(model):
    """Messages for batch statistics in a step of VAE/GAN.

    Each kind of image passes by itself, and each network's objective goes
    back by itself (see `flops`).
    """
    encoder, decoder, discriminator = (
        _normalizations(getattr(model, name)) for name in model.networks
    )
    # That of layer l and those behind it are not on the encoder's way.
    to_features = max(model.discriminator.feature_layers[0] - 1, 0)
    forward = encoder + 2 * decoder + 3 * discriminator
    for_encoder = to_features + decoder + encoder
    for_decoder = 2 * (discriminator + decoder)
    back = for_encoder + for_decoder + 3 * discriminator
    return MESSAGES_FORWARD * forward + MESSAGES_BACK * back


def train(replicas, batch_size=16, width=0.5, warm_up=2, timed=3):
    """Times some steps on logical devices; runs in a child.

    Returns:
        `seconds` of each step that counts.
    """
    from vaegan_tf.training.distribution import create_distribution

    # Before anything is computed.
    distribution = create_distribution("mirrored", replicas)
    import tensorflow as tf

    from benchmarks import ours, recipe

    with distribution.scope():
        model, schedules = ours.compiled(recipe.experiment(width=width))
    images = recipe.images(batch_size // replicas)
    batches = distribution.batches(
        lambda **_: tf.data.Dataset.from_tensors(images).repeat()
    )
    clock = ours.Clock()
    ours.run(model, schedules, batches, warm_up + timed, [clock], distribution)
    return {"seconds": clock.seconds[warm_up:]}


def _normalizations(network):
    import keras

    return sum(
        isinstance(layer, keras.layers.BatchNormalization)
        for layer in network.layers
    )


def _paper(counts, batch_size):
    header = ["GPUs", "images each", "compute", "sent by each"]
    header += [f"speedup ({link})" for link in LINKS]
    rows = []
    for replicas in COUNTS:
        found = [
            on_paper(counts, batch_size, speed, replicas)
            for speed in LINKS.values()
        ]
        rows.append(
            [
                str(replicas),
                tables.number(batch_size / replicas),
                f"{tables.number(found[0]['compute_seconds'] * 1e3)} ms",
                f"{tables.number(found[0]['bytes'] / 1e6)} MB",
                *[tables.times(each["speedup"]) for each in found],
            ]
        )
    title = (
        f"On paper: batch of {batch_size}, GPUs of "
        f"{FLOPS_PER_SECOND / 1e12:g} TFLOP/s"
    )
    return tables.table(title, header, rows)
