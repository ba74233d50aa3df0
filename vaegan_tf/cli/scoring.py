"""What the commands that score share: evaluators made of flags."""

from vaegan_tf.evaluation import Evaluator, Extractor, Inception
from vaegan_tf.predictor import load_predictor
from vaegan_tf.sampling import SAMPLERS, PriorSampler, create_sampler


def evaluator_while_training(flags, dataset):
    """The evaluator of a training; `None` if none was asked for.

    Args:
        flags: The command's flags.
        dataset: An `ImageDataset`.

    Raises:
        ValueError: If features were given that nothing would use, or do not
            fit.
    """
    if not flags.eval_every:
        for name in ("predictor", "inception_weights"):
            if flags[name].value:
                raise ValueError(
                    f"--{name} is for evaluations while training: give "
                    "--eval_every too, or evaluate with vaegan-evaluate "
                    "afterwards."
                )
        return None
    held_out = len(dataset.splits["validation"])
    return Evaluator(
        dataset,
        [PriorSampler(flags.latent_dim)],
        split="validation",
        num_images=min(flags.eval_images, held_out),
        extractor=extractor(flags),
        progress=False,
    )


def extractor(flags):
    """What the flags name to take features from; `None` if nothing.

    Args:
        flags: The command's flags.

    Raises:
        FileNotFoundError: If a folder or file is not there.
        ValueError: If it holds something else.
    """
    predictor = inception = None
    if flags.predictor:
        predictor = load_predictor(flags.predictor)
    if flags.inception_weights:
        inception = Inception(flags.inception_weights, flags.inception_resize)
    if predictor is None and inception is None:
        return None
    return Extractor(predictor, inception)


def samplers(flags, run):
    """Where codes come from, by the flags.

    Args:
        flags: The command's flags.
        run: The `Run` of the model they are for.

    Raises:
        ValueError: If a name is unknown, or the list is empty.
    """
    names = list(dict.fromkeys(flags.samplers))
    unknown = [name for name in names if name not in SAMPLERS]
    if unknown or not names:
        raise ValueError(
            f"--samplers takes {', '.join(SAMPLERS)}, separated by commas. "
            f"Received: {','.join(names)!r}."
        )
    return [
        create_sampler(
            run,
            name,
            checkpoint=flags.checkpoint,
            truncation=flags.truncation,
            num_components=flags.components,
        )
        for name in names
    ]
