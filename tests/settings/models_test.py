"""Which settings each kind of model has, and their defaults."""

import pathlib
import subprocess
import sys

import pytest

from vaegan_tf.settings import fields, groups_of, kinds, settings_of

# The defaults that differ from model to model, as the papers and the
# measurements of docs/results.md have them.
DEFAULTS = {
    "vae": {"kl_weight": 1.0},
    "gan": {"adversarial": "hinge", "batch_statistics": "separate"},
    "vaegan": {
        "adversarial": "hinge",
        "batch_statistics": "separate",
        "kl_weight": None,
        "feature_scale": "batch",
        "gamma": None,
    },
    "learned_metric_vae": {"kl_weight": None, "feature_scale": "batch"},
    "predictor": {"weight_decay": 1e-4, "balance": 0.5},
}
ABSENT = {
    "vae": ("adversarial", "feature_layers", "gamma"),
    "gan": ("kl_weight", "encoder_units", "gamma"),
    "learned_metric_vae": ("adversarial", "gamma"),
    "predictor": ("latent_dim", "conditional"),
}


@pytest.mark.parametrize("kind", DEFAULTS)
def test_defaults_of_each_kind(kind):
    settings = settings_of(kind)()
    assert {k: getattr(settings, k) for k in DEFAULTS[kind]} == DEFAULTS[kind]


@pytest.mark.parametrize("kind", ABSENT)
def test_a_model_has_no_settings_of_parts_that_it_lacks(kind):
    assert fields(settings_of(kind)).keys().isdisjoint(ABSENT[kind])


@pytest.mark.parametrize("kind", kinds())
def test_names_are_those_of_one_setting_only(kind):
    names = [name for g in groups_of(kind).values() for name in fields(g)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("kind", kinds())
def test_every_setting_is_explained(kind):
    for group in groups_of(kind).values():
        for name, field in fields(group).items():
            assert field.help.endswith((".", ")")), name
            assert "  " not in field.help, name


def test_a_predictor_is_trained_in_its_own_way():
    optimisation = groups_of("predictor")["optimisation"]()
    assert (optimisation.beta_1, optimisation.train_steps) == (0.9, 3000)
    assert groups_of("vae")["optimisation"]().beta_1 == 0.5


def test_settings_need_no_tensorflow():
    code = (
        "import sys, vaegan_tf.settings\n"
        "print({'tensorflow', 'keras', 'numpy', 'absl'} & set(sys.modules))"
    )
    root = pathlib.Path(__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("set()\n", "")
