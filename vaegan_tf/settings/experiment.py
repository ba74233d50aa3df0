"""All settings of a run: what its record holds and what may change later."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from vaegan_tf.settings.data import SourceSettings
from vaegan_tf.settings.fields import Settings, fields
from vaegan_tf.settings.models import ModelSettings, kinds, settings_of
from vaegan_tf.settings.training import (
    EvaluationSettings,
    OptimisationSettings,
    RunSettings,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Experiment:
    """The settings of one run, in groups: those of a kind such as `"vaegan"`.

    Raises:
        ValueError: If a group is not that of the kind.
    """

    kind: str
    data: SourceSettings
    model: ModelSettings
    optimisation: OptimisationSettings
    run: RunSettings
    evaluation: EvaluationSettings

    def __post_init__(self) -> None:
        for name, group in groups_of(self.kind).items():
            if type(getattr(self, name)) is not group:
                raise ValueError(
                    f"`{name}` of a {self.kind} must be {group.__name__}. "
                    f"Received: {getattr(self, name)!r}."
                )

    @classmethod
    def of(cls, kind: str = "vaegan", **groups: Settings) -> Self:
        """The settings of a kind of model: its defaults but for `groups`."""
        defaults = {name: group() for name, group in groups_of(kind).items()}
        chosen: dict[str, Any] = {**defaults, **groups}
        return cls(kind=kind, **chosen)

    @property
    def groups(self) -> dict[str, Settings]:
        """The groups of settings by name."""
        return {name: getattr(self, name) for name in groups_of(self.kind)}

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """What is recorded of the settings, by group, as JSON knows it."""
        return {
            name: {
                key: value
                for key, value in group.as_dict().items()
                if fields(type(group))[key].recorded
            }
            for name, group in self.groups.items()
        }

    @classmethod
    def from_dict(cls, kind: str, groups: Mapping[str, Any]) -> Self:
        """The settings that `as_dict` recorded.

        Raises:
            ValueError: If they are not the settings of such a model.
        """
        recorded: dict[str, Any] = {
            name: group.from_dict(groups.get(name, {}))
            for name, group in groups_of(kind).items()
        }
        return cls(kind=kind, **recorded)

    def differences(self, other: "Experiment") -> list[str]:
        """What forbids to resume a run with others: `name: before -> now`."""
        if other.kind != self.kind:
            return [f"model: {self.kind!r} -> {other.kind!r}"]
        # Rates that fall do so over the steps of the whole run.
        decay = self.optimisation.learning_rate_decay
        fixed = set() if decay == "none" else {"train_steps"}
        values = {
            name: (getattr(group, name), getattr(other.groups[key], name))
            for key, group in self.groups.items()
            for name, field in fields(type(group)).items()
            if not field.changeable or name in fixed
        }
        return [
            f"{name}: {before!r} -> {now!r}"
            for name, (before, now) in values.items()
            if before != now
        ]


def groups_of(kind: str) -> dict[str, type[Settings]]:
    """The groups of settings of a kind of model, by name.

    Raises:
        ValueError: If there is no such kind.
    """
    model = settings_of(kind)
    return {
        "data": model.Data,
        "model": model,
        "optimisation": model.Optimisation,
        "run": RunSettings,
        "evaluation": EvaluationSettings,
    }


def kinds_with(name: str) -> list[str]:
    """The kinds of models that have a setting of a name."""
    return [
        kind
        for kind in kinds()
        if any(name in fields(group) for group in groups_of(kind).values())
    ]
