"""Groups of settings that several commands share, beside a run's own."""

import functools
from typing import TYPE_CHECKING

from vaegan_tf.settings import MAX_SEED, REQUIRED, Settings, setting
from vaegan_tf.settings.choices import CHECKPOINTS, SPLITS

if TYPE_CHECKING:
    from vaegan_tf.models import ObjectiveModel
    from vaegan_tf.runs import Run
    from vaegan_tf.sampling import Sampler


class ModelModule(Settings):
    """Where models are that this package does not have."""

    import_: str | None = setting(
        None,
        "Python module that registers further models, of the working folder "
        "or installed.",
    )


class RunFolder(Settings):
    """The folder of a run."""

    model_dir: str = setting(REQUIRED, "The run's folder.")


class CheckpointSettings(Settings):
    """Which of a run's checkpoints."""

    checkpoint: str = setting(
        "latest",
        "Which checkpoint: the newest, or the one of the best score (of "
        "reconstructions, or of samples after a run with --eval_every).",
        choices=CHECKPOINTS,
    )


class RunOrWeights(Settings):
    """Which run, or which published weights."""

    model_dir: str | None = setting(
        None, "The run's folder; this or --pretrained is required."
    )
    pretrained: str | None = setting(
        None,
        "Published weights instead of a run: avatars64, which come with the "
        "package; a folder that vaegan-publish wrote; or hf://owner/name.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model_dir is None and self.pretrained is None:
            raise ValueError("--model_dir or --pretrained is required")
        if self.model_dir is not None and self.pretrained is not None:
            raise ValueError("--model_dir and --pretrained exclude each other.")


class DataPlaces(Settings):
    """Where the images of runs are."""

    source_dir: str | None = setting(
        None,
        "Where the images of a run are, if they are needed (default: where "
        "its record says, if you made the run on this machine).",
        is_path=True,
    )
    data_dir: str | None = setting(
        None,
        "Folder of prepared data sets, as source_dir.",
        is_path=True,
        may_be_url=True,
    )


class TrainedModel(ModelModule, CheckpointSettings, RunOrWeights, DataPlaces):
    """Which trained model to use."""

    @functools.cached_property
    def run(self) -> "Run":
        """The run, which may not exist."""
        places = self.source_dir, self.data_dir
        if self.pretrained is not None:
            from vaegan_tf.pretrained import pretrained_run

            return pretrained_run(self.pretrained, *places)
        from vaegan_tf.runs import Run

        return Run(self.model_dir, *places)

    def open(self, *abilities: str) -> "tuple[Run, ObjectiveModel, int]":
        """The run, its model and the step of the model's weights.

        Raises:
            FileNotFoundError: If the folder is no run's, or holds no such
                checkpoint.
            ValueError: If the model lacks an ability, or the run is damaged.
        """
        from vaegan_tf.models import require

        run = self.run
        for ability in abilities:
            require(run.model_class, ability)
        return run, *run.model(self.checkpoint)

    def sampler(self, name: str, parameters: "SamplerParameters") -> "Sampler":
        """A sampler for the model; see `create_sampler`."""
        from vaegan_tf.sampling import create_sampler

        return create_sampler(
            self.run,
            name,
            checkpoint=self.checkpoint,
            truncation=parameters.truncation,
            num_components=parameters.components,
        )


class TrainedModels(ModelModule, CheckpointSettings, DataPlaces):
    """Which trained models to use."""

    runs: tuple[str, ...] = setting(
        (),
        "Folders of trained runs; published weights also by name or address, "
        "as --pretrained of other commands.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.runs:
            raise ValueError("A run is needed: give the folder of one or more.")


class SeedSettings(Settings):
    """The seed, where nothing else of a run is chosen."""

    seed: int = setting(
        0,
        "Seed of splits that the source does not have.",
        low=0,
        high=MAX_SEED,
    )


class MixtureSettings(Settings):
    """The sampler that is fitted to the training images."""

    components: int | None = setting(
        None,
        "Gaussians of the mixture (default: those of the mixture that was "
        "fitted before, else as many as the training images allow, 10 at "
        "most).",
        low=1,
    )


class SamplerParameters(MixtureSettings):
    """Parameters of samplers."""

    truncation: float = setting(
        1.5,
        "Largest magnitude of a coordinate of a truncated code: smaller for "
        "more typical images, larger for more different ones.",
        above=0,
        high=100,
    )


class ImageChoice(Settings):
    """Which images a command works on."""

    images: tuple[str, ...] | None = setting(
        None, "Image files (default: images of the data set)."
    )
    split: str = setting(
        "test",
        "Part of the data set to take images from if no file is given.",
        choices=SPLITS,
    )


class ConditionSettings(Settings):
    """What a conditional model is given."""

    condition: tuple[str, ...] | None = setting(
        None,
        "Attributes of a conditional model: those present, such as "
        "Eyeglasses,Smiling, or name=value; all others are 0.",
    )
