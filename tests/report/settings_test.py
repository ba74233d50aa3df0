from vaegan_tf.report import settings
from vaegan_tf.report.gallery import Outputs


def test_differences_come_first(make_record):
    records = [
        make_record("a", 0, latent_dim=4),
        make_record("b", 1, latent_dim=8, strategy="mirrored"),
    ]
    differing, shared, organisation = settings.setting_tables(records)
    assert differing == [("latent_dim", ["4", "8"])]
    assert dict(shared)["gamma"] == ["0.25", "0.25"]
    assert dict(shared)["deterministic"] == ["no", "no"]
    assert dict(shared)["final_learning_rate"] == ["1·10⁻⁶"] * 2
    assert dict(organisation)["strategy"] == ["one", "mirrored"]
    assert set(dict(organisation)) == {"data_dir", "eval_every", "strategy"}


def test_what_a_model_does_not_have_does_not_apply(make_record):
    records = [make_record("a", 0), make_record("b", 1, kind="vae")]
    differing = dict(settings.setting_tables(records)[0])
    assert differing == {
        "model": ["vaegan", "vae"],
        "gamma": ["0.25", None],
    }


def test_a_setting_that_an_older_run_lacks(make_record):
    records = [make_record("a", 0, width=0.5), make_record("b", 1)]
    assert settings.setting_tables(records)[0] == [("width", ["0.5", None])]


def test_what_a_run_cost(make_record):
    speeds = [
        {"step": 10, "seconds": 30.0, "images_per_second": 10.0},
        {"step": 20, "seconds": 10.0, "images_per_second": 250.0},
        {"step": 30, "seconds": 50.0, "images_per_second": 240.0},
    ]
    record = make_record(metrics=[{"step": 30}], speeds=speeds)
    record.about.update(device="A processor", precision="bfloat16")
    outputs = Outputs(
        parameters=(("encoder", 1200, True), ("decoder", 34, False))
    )
    rows = dict(settings.cost_rows([record], [outputs]))
    assert rows["Steps"] == ["30"]
    assert rows["Examples seen"] == ["240"]  # 30 steps of 8
    assert rows["Time"] == ["2 min"]  # of 90 s
    assert rows["Speed"] == ["240 examples/s"]  # the median
    assert rows["Parameters"] == ["1,234 (encoder 1,200, decoder 34 (fixed))"]
    assert rows["Device"] == ["A processor"]
    assert rows["Number format"] == ["bfloat16"]
    assert rows["Python"] == ["3.11"]


def test_what_older_runs_did_not_record(make_record):
    rows = dict(settings.cost_rows([make_record()], [Outputs()]))
    for name in ("Time", "Speed", "Parameters", "Device", "Commit", "Keras"):
        assert rows[name] == ["not recorded"]


def test_states(make_record):
    record = make_record(metrics=[{"step": 40}])
    assert settings.state(record) == "unfinished, 40 of 100 steps"
    record = make_record("b", metrics=[{"step": 100}])
    assert settings.state(record) == "finished, 100 steps"


def test_commands(make_record):
    record = make_record("my run")
    flags = record.run.flags
    assert settings.train_command(record) == (
        f"vaegan-train '--flagfile={flags}'"
    )
    assert settings.again_command(record) == (
        f"vaegan-train '--flagfile={flags}' "
        f"'--model_dir={record.run.folder}-again'"
    )
    record.about["command"] = "vaegan-train --gamma=1"
    assert settings.train_command(record) == "vaegan-train --gamma=1"
