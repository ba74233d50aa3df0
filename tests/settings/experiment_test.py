"""All settings of a run: groups, record, and what may change later."""

import dataclasses
import json

import pytest

from vaegan_tf.settings import (
    DataSettings,
    EvaluationSettings,
    Experiment,
    GANSettings,
    OptimisationSettings,
    RunSettings,
    VAEGANSettings,
    VAESettings,
    groups_of,
    kinds,
    kinds_with,
)


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_settings_that_are_read_back_from_json(kind):
    experiment = Experiment.of(kind)
    assert list(experiment.groups) == list(groups_of(kind))
    record = json.loads(json.dumps(experiment.as_dict()))
    assert Experiment.from_dict(kind, record) == experiment


def test_groups_that_are_not_given_have_their_defaults():
    experiment = Experiment.of("vaegan", model=VAEGANSettings(gamma=0.5))
    assert experiment.model.gamma == 0.5
    assert experiment.data == DataSettings()
    assert experiment.run == RunSettings()


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"model": GANSettings()}, "`model` of a vae must be VAESettings"),
        ({"data": VAESettings()}, "`data` of a vae must be DataSettings"),
    ],
)
def test_a_group_of_another_kind_is_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        Experiment.of("vae", **groups)


def test_an_unknown_kind_says_how_to_make_it_known():
    with pytest.raises(ValueError, match=r"vaegan.*\(--import\).*'wgan'"):
        Experiment.of("wgan")


def test_what_belongs_to_one_call_is_not_recorded():
    experiment = Experiment.of(run=RunSettings(overwrite=True))
    assert "overwrite" not in experiment.as_dict()["run"]


def test_a_record_with_a_foreign_setting_is_refused():
    with pytest.raises(ValueError, match="`gamma` is not one of the settings"):
        Experiment.from_dict("vae", {"model": {"gamma": 1.0}})


def changed(group, **values):
    before = Experiment.of("vae")
    after = dataclasses.replace(getattr(before, group), **values)
    return before.differences(dataclasses.replace(before, **{group: after}))


def test_a_run_is_resumed_with_its_own_settings():
    assert Experiment.of("vae").differences(Experiment.of("vae")) == []
    lines = changed("model", kl_weight=2.0, latent_dim=5)
    assert lines == ["latent_dim: 128 -> 5", "kl_weight: 1.0 -> 2.0"]
    assert changed("data", image_size=32) == ["image_size: 64 -> 32"]


def test_some_settings_may_change():
    assert changed("run", log_every=7, nan_retries=3, overwrite=True) == []
    assert changed("data", data_dir="/elsewhere") == []


def test_steps_may_be_added_where_rates_stay():
    before, after = (
        Experiment.of(
            optimisation=OptimisationSettings(
                learning_rate_decay="none", train_steps=steps
            )
        )
        for steps in (10, 20)
    )
    assert before.differences(after) == []


@pytest.mark.parametrize("decay", ["linear", "authors", "cosine"])
def test_rates_that_fall_fix_the_number_of_steps(decay):
    before, after = (
        Experiment.of(
            optimisation=OptimisationSettings(
                learning_rate_decay=decay, train_steps=steps
            )
        )
        for steps in (10, 20)
    )
    assert before.differences(after) == ["train_steps: 10 -> 20"]


def test_a_run_of_another_model_is_not_resumed():
    lines = Experiment.of("vae").differences(Experiment.of("gan"))
    assert lines == ["model: 'vae' -> 'gan'"]


def test_features_without_evaluations_are_refused():
    with pytest.raises(ValueError, match="`predictor` is for evaluations"):
        EvaluationSettings(predictor="/run")
    assert EvaluationSettings(predictor="/run", eval_every=5).eval_every == 5


def test_kinds_are_known_by_their_settings():
    assert "vaegan" in kinds_with("gamma")
    assert "vae" not in kinds_with("gamma")
    assert {"vae", "gan", "predictor"} <= set(kinds_with("batch_size"))
    assert kinds_with("gama") == []
