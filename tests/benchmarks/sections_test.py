"""What the parts make of measurements, here of made-up ones."""

import importlib
import json
import subprocess
import sys

import pytest

from benchmarks import (
    __main__,
    children,
    curves,
    inference,
    pipeline,
    scaling,
    startup,
    training,
)
from vaegan_tf.cli import app

KEYS = {
    "auto",
    "float32",
    "bfloat16",
    *training.OTHERS,
    "keras_stock_float32",
    "torch_best",
    "torch_float32_best",
    "torch_float32_channels_last",
    "ceiling_fraction",
}
CEILINGS = {"float32": 2e12, "bfloat16": 4e12}


def seconds_of(function, arguments):
    """Made-up seconds of a step of 64 images."""
    if function.startswith("torch"):
        slow = 0.0 if arguments.get("bfloat16") else 2.0
        return 4.0 + slow - arguments.get("channels_last", False)
    if function.startswith("stock"):
        return 16.0 if arguments["jit_compile"] else 8.0
    if arguments.get("kind") == "vae":
        return 0.5
    return 4.0 if arguments.get("precision") == "float32" else 2.0


def fake(function, **arguments):
    """Stands in for `children.run`."""
    common = {"peak_bytes": 2**30, "elapsed_seconds": 9.0}
    if function == "ceilings:measure":
        return {**CEILINGS, **common}
    if function.endswith(":train"):
        seconds = seconds_of(function, arguments)
        precision = arguments.get("precision", "auto")
        chosen = "bfloat16" if precision == "auto" else precision
        return {
            **common,
            "seconds": [seconds] * arguments["timed"],
            "first_step_seconds": 10.0,
            **({"precision": chosen} if function.startswith("ours") else {}),
        }
    return {
        "ours:train_on": {
            "seconds": [2.0, 2.0],
            "waiting_seconds": [0.1, 0.3],
        },
        "pipeline:load": {"seconds": 2.0, "images": 100},
        "pipeline:batches": {"images_per_second": 5000.0},
        "inference:serve": {
            "loading_seconds": 1.0,
            "calls": {
                name: {"1": [0.1], "64": [0.5, 2.0, 1.0]}
                for name in inference.SIGNATURES
            },
        },
    }.get(function, {})


@pytest.fixture
def with_torch(monkeypatch):
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(training.shutil, "which", lambda _: None)


def test_training_compares_by_images_per_second(with_torch):
    results = training.measure(fake)
    assert set(results["training"]) == KEYS
    flops = results["step_flops"]["vaegan"]
    assert results["training"] == {
        "auto": 32.0,
        "float32": 16.0,
        "bfloat16": 32.0,
        **dict.fromkeys(training.OTHERS, 32.0),
        "vae": 128.0,
        "keras_stock_float32": 8.0,
        "torch_best": 64 / 3,
        "torch_float32_best": 64 / 5,
        "torch_float32_channels_last": 64 / 5,
        "ceiling_fraction": flops / 2.0 / 4e12,
    }
    forms = results["training_forms"]
    assert forms["float32"]["ceiling_fraction"] == flops / 4.0 / 2e12
    assert forms["float32"]["seconds"] == [4.0] * 4
    of_vae = results["step_flops"]["vae"] / 0.5 / 4e12
    assert forms["vae"]["ceiling_fraction"] == of_vae
    assert results["training_notes"] == [training.NO_COMPILER]
    text = training.report(results)
    assert "| 4.00 ×" in text
    assert training.NO_COMPILER in text
    (vae,) = [line for line in text.splitlines() if line.startswith("| vae")]
    assert vae.count("–") == 3  # Nothing else trains one.


def test_training_without_torch_says_so(monkeypatch):
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda _: None)
    results = training.measure(fake, quick=True)
    assert set(results["training"]) == KEYS
    assert results["training"]["torch_best"] is None
    assert results["training"]["torch_float32_channels_last"] is None
    assert results["training_notes"] == [training.NO_TORCH]
    assert "bench" in training.NO_TORCH
    assert "–" in training.report(results)


def test_a_form_that_fails_is_named(with_torch):
    def failing(function, **arguments):
        if arguments.get("bfloat16"):
            raise children.MeasurementError("out of luck")
        return fake(function, **arguments)

    results = training.measure(failing)
    assert results["training"]["torch_best"] == 64 / 5
    (note,) = results["training_notes"][1:]
    assert note == "torch_bfloat16_channels_last failed: out of luck"


def test_pipeline_takes_waits_as_shares():
    results = pipeline.measure(fake)
    waits = results["pipeline"]["waits"]["flip"]
    assert waits["fraction"] == pytest.approx(0.1)
    assert waits["waiting_seconds"] == pytest.approx(0.2)
    speeds = results["pipeline"]["sources"]["image_folder"]
    assert speeds["prepare"] == 50.0
    assert speeds["flip"] == 5000.0
    assert "10.0 %" in pipeline.report(results)


def test_inference_gives_medians():
    results = inference.measure(fake)
    found = results["inference"]["encode"]["64"]
    assert found["latency_seconds"]["median"] == 1.0
    assert found["images_per_second"] == 64.0
    assert "| 64 " in inference.report(results)


def test_scaling_measures_every_point_once():
    points = scaling.points()
    assert len({tuple(point.values()) for point in points}) == len(points)
    results = scaling.measure(fake)
    assert len(results["scaling"]) == len(points)
    first = results["scaling"][0]
    assert first["images_per_second"] == 16 / 4.0
    assert first["flops_per_second"] == first["step_flops"] / 4.0
    assert "128" in scaling.report(results)


def test_startup_knows_the_commands():
    commands = dict(startup.commands())
    assert {"vaegan-train", "vaegan-sample"} <= set(commands)
    for module in commands.values():
        assert isinstance(importlib.import_module(module).command, app.Command)


def test_smoothed_and_difference():
    assert curves.smoothed([1.0, 2.0, 3.0, 4.0], window=2) == [1.5, 2.5, 3.5]
    assert curves.difference([1.0, 2.0], [2.0, 2.0]) == 0.25


def test_curves_are_compared_with_float32():
    smooth = {
        "float32": {"kl": [2.0, 2.0]},
        "bfloat16": {"kl": [2.0, 1.0]},
        "float32, other noise": {"kl": [3.0, 3.0]},
    }
    assert "| kl     | 25.0 %   | 50.0 %" in curves.report(smooth)


def test_command_writes_json_and_markdown(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(children, "run", fake)
    settings, _ = __main__.command.parse(
        [
            f"--json={tmp_path / 'all.json'}",
            f"--markdown={tmp_path / 'all.md'}",
            f"--plot={tmp_path / 'scaling.png'}",
            "--only=training,scaling",
        ]
    )
    __main__.main(settings)
    results = json.loads((tmp_path / "all.json").read_text())
    assert set(results["training"]) == KEYS
    assert results["machine"]["cores"] >= 1
    assert results["versions"]["tensorflow"]
    page = (tmp_path / "all.md").read_text()
    assert page.startswith("# Benchmarks")
    assert "### Growth of the cost of training" in capsys.readouterr().out
    assert not list(tmp_path.glob("*partial*"))


def test_unknown_part_and_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Received: 'trainig'"):
        __main__.command.parse(["--only=trainig"])
    settings = __main__.BenchmarkSettings(json=f"{tmp_path}/no/a.json")
    with pytest.raises(FileNotFoundError, match="no folder to write to"):
        __main__.main(settings)


def test_a_part_that_fails_gives_status_1(monkeypatch, tmp_path, capsys):
    def failing(function, **arguments):
        raise children.MeasurementError("out of luck")

    monkeypatch.setattr(children, "run", failing)
    settings = __main__.BenchmarkSettings(
        only=("inference", "replicas"), json=str(tmp_path / "all.json")
    )
    with pytest.raises(SystemExit) as caught:
        __main__.main(settings)
    assert caught.value.code == 1
    errors = json.loads((tmp_path / "all.json").read_text())["errors"]
    assert set(errors) == {"inference", "replicas"}
    assert "inference could not be measured: out" in capsys.readouterr().out


def test_help_without_tensorflow():
    code = (
        "import sys; from benchmarks import __main__, curves;"
        "print(__main__.command.help_page('first'));"
        "print(curves.command.help_page('second'));"
        "assert 'tensorflow' not in sys.modules"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=children.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.count("--json") == 2
