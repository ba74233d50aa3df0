"""Which images, and what is done to them before a network sees them?"""

from vaegan_tf.settings.fields import (
    REQUIRED,
    Settings,
    changeable,
    setting,
)

CROPS = ("auto", "celeb", "square", "none")


class SourceSettings(Settings):
    """Where a data set comes from."""

    dataset: str = setting(REQUIRED, "Name of the data set.")
    data_dir: str | None = changeable(
        None,
        "Folder of prepared data sets, or a URL to copy them from, such as "
        "gs://bucket/data (default: that of TensorFlow Datasets, "
        "~/tensorflow_datasets).",
        is_path=True,
        may_be_url=True,
    )
    source_dir: str | None = setting(
        None, "Your own files: the folder that holds them.", is_path=True
    )


class DataSettings(SourceSettings):
    """The data set."""

    dataset: str = setting(
        "avatars",
        "Data set: avatars (drawn on this machine), celeb_a, celeb_a_files or "
        "image_folder (both read --source_dir), or any image data set of "
        "TensorFlow Datasets by name, such as mnist or cifar10.",
    )
    source_dir: str | None = setting(
        None,
        "Your own files: the folder of images, or the folder that holds "
        "CelebA's archive and lists.",
        is_path=True,
    )
    image_size: int = setting(
        64, "Height and width of images in pixels.", choices=(32, 64, 128)
    )
    num_channels: int = setting(3, "3 for colour, 1 for grey.", choices=(1, 3))
    attributes: tuple[str, ...] | None = setting(
        None,
        "Attributes to keep, in this order (default: all the data set has).",
    )
    crop: str = setting(
        "auto",
        "Part of the image to keep: celeb is rows 40 to 188 and columns 15 to "
        "163 of CelebA, as in the authors' code; square the central square; "
        "auto chooses by data set.",
        choices=CROPS,
    )
    memory_limit: float | None = changeable(
        None,
        "GiB of images that a split may hold in memory; those of larger ones "
        "are read from the disk (default: 4, or a third of the memory that is "
        "free if that is less).",
        low=0,
    )


class LabelledDataSettings(DataSettings):
    """The data set of a predictor."""

    labels: int | None = setting(
        None,
        "Train on so many labelled images, drawn by the seed from the training "
        "split (default: all).",
        low=1,
    )
