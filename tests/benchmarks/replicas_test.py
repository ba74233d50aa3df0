"""What several GPUs would bring, on paper."""

import pytest

from benchmarks import ours, recipe, replicas

COUNTS = {
    "gradient_bytes": 80e6,
    "messages": 105,
    "flops_per_image": 1e10,
}


def test_one_gpu_sends_nothing():
    found = replicas.on_paper(COUNTS, 64, 1e9, 1)
    assert found["bytes"] == found["reduce_seconds"] == 0
    assert found["compute_seconds"] == 64 * 1e10 / replicas.FLOPS_PER_SECOND
    assert found["speedup"] == found["efficiency"] == 1


def test_four_gpus_by_hand():
    found = replicas.on_paper(COUNTS, 64, 1e9, 4)
    assert found["bytes"] == 1.5 * 80e6
    # 120 MB at 1 GB/s, and 106 messages of 4 hops of 5 µs.
    assert found["reduce_seconds"] == pytest.approx(0.12 + 106 * 4 * 5e-6)
    whole = 64 * 1e10 / 5e13
    step = whole / 4 + found["reduce_seconds"]
    assert found["speedup"] == pytest.approx(whole / step)


def test_tables_tell_what_was_found():
    summary = {"median": 2.0, "low": 1.0, "high": 3.0, "count": 3}
    results = {
        "replicas": {
            "measured": [{"replicas": 1, "step_seconds": summary}],
            "counts": COUNTS,
        }
    }
    text = replicas.report(results)
    assert text.count("### On paper") == 2
    assert "| 64 " in text
    assert "1.00 ×" in text


def test_messages_by_hand():
    model = ours.created(recipe.experiment(width=1 / 32))
    # Encoder: three convolutions, one fully connected, the posterior's mean.
    # Decoder and discriminator: four each, of which layer l is behind two.
    encoder, decoder, discriminator, to_features = 5, 4, 4, 2
    forward = encoder + 2 * decoder + 3 * discriminator
    back = [
        to_features + decoder + encoder,
        2 * discriminator + 2 * decoder,
        3 * discriminator,
    ]
    assert replicas.messages(model) == 3 * forward + 2 * sum(back)
