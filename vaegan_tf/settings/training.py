"""How is a model trained, on which devices, and what is recorded?"""

from vaegan_tf.settings.choices import CONVENTIONS
from vaegan_tf.settings.fields import (
    MAX_SEED,
    Settings,
    changeable,
    setting,
)

AUGMENTATIONS = ("none", "flip", "authors")
STRATEGIES = ("auto", "one", "mirrored", "multi_worker")


class OptimisationSettings(Settings):
    """How far and how often networks step."""

    batch_size: int = setting(
        64, "Images in a step, all devices.", low=1, high=2**16
    )
    train_steps: int = changeable(
        20_000, "Steps to train for.", low=1, high=10**9
    )
    optimizer: str = setting(
        "muon",
        "How gradients are used: rmsprop, as in the paper; adam; or muon, "
        "which is Adam but for kernels of up to 256 inputs or outputs, all "
        "directions of which step by the same amount (Jordan et al., 2024).",
        choices=("rmsprop", "adam", "muon"),
    )
    learning_rate: float = setting(
        1e-3, "Learning rate of all networks at the first step.", above=0
    )
    learning_rates: tuple[str, ...] = setting(
        (),
        "Other rates for some networks, as network=rate, such as "
        "discriminator=5e-5.",
    )
    learning_rate_decay: str = setting(
        "none",
        "How rates fall over the run, if at all.",
        choices=("none", "linear", "authors", "cosine"),
    )
    final_learning_rate: float = setting(
        1e-4, "What rates that fall come to at the last step.", low=0
    )
    beta_1: float = setting(
        0.5, "Adam's averaging of the gradient.", low=0, below=1
    )
    augmentation: str = setting(
        "flip",
        "Variation of training images: mirrored half of the time, or also "
        "moved, scaled, turned and tinted a little as in the authors' code.",
        choices=AUGMENTATIONS,
    )
    precision: str = setting(
        "auto",
        "Format that networks compute in; auto is bfloat16 where the hardware "
        "is fast at it.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )


class RunSettings(Settings):
    """On which devices a run trains, and when it writes something."""

    seed: int = setting(
        0,
        "Seed of weights, data order, noise and splits.",
        low=0,
        high=MAX_SEED,
    )
    strategy: str = changeable(
        "auto",
        "Devices that share each batch: one; all GPUs of this machine; or "
        "those of all machines that TF_CONFIG lists. auto takes what there "
        "is. The model is the same.",
        choices=STRATEGIES,
    )
    logical_cpus: int = changeable(
        0,
        "Split the processor into so many devices, to try "
        "--strategy=mirrored without GPUs; no faster (0: do not).",
        low=0,
    )
    deterministic: bool = setting(
        False, "Compute the same bits every time, at some cost in speed."
    )
    log_every: int = changeable(50, "Steps between two logs.", low=1)
    checkpoint_every: int = changeable(
        500, "Steps between two checkpoints.", low=1
    )
    sample_every: int = changeable(500, "Steps between two image grids.", low=1)
    keep_checkpoints: int = changeable(3, "Newest checkpoints to keep.", low=1)
    nan_retries: int = changeable(
        0,
        "How often to return to the last checkpoint, with other noise, when "
        "a number is not finite or diverges.",
        low=0,
    )
    steps_per_execution: int = changeable(
        1,
        "Steps that a GPU makes before the host reads numbers and signals; "
        "intervals must be multiples of it.",
        low=1,
    )
    overwrite: bool = changeable(
        False,
        "Delete what the run's folder holds and start anew.",
        recorded=False,
    )
    wandb_project: str | None = changeable(
        None, "Weights & Biases project to mirror logs to."
    )


class FeatureSettings(Settings):
    """Where the features come from that images are compared by."""

    predictor: str | None = changeable(
        None,
        "Run folder of an attribute predictor of the same data set and image "
        "size: features to compare images by, and attributes to compare.",
        is_path=True,
    )
    inception_weights: str | None = changeable(
        None,
        "Weights of the Inception network of published Fréchet distances, "
        "pt_inception-2015-12-05-6726825d.pth of the project pytorch-fid or "
        "the same arrays in an .npz: features to compare images by, instead "
        "of the predictor's.",
        is_path=True,
    )
    inception_resize: str = changeable(
        "tensorflow",
        "How images are brought to Inception's 299 pixels: as in the original "
        "TensorFlow graph (also torch-fidelity), or as in pytorch-fid.",
        choices=CONVENTIONS,
    )


class EvaluationSettings(FeatureSettings):
    """What is scored while a model trains."""

    eval_every: int | None = changeable(
        None,
        "Steps between two evaluations on validation images, as "
        "vaegan-evaluate makes; with features, the best checkpoint is that "
        "of the lowest Fréchet distance of samples (default: never).",
        low=1,
    )
    eval_images: int = changeable(
        1000,
        "Images, and samples, in each of these; at most the validation split.",
        low=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("predictor", "inception_weights"):
            if getattr(self, name) and not self.eval_every:
                raise ValueError(
                    f"`{name}` is for evaluations while training: set "
                    "`eval_every` too, or evaluate with vaegan-evaluate "
                    f"afterwards. Received: {name}={getattr(self, name)!r}."
                )
