"""Makes predictors from plain numbers, and from a run's folder."""

from vaegan_tf.predictor.backbones import BACKBONES
from vaegan_tf.predictor.model import AttributePredictor
from vaegan_tf.training import precision
from vaegan_tf.training.checkpoints import restore_networks, steps_in
from vaegan_tf.training.runs import Run

KIND = "predictor"


def create_predictor(
    model=KIND,
    *,
    backbone="small",
    image_size=64,
    num_channels=3,
    network=None,
    **settings,
):
    """A predictor, built but not compiled.

    Args:
        model: `"predictor"`, what the record of a run calls it.
        backbone: A key of `BACKBONES`: `"small"` or `"resnet34"`.
        image_size: Height and width of the images: 32, 64 or 128.
        num_channels: 1 (grey) or 3 (colour).
        network: Further arguments of the backbone, such as `width`.
        **settings: Those of `AttributePredictor`.

    Raises:
        ValueError: If an argument is out of range.
    """
    if model != KIND or backbone not in BACKBONES:
        raise ValueError(
            f"`backbone` of a {KIND} must be one of {sorted(BACKBONES)}. "
            f"Received: model={model!r}, backbone={backbone!r}."
        )
    network = BACKBONES[backbone](
        image_size=image_size, num_channels=num_channels, **(network or {})
    )
    return AttributePredictor(network, **settings)


def load_predictor(folder, *, checkpoint=None):
    """The predictor of a run, with its weights, in float32.

    Args:
        folder: The run's folder, `--model_dir` of `vaegan-predictor`.
        checkpoint: `"best"` or `"latest"`; by default the best, or the latest
            where there is none yet.

    Returns:
        The `AttributePredictor`.

    Raises:
        FileNotFoundError: If the folder is no run's, or holds no checkpoint.
        ValueError: If it is the run of another kind of model.
    """
    return restored(Run(folder), checkpoint)[0]


def restored(run, checkpoint=None):
    """As `load_predictor`; returns `(predictor, step)`."""
    arguments = run.model_arguments([KIND])
    if checkpoint is None:
        checkpoint = "best" if steps_in(run.best) else "latest"
    with precision.float32():
        model = create_predictor(**arguments)
    folder = run.best if checkpoint == "best" else run.checkpoints
    return model, restore_networks(model, folder, model.network_names)
