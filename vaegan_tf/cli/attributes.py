"""Computes the visual attribute vectors of a trained model.

Encodes a part of the data set and finds, for each attribute, directions in
latent space: the plain difference of mean codes, a balanced one between sides
that are otherwise alike, and one orthogonal to the other attributes'. Prints
how well each tells held-out codes apart. Keeps the vectors in the run's folder
attributes/, beside pictures of the cosines between them.
"""

from vaegan_tf.cli import app
from vaegan_tf.cli.options import TrainedModel
from vaegan_tf.settings import Settings, setting
from vaegan_tf.settings.choices import SPLITS
from vaegan_tf.tables import table


class VectorSettings(Settings):
    """Which images the vectors come from."""

    split: str = setting(
        "train", "Part of the data set to encode.", choices=SPLITS
    )
    max_images: int = setting(
        50_000, "So many images of it at most, evenly spaced.", low=1
    )
    min_examples: int = setting(
        20,
        "Leave out attributes that fewer images have, or that fewer lack.",
        low=1,
    )


def main(model: TrainedModel, images: VectorSettings) -> None:
    """Loads model and images, computes, shows and keeps."""
    from vaegan_tf.attributes import attribute_vectors
    from vaegan_tf.attributes.figures import cosine_chart
    from vaegan_tf.images import write_png

    run = model.run
    vectors = attribute_vectors(
        run, checkpoint=model.checkpoint, **images.as_dict(), anew=True
    )
    rows = [
        {
            "attribute": name,
            "with": str(vectors.counts[k, 0]),
            "without": str(vectors.counts[k, 1]),
            **{
                f"{kind}: {what}": float(values[k])
                for kind in vectors.vectors
                for what, values in (
                    ("norm", vectors.norms(kind)),
                    ("accuracy", vectors.accuracies[kind]),
                )
            },
        }
        for k, name in enumerate(vectors.names)
    ]
    app.show(table(rows, len(rows)))
    if vectors.left_out:
        app.show(f"Too few examples: {', '.join(vectors.left_out)}.\n")
    for kind in vectors.vectors:
        chart = cosine_chart(vectors.cosines(kind), vectors.names)
        write_png(run.vectors.with_name(f"cosines-{kind}.png"), chart)
    app.show(f"Written to {run.vectors.parent}.\n")


command = app.Command(main, __doc__)


if __name__ == "__main__":
    command()
