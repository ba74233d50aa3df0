import re

import keras
import pytest
import tensorflow as tf

from vaegan_tf import hardware
from vaegan_tf.runs import precision


@pytest.fixture
def machine(monkeypatch):
    """Makes the machine have GPUs of some capabilities, and a processor."""

    def set_up(gpus=(), cpu_flags=()):
        details = {f"GPU:{n}": gpu for n, gpu in enumerate(gpus)}
        monkeypatch.setattr(
            tf.config, "list_physical_devices", lambda kind: list(details)
        )
        monkeypatch.setattr(
            tf.config.experimental, "get_device_details", details.get
        )
        monkeypatch.setattr(hardware, "cpu_flags", lambda: set(cpu_flags))

    return set_up


@pytest.fixture
def policy():
    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(
    ("cpu_flags", "expected", "reason"),
    [
        (["sse2", "amx_bf16"], "bfloat16", "the processor has amx_bf16"),
        (["avx512_bf16"], "bfloat16", "the processor has avx512_bf16"),
        (["avx512f", "avx2"], "float32", "the processor has no fast bfloat16"),
        ([], "float32", "the processor has no fast bfloat16"),
    ],
)
def test_auto_on_a_processor(machine, cpu_flags, expected, reason):
    machine(cpu_flags=cpu_flags)
    assert precision.resolve_precision("auto") == (expected, reason)


@pytest.mark.parametrize(
    ("capabilities", "expected", "reason"),
    [
        ([(8, 0)], "bfloat16", r"8\.0 \(8\.0 or later\)"),
        ([(9, 0), (8, 9)], "bfloat16", r"8\.9 \(8\.0 or later\)"),
        ([(9, 0), (7, 5)], "float32", r"7\.5 \(before 8\.0\)"),
        ([(10, 0), (9, 0)], "bfloat16", r"9\.0 \(8\.0 or later\)"),
    ],
)
def test_auto_takes_what_the_weakest_gpu_can(
    machine, capabilities, expected, reason
):
    gpus = [{"compute_capability": capability} for capability in capabilities]
    machine(gpus, cpu_flags=["amx_bf16"])
    chosen, why = precision.resolve_precision("auto")
    assert chosen == expected
    assert re.search(reason, why)


def test_auto_does_not_trust_a_gpu_that_tells_nothing(machine):
    machine([{}])
    assert precision.resolve_precision("auto")[0] == "float32"


@pytest.mark.parametrize("name", precision.PRECISIONS)
def test_what_is_asked_for_is_given(machine, name):
    machine([{"compute_capability": (9, 0)}])
    assert precision.resolve_precision(name) == (name, "as asked for")


def test_unknown_names_are_refused():
    message = (
        "`precision` must be one of auto, float32, bfloat16, float16. "
        "Received: precision='half'"
    )
    with pytest.raises(ValueError, match=message):
        precision.resolve_precision("half")


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("bfloat16", "bfloat16", "float32"),
        ("float16", "float16", "float32"),
    ],
)
@pytest.mark.usefixtures("policy")
def test_layers_compute_in_it_and_keep_weights_in_float32(
    name, compute, variable
):
    assert precision.set_precision(name) == (name, "as asked for")
    layer = keras.layers.Dense(1)
    layer.build((1, 1))
    assert layer.compute_dtype == compute
    assert layer.kernel.dtype == variable


def test_float32_for_a_while():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        with precision.float32():
            assert keras.config.dtype_policy().name == "float32"
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        with pytest.raises(KeyError), precision.float32():
            raise KeyError
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")
