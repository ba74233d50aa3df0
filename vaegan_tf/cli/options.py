"""What the user types: every flag of every command, and the only ones.

Each `define_*` function defines one group of flags on a `FlagValues` and
returns their names in the order in which `--help` shows them.
"""

import os

from absl import flags

DATASETS_HELP = (
    "Data set: avatars (drawn on this machine), celeb_a, celeb_a_files or "
    "image_folder (both read --source_dir), or any image data set of "
    "TensorFlow Datasets by name, such as mnist or cifar10."
)
NETWORKS = ("encoder", "decoder", "discriminator")
MODELS = ("vae", "gan", "vaegan", "learned_metric_vae")
STRATEGIES = ("auto", "one", "mirrored", "multi_worker")


class Group:
    """Defines flags on a `FlagValues` and remembers their names.

    Args:
        flag_values: Where the flags are defined.
    """

    def __init__(self, flag_values):
        self.flag_values = flag_values
        self.names = []

    def string(self, name, default, help_text):
        """A text."""
        self._define(flags.DEFINE_string, name, default, help_text)

    def strings(self, name, default, help_text):
        """Texts, separated by commas."""
        self._define(flags.DEFINE_list, name, default, help_text)

    def repeated(self, name, help_text):
        """Texts, one each time the flag is given."""
        self._define(flags.DEFINE_multi_string, name, None, help_text)

    def boolean(self, name, default, help_text):
        """A switch: --name or --noname."""
        self._define(flags.DEFINE_boolean, name, default, help_text)

    def choice(self, name, default, choices, help_text):
        """One of several words."""
        self._define(flags.DEFINE_enum, name, default, help_text, list(choices))

    def integer(self, name, default, help_text, low=None, high=None):
        """A whole number within bounds."""
        self._define(
            flags.DEFINE_integer,
            name,
            default,
            help_text,
            lower_bound=low,
            upper_bound=high,
        )

    def number(self, name, default, help_text, low=None, high=None):
        """A real number within bounds."""
        self._define(
            flags.DEFINE_float,
            name,
            default,
            help_text,
            lower_bound=low,
            upper_bound=high,
        )

    def _define(self, definer, name, default, help_text, *args, **kwargs):
        if definer is flags.DEFINE_enum:
            definer(
                name, default, *args, help_text, flag_values=self.flag_values
            )
        else:
            definer(
                name, default, help_text, flag_values=self.flag_values, **kwargs
            )
        self.names.append(name)


def define_data(flag_values):
    """Which images, and what is done to them before a network sees them."""
    group = Group(flag_values)
    group.string("dataset", "avatars", DATASETS_HELP)
    group.string(
        "data_dir",
        None,
        "Folder of prepared data sets, or a URL to copy them from, such as "
        "gs://bucket/data (default: that of TensorFlow Datasets, "
        "~/tensorflow_datasets).",
    )
    group.string(
        "source_dir",
        None,
        "Your own files: the folder of images, or the folder that holds "
        "CelebA's archive and lists.",
    )
    group.integer(
        "image_size", 64, "Height and width of images: 32, 64 or 128 pixels."
    )
    group.integer("num_channels", 3, "3 for colour, 1 for grey.")
    group.strings(
        "attributes",
        None,
        "Attributes to keep, in this order (default: all the data set has).",
    )
    group.choice(
        "crop",
        "auto",
        ("auto", "celeb", "square", "none"),
        "Part of the image to keep: celeb is rows 40 to 188 and columns 15 to "
        "163 of CelebA, as in the authors' code; square the central square; "
        "auto chooses by data set.",
    )
    return group.names


def define_augmentation(flag_values):
    """How training images are varied."""
    group = Group(flag_values)
    group.choice(
        "augmentation",
        "flip",
        ("none", "flip", "authors"),
        "Variation of training images: mirrored half of the time, or also "
        "moved, scaled, turned and tinted a little as in the authors' code.",
    )
    return group.names


def define_model(flag_values):
    """Which model, on which networks, minimising what."""
    group = Group(flag_values)
    group.choice("model", "vaegan", MODELS, "The model to train.")
    _define_networks(group)
    _define_objectives(group)
    _define_adversary(group)
    return group.names


def _define_networks(group):
    group.boolean(
        "conditional", False, "Give the networks the attributes as input."
    )
    group.integer("latent_dim", 128, "Dimension of the latent code.", low=1)
    group.number(
        "width",
        1.0,
        "Multiplies the channels and units of every layer; 0.5 trains about "
        "three times as fast.",
        low=0.01,
    )
    group.integer(
        "encoder_units",
        2048,
        "Units of the encoder's fully connected layer: 2048 in the paper, "
        "1024 in the authors' code.",
        low=1,
    )
    group.boolean(
        "center_codes",
        True,
        "Make codes average to 0 over the data, as the prior does, by a batch "
        "normalisation of the posterior mean (not in the paper).",
    )
    group.integer(
        "feature_layer",
        None,
        "Layer l of the learned distance, as the number of downsamplings "
        "before it (default: the third, or the last).",
        low=1,
    )
    _define_weights(group)


def _define_weights(group):
    group.choice(
        "initializer",
        "glorot",
        ("glorot", "authors"),
        "First values of kernels.",
    )
    group.number(
        "weight_decay",
        0.0,
        "Penalty on the squares of kernels; 1e-5 in the authors' code.",
        low=0.0,
    )
    group.number(
        "ema_momentum",
        0.999,
        "Momentum of the running average of the decoder that draws samples; "
        "0 for none.",
        low=0.0,
        high=1.0,
    )


def _define_objectives(group):
    group.number(
        "gamma",
        None,
        "Weight of the feature error against fooling the discriminator, in "
        "the decoder: the paper's gamma (default: 41 over the number of "
        "features, 0.0025 for the paper's networks).",
    )
    group.number(
        "reconstruction_weight",
        None,
        "The authors' w, instead of gamma: weight w of the feature error and "
        "1 - w of fooling the discriminator.",
    )
    group.number(
        "kl_weight",
        None,
        "Weight of the divergence from the prior in the encoder; 1 in the "
        "paper. Higher: better samples, less faithful reconstructions "
        "(default: 1 for a vae or --feature_scale=unit; else the number of "
        "features over 820, 20 for the paper's networks).",
        low=0.0,
    )
    group.choice(
        "feature_scale",
        "batch",
        ("unit", "batch"),
        "Features in the feature error: as they are, as in the paper, or in "
        "units of their standard deviation over the batch.",
    )
    group.boolean(
        "discriminate_reconstructions",
        True,
        "Let the discriminator learn from reconstructions too.",
    )


def _define_adversary(group):
    group.choice(
        "adversarial",
        None,
        ("minimax", "non_saturating"),
        "What the decoder minimises to fool the discriminator: minimax as in "
        "the paper, the default but for gan, or -log D.",
    )
    group.number(
        "real_weight",
        None,
        "Weight of real images in the discriminator, generated ones weighing "
        "1 minus it (default: all weigh 1).",
    )
    group.number(
        "log_epsilon",
        0.0,
        "Added inside the discriminator's logarithms; 1e-3 in the authors' "
        "code.",
        low=0.0,
    )
    group.choice(
        "batch_statistics",
        None,
        ("joint", "paired", "separate"),
        "Which images share batch statistics: all in a network, as "
        "paired in the authors' code, or each kind by itself, which keeps the "
        "discriminator from winning early (default: joint for gan, else "
        "separate).",
    )
    group.number(
        "equilibrium_margin",
        None,
        "Margin of the equilibrium rule, which skips updates of the network "
        "that is ahead; 0.35 in the authors' code (default: no rule).",
    )
    group.string(
        "discriminator_from",
        None,
        "Run folder of the trained GAN whose discriminator measures distance "
        "in --model=learned_metric_vae.",
    )


def define_optimisation(flag_values):
    """How far and how often to step."""
    group = Group(flag_values)
    group.integer("batch_size", 64, "Images in a step, all devices.", low=1)
    group.integer("train_steps", 20_000, "Steps to train for.", low=1)
    group.choice(
        "optimizer", "rmsprop", ("rmsprop", "adam"), "How gradients are used."
    )
    group.number("learning_rate", 3e-4, "Learning rate of all networks.")
    for network in NETWORKS:
        group.number(
            f"{network}_learning_rate", None, f"Another rate for the {network}."
        )
    group.choice(
        "learning_rate_decay",
        "none",
        ("none", "authors", "cosine"),
        "How rates fall over the training.",
    )
    group.number(
        "final_learning_rate", 1.6e-7, "What rates fall to at the last step."
    )
    group.number(
        "beta_1", 0.5, "Adam's averaging of the gradient.", low=0.0, high=1.0
    )
    group.choice(
        "precision",
        "auto",
        ("auto", "float32", "bfloat16", "float16"),
        "Format that networks compute in; auto is bfloat16 where the hardware "
        "is fast at it.",
    )
    return group.names


def define_run(flag_values):
    """Where a run lies, and when something is written."""
    group = Group(flag_values)
    group.string("model_dir", None, "The run's folder.")
    group.integer(
        "seed", 0, "Seed of weights, data order, noise and splits.", low=0
    )
    group.choice(
        "strategy",
        "auto",
        STRATEGIES,
        "Devices that share out each batch: one; all GPUs of this machine; or "
        "those of all machines that TF_CONFIG lists. auto takes what there is. "
        "The model is the same.",
    )
    group.integer(
        "logical_cpus",
        0,
        "Cut the processor into so many devices, to try --strategy=mirrored "
        "without GPUs; no faster (0: do not).",
        low=0,
    )
    group.boolean(
        "deterministic",
        False,
        "Compute the same bits every time, at some cost in speed.",
    )
    group.integer("log_every", 50, "Steps between two logs.", low=1)
    group.integer(
        "checkpoint_every", 500, "Steps between two checkpoints.", low=1
    )
    group.integer("sample_every", 500, "Steps between two pictures.", low=1)
    group.integer("keep_checkpoints", 3, "Newest checkpoints to keep.", low=1)
    group.integer(
        "nan_retries",
        0,
        "How often to go back to the last checkpoint, with other noise, when "
        "a number is not finite or runs away.",
        low=0,
    )
    group.integer(
        "steps_per_execution",
        1,
        "Steps that a GPU makes before the host looks at numbers and signals; "
        "intervals must be multiples of it.",
        low=1,
    )
    group.boolean(
        "overwrite", False, "Delete what the run's folder holds, start anew."
    )
    group.string(
        "wandb_project", None, "Weights & Biases project to mirror logs to."
    )
    return group.names


def define_use(flag_values):
    """Which trained model to use."""
    group = Group(flag_values)
    group.string("model_dir", None, "Folder of the trained run.")
    define_checkpoint(group)
    flags.mark_flag_as_required("model_dir", flag_values=flag_values)
    return group.names


def define_checkpoint(group):
    """Which of a run's checkpoints."""
    group.choice(
        "checkpoint",
        "latest",
        ("latest", "best"),
        "Which checkpoint: the newest, or the one of the best score (of "
        "reconstructions, or of samples after a training with --eval_every).",
    )


def define_features(group):
    """Where the features come from that images are compared by."""
    group.string(
        "predictor",
        None,
        "Run folder of an attribute predictor of the same data set and image "
        "size: features to compare images by, and attributes to compare.",
    )
    group.string(
        "inception_weights",
        None,
        "Weights of the Inception network of published Frechet distances, "
        "pt_inception-2015-12-05-6726825d.pth of the project pytorch-fid or "
        "the same arrays in an .npz: features to compare images by, instead "
        "of the predictor's.",
    )
    group.choice(
        "inception_resize",
        "tensorflow",
        ("tensorflow", "pytorch"),
        "How images are brought to Inception's 299 pixels: as in the original "
        "TensorFlow graph (also torch-fidelity), or as in pytorch-fid.",
    )


def define_evaluation(flag_values):
    """What is scored while a model trains."""
    group = Group(flag_values)
    group.integer(
        "eval_every",
        None,
        "Steps between two evaluations on validation images, as "
        "vaegan-evaluate makes; with features, the best checkpoint is that "
        "of the lowest Frechet distance of samples (default: never).",
        low=1,
    )
    group.integer(
        "eval_images",
        1000,
        "Images, and samples, in each of these; at most the validation split.",
        low=1,
    )
    define_features(group)
    return group.names


def define_sampler(flag_values):
    """Where codes come from."""
    group = Group(flag_values)
    group.choice(
        "sampler",
        "prior",
        ("prior", "mixture", "truncated"),
        "Codes from the prior; from a Gaussian mixture fitted to the codes of "
        "the training images, which models with an encoder have; or from the "
        "prior within --truncation.",
    )
    define_sampler_settings(group)
    return group.names


def define_sampler_settings(group):
    """What samplers can be told."""
    group.number(
        "truncation",
        1.5,
        "Largest magnitude of a coordinate of a truncated code: smaller for "
        "more typical images, larger for more different ones.",
        low=0,
    )
    define_components(group)


def define_components(group):
    """How fine a mixture is."""
    group.integer(
        "components",
        None,
        "Gaussians of the mixture (default: those of the mixture that was "
        "fitted before, else as many as the training images allow, 10 at "
        "most).",
        low=1,
    )


def sampler_arguments(flags):
    """Arguments of `create_sampler`.

    Raises:
        ValueError: If a flag was given that belongs to another sampler.
    """
    for name, owner in (("truncation", "truncated"), ("components", "mixture")):
        if flags[name].present and flags.sampler != owner:
            raise ValueError(f"--{name} is for --sampler={owner}.")
    return {
        "name": flags.sampler,
        "checkpoint": flags.checkpoint,
        "truncation": flags.truncation,
        "num_components": flags.components,
    }


def define_output(group, default):
    """Where pictures go."""
    group.string(
        "output", default, "File to write; a folder if it ends in a slash."
    )


def define_condition(flag_values):
    """What a conditional model is told."""
    group = Group(flag_values)
    group.strings(
        "condition",
        None,
        "Attributes of a conditional model: those present, such as "
        "Eyeglasses,Smiling, or name=value; all others are 0.",
    )
    return group.names


def define_seed(flag_values):
    """The seed, where nothing else of a run is defined."""
    group = Group(flag_values)
    group.integer("seed", 0, "Seed of splits the source does not have.", low=0)
    return group.names


def data_arguments(flags):
    """Arguments of `load_dataset`."""
    return {
        "name": flags.dataset,
        "data_dir": flags.data_dir,
        "source_dir": flags.source_dir,
        "image_size": flags.image_size,
        "num_channels": flags.num_channels,
        "attributes": flags.attributes,
        "crop": flags.crop,
        "seed": flags.seed,
    }


def data_record(arguments, attribute_names):
    """What a run remembers of its data, true in every working folder.

    Args:
        arguments: Those of `load_dataset`.
        attribute_names: Names of the data set's attributes.
    """
    folders = {
        name: _absolute(arguments[name]) for name in ("data_dir", "source_dir")
    }
    return {**arguments, **folders, "attribute_names": list(attribute_names)}


def check_model(flags):
    """Refuses flags of the model before a data set is prepared for it.

    Raises:
        ValueError: If a flag was set that the model does not have, or no
            network takes such images.
    """
    from vaegan_tf.models import MODELS
    from vaegan_tf.networks import blocks

    blocks.check_image(flags.image_size, flags.num_channels)
    known = {name: _flags_of(model) for name, model in MODELS.items()}
    own = known.pop(flags.model)
    for name in sorted(set().union(*known.values()) - own):
        if flags[name].value != flags[name].default:
            raise ValueError(
                f"--{name} does not apply to --model={flags.model}."
            )


def model_arguments(flags, attribute_names):
    """Arguments of `create_model`.

    Args:
        flags: The command's flags.
        attribute_names: Names of the data set's attributes.

    Raises:
        ValueError: If a flag was set that the model does not have, or a
            conditional model has no attributes to be told.
    """
    from vaegan_tf.models import MODELS

    check_model(flags)
    settings = MODELS[flags.model].settings
    if flags.conditional and not attribute_names:
        raise ValueError(
            f"--conditional needs attributes, and {flags.dataset} has none."
        )
    arguments = (
        "model",
        "image_size",
        "num_channels",
        "latent_dim",
        "width",
        "encoder_units",
        "center_codes",
        "feature_layer",
        "initializer",
        "weight_decay",
        "ema_momentum",
        *settings,
    )
    return {
        **{name: flags[name].value for name in arguments},
        **_model_defaults(flags, settings),
        "num_attributes": len(attribute_names) if flags.conditional else 0,
    }


def _model_defaults(flags, settings):
    """Settings whose defaults depend on the model, where none was given.

    The feature error sums over all features of layer l, so that its weights
    must follow their number. These two gave faces at several widths.

    Where each kind of image has statistics of its own, the discriminator does
    not see what all generated images have in common. The feature error makes
    up for that; a GAN has none, and drew one texture for all codes.
    """
    from vaegan_tf.networks import num_features

    count = num_features(flags.image_size, flags.width, flags.feature_layer)
    by_pixels = "feature_scale" not in settings
    plain = by_pixels or flags.feature_scale == "unit"
    alone = flags.model == "gan"
    defaults = {
        "adversarial": "non_saturating" if alone else "minimax",
        "batch_statistics": "joint" if alone else "separate",
        "gamma": 41 / count,
        "kl_weight": 1.0 if plain else count / 820,
    }
    return {
        name: default if flags[name].value is None else flags[name].value
        for name, default in defaults.items()
        if name in settings
    }


def training_arguments(flags):
    """Arguments of `train`, but for run, data and model."""
    return {
        **_values(
            flags,
            "train_steps",
            "batch_size",
            "augmentation",
            "precision",
            "seed",
            "deterministic",
            "discriminator_from",
            "keep_checkpoints",
            "nan_retries",
            "steps_per_execution",
            "overwrite",
            "wandb_project",
        ),
        "intervals": _values(
            flags,
            "log_every",
            "checkpoint_every",
            "sample_every",
            "eval_every",
        ),
        "optimisation": {
            **_values(
                flags,
                "optimizer",
                "learning_rate",
                "learning_rate_decay",
                "final_learning_rate",
                "beta_1",
            ),
            "learning_rates": {
                network: flags[f"{network}_learning_rate"].value
                for network in NETWORKS
            },
        },
    }


def _values(flags, *names):
    return {name: flags[name].value for name in names}


def _flags_of(model):
    """Names of the flags that not every model has, of those this one has."""
    rates = {f"{name}_learning_rate" for name in model.trained_networks}
    frozen = set(model.network_names) - set(model.trained_networks)
    return {
        *model.settings,
        *rates,
        *[f"{name}_from" for name in frozen],
    }


def _absolute(path):
    if path is None or "://" in path:
        return path
    return os.path.abspath(os.path.expanduser(path))
