"""Which models there are, and what can be asked of them."""

import pytest

from vaegan_tf.models import (
    GAN,
    VAE,
    VAEGAN,
    create_model,
    kinds,
    model_class,
    register,
    registry,
    require,
)
from vaegan_tf.settings import models as declared

BUILT_IN = [
    "vae",
    "gan",
    "vaegan",
    "learned_metric_vae",
    "predictor",
    "f_vae",
    "f_wgan",
    "f_vaegan",
    "f_vaegan_d2",
    "hp_vae_gan",
]


@pytest.fixture
def own_registry(monkeypatch):
    """A registry that forgets what the test registers."""
    monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    monkeypatch.setattr(declared, "_KINDS", dict(declared._KINDS))


def test_the_packages_own_models_are_known_by_name():
    assert kinds()[: len(BUILT_IN)] == BUILT_IN
    assert model_class("vaegan") is VAEGAN
    assert model_class("predictor").title


@pytest.mark.parametrize("kind", BUILT_IN)
def test_abilities_are_methods(kind):
    cls = model_class(kind)
    assert cls.abilities
    for ability in cls.abilities:
        assert callable(getattr(cls, ability))
    assert not cls.can("fly")


def test_kinds_are_chosen_by_what_they_can_do():
    assert {"vae", "gan", "vaegan"} <= set(kinds("sample"))
    assert "predictor" not in kinds("sample")
    assert "gan" not in kinds("encode")
    both = set(kinds("encode", "discriminate"))
    assert both == set(kinds("encode")) & set(kinds("discriminate"))
    assert {"vaegan", "learned_metric_vae"} <= both


def test_what_a_model_cannot_do_is_refused_with_those_that_can():
    require(VAE, "encode")
    with pytest.raises(ValueError, match=r"A GAN cannot encode\. .*VAE/GAN"):
        require(GAN, "encode")


def test_an_unknown_kind_says_how_to_make_it_known():
    message = r"`model` must be one of vae, gan.*importing its module .*'wgan'"
    with pytest.raises(ValueError, match=message):
        model_class("wgan")


def test_a_class_from_outside_becomes_a_kind(own_registry):
    @register("outside")
    class Outside(VAE):
        title = "Outside"

    assert kinds()[-1] == "outside"
    assert Outside.kind == "outside"
    assert VAE.kind == "vae"
    assert type(create_model("outside", image_size=32, width=0.05)) is Outside


def test_a_module_may_be_imported_again(own_registry):
    for _ in range(2):

        @register("outside")
        class Outside(VAE):
            pass

        assert model_class("outside") is Outside


@pytest.mark.parametrize("kind", ["vae", "predictor"])
def test_a_name_belongs_to_one_model(kind, own_registry, monkeypatch):
    # A model of the package that nothing has imported yet has its name, too.
    registry._classes.pop(kind, None)
    with pytest.raises(ValueError, match=f"`{kind}` is another model's name"):

        @register(kind)
        class Thief(VAE):
            pass


def test_two_classes_of_one_module_cannot_share_a_name(own_registry):
    @register("outside")
    class First(VAE):
        pass

    with pytest.raises(ValueError, match="`outside` is another model's name"):

        @register("outside")
        class Second(VAE):
            pass


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("vae", {"gamma": 1.0}, "`gamma` is not one of the settings"),
        ("gan", {"kl_weight": 1.0}, "`kl_weight` is not one of the settings"),
        ("vaegan", {"batch_size": 8}, "`batch_size` is not one of the"),
        ("vaegan", {"gamma": 0}, "`gamma` must be above 0"),
    ],
)
def test_foreign_settings_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        create_model(kind, image_size=32, **settings)
