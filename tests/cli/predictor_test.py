import inspect

import pytest

from vaegan_tf.cli import app, predictor
from vaegan_tf.predictor.backbones import BACKBONES, SmallBackbone
from vaegan_tf.predictor.create import create_predictor
from vaegan_tf.predictor.model import AttributePredictor
from vaegan_tf.predictor.train import train_predictor
from vaegan_tf.training.optimizers import (
    DECAYS,
    compile_model,
    create_optimizers,
)
from vaegan_tf.training.precision import PRECISIONS


def parse(*arguments):
    return app.parse(
        ["vaegan-predictor", "--model_dir=run", *arguments],
        predictor.define_flags,
    )


def keywords(*functions):
    return {
        name
        for function in functions
        for name in inspect.signature(function).parameters
    }


def test_choices_are_what_the_library_knows():
    flags = parse()
    assert set(flags["backbone"].parser.enum_values) == set(BACKBONES)
    assert set(flags["learning_rate_decay"].parser.enum_values) < set(DECAYS)
    assert set(flags["precision"].parser.enum_values) == {"auto", *PRECISIONS}


def test_training_arguments_are_those_of_train_predictor():
    flags = parse("--backbone_learning_rate=0.5", "--augmentation=none")
    arguments = predictor.training_arguments(flags)
    others = {"run", "dataset", "record", "predictor"}
    assert set(arguments) == keywords(train_predictor) - others
    assert arguments["augmentation"] == "none"
    optimisation = arguments["optimisation"]
    assert set(optimisation) <= keywords(compile_model, create_optimizers)
    assert optimisation["learning_rates"] == {"backbone": 0.5}


def test_predictor_arguments_are_those_of_create_predictor():
    arguments = predictor.predictor_arguments(parse("--width=0.5"))
    assert set(arguments) <= keywords(create_predictor, AttributePredictor)
    assert arguments["network"] == {"width": 0.5, "weight_decay": 1e-4}
    assert SmallBackbone(32, **arguments["network"]).num_features == 128
    arguments = predictor.predictor_arguments(parse("--backbone=resnet34"))
    assert arguments["network"] == {}


def test_faces_are_augmented_by_default():
    assert parse().augmentation == "authors"


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--backbone_weights=resnet_vd_34_imagenet"], "backbone_weights"),
        (["--backbone=resnet34", "--width=0.5"], "width"),
        (["--backbone=resnet34", "--weight_decay=0"], "weight_decay"),
    ],
)
def test_flags_of_another_backbone_are_refused(arguments, name):
    message = rf"^--{name} does not apply to --backbone="
    with pytest.raises(ValueError, match=message):
        predictor.predictor_arguments(parse(*arguments))


@pytest.mark.parametrize("argument", ["--balance=2", "--dropout=1"])
def test_numbers_out_of_bounds_are_refused(argument):
    with pytest.raises(app.UsageError, match=argument):
        parse(argument)
