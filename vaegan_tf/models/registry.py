"""Which models are there, and what can each of them do?"""

import importlib
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from vaegan_tf.models.base import ObjectiveModel
from vaegan_tf.settings import models as declared

Model = TypeVar("Model", bound=ObjectiveModel)

_classes: dict[str, type[ObjectiveModel]] = {}


def register(kind: str) -> Callable[[type[Model]], type[Model]]:
    """Makes a model class known by a name to all commands, as a decorator.

    Raises:
        ValueError: If another class has that name, one of the package's own
            that is not imported yet included.
    """

    def add(cls: type[Model]) -> type[Model]:
        known, home = _classes.get(kind), declared.module_of(kind)
        if home not in (None, cls.__module__) or (
            known is not None and known.__qualname__ != cls.__qualname__
        ):
            raise ValueError(
                f"`{kind}` is another model's name, of {home}. "
                f"Received: {cls.__qualname__} of {cls.__module__}."
            )
        cls.kind = kind
        _classes[kind] = cls
        declared.add_kind(kind, cls.Settings, cls.__module__)
        return keras.saving.register_keras_serializable("vaegan_tf")(cls)

    return add


def model_class(kind: str) -> type[ObjectiveModel]:
    """The class of a kind of model; a ValueError if there is none."""
    declared.settings_of(kind)  # Raises if there is no such kind.
    if kind not in _classes:
        importlib.import_module(str(declared.module_of(kind)))
    return _classes[kind]


def kinds(*abilities: str) -> list[str]:
    """Names of the kinds of models that have some abilities."""
    return [
        kind
        for kind in declared.kinds()
        if all(model_class(kind).can(ability) for ability in abilities)
    ]


def require(model: ObjectiveModel | type[ObjectiveModel], ability: str) -> None:
    """Refuses a model that lacks an ability with a ValueError."""
    if not model.can(ability):
        able = [model_class(kind).title for kind in kinds(ability)]
        raise ValueError(
            f"A {model.title} cannot {ability}. Models that can: "
            f"{', '.join(able)}."
        )


def create_model(
    kind: str = "vaegan",
    *,
    image_size: int = 64,
    num_channels: int = 3,
    num_attributes: int = 0,
    seed: int = 0,
    **settings: Any,
) -> ObjectiveModel:
    """A model on its own networks, built but not compiled.

    Args:
        kind: Its name, such as `"vaegan"`.
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        num_attributes: Length of the attribute vector; 0 if unconditional.
        seed: Seed of the noise.
        **settings: Those of its group of settings, such as `gamma`.

    Raises:
        ValueError: If there is no such kind or setting, or a value is out of
            range.
    """
    cls = model_class(kind)
    return cls.create(
        cls.Settings.from_dict(settings),
        seed=seed,
        image_size=image_size,
        num_channels=num_channels,
        num_attributes=num_attributes,
    )
