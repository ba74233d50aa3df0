import shutil

import numpy as np
import pytest
from PIL import Image

from examples import invert_features
from tests.conftest import call_train
from vaegan_tf.anyshot import dataset


@pytest.fixture
def run(tiny_dir, tmp_path, monkeypatch):
    """A run on the features of 256 avatars, of two steps."""
    data_dir = shutil.copytree(tiny_dir, tmp_path / "data")
    read = dataset.read_avatars_anyshot
    monkeypatch.setattr(
        dataset,
        "read_avatars_anyshot",
        lambda place: read(place, "avatars/tiny"),
    )
    folder = tmp_path / "run"
    call_train(
        f"--model_dir={folder}",
        f"--data_dir={data_dir}",
        "--model=f_vae",
        "--hidden_units=4",
        "--train_steps=2",
        "--log_every=2",
    )
    return folder, data_dir


def test_a_row_for_each_unseen_class(run, tmp_path):
    folder, data_dir = run
    output = tmp_path / "features.png"
    invert_features.main(folder, output, 1, data_dir, "avatars/tiny")
    picture = np.asarray(Image.open(output))
    # Ten classes; four real images and twice four pictures of 32 pixels, each
    # panel framed and parted by 2.
    side = 32 + 2
    assert picture.shape == (10 * side + 2, 3 * (4 * side + 2), 3)
    assert picture.std(axis=(0, 1)).min() > 0
