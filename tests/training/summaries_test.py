import io
import logging
import os
import re
import sys
import types

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.backend.event_processing import (
    event_accumulator,
    plugin_event_accumulator,
)
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.projector import projector_config_pb2
from tensorboard.util import tensor_util

from vaegan_tf import images as pictures
from vaegan_tf.training import summaries

IMAGES = np.zeros((2, 4, 4, 3))


def read(folder):
    """TensorBoard's view of a log folder, everything kept."""
    guidance = {event_accumulator.TENSORS: 0}
    accumulator = plugin_event_accumulator.EventAccumulator(
        os.fspath(folder), size_guidance=guidance, tensor_size_guidance={}
    )
    return accumulator.Reload()


def curve(accumulator, tag):
    return [
        (event.step, tensor_util.make_ndarray(event.tensor_proto).item())
        for event in accumulator.Tensors(tag)
    ]


def only(accumulator, tag):
    (event,) = accumulator.Tensors(tag)
    return event.step, tensor_util.make_ndarray(event.tensor_proto)


def plugin(accumulator, tag):
    return accumulator.SummaryMetadata(tag).plugin_data.plugin_name


def hparams_data(accumulator, tag):
    content = accumulator.SummaryMetadata(tag).plugin_data.content
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    return getattr(data, data.WhichOneof("data"))


def test_scalars(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.scalars(1, {"loss/kl": 2.5, "rate": np.float32(0.25)})
        writer.scalars(3, {"loss/kl": 1.5})
    accumulator = read(tmp_path)
    assert curve(accumulator, "loss/kl") == [(1, 2.5), (3, 1.5)]
    assert curve(accumulator, "rate") == [(1, 0.25)]
    assert plugin(accumulator, "rate") == "scalars"


def test_scalars_may_be_nan(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.scalars(1, {"loss": float("nan")})
    ((step, value),) = curve(read(tmp_path), "loss")
    assert step == 1
    assert np.isnan(value)


def test_records_are_shown_before_close(tmp_path):
    writer = summaries.SummaryWriter(tmp_path)
    writer.scalars(1, {"loss": 2.0})
    assert curve(read(tmp_path), "loss") == [(1, 2.0)]
    writer.close()


def test_images(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.images(4, {"samples": picture})
    accumulator = read(tmp_path)
    assert plugin(accumulator, "samples") == "images"
    step, (width, height, content) = only(accumulator, "samples")
    assert (step, int(width), int(height)) == (4, 7, 5)
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image), picture)


def test_images_refuse_floats(tmp_path):
    with (
        summaries.SummaryWriter(tmp_path) as writer,
        pytest.raises(ValueError, match=r"image must be uint8.*float64"),
    ):
        writer.images(1, {"samples": np.zeros((2, 2, 3))})


def test_histograms_of_finite_values(tmp_path):
    array = np.array([[0.0, 3.0], [np.nan, 3.0]])
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.histograms(2, {"codes": array, "lost": np.array([np.inf])})
    accumulator = read(tmp_path)
    assert "lost" not in accumulator.Tags()["tensors"]
    assert plugin(accumulator, "codes") == "histograms"
    step, buckets = only(accumulator, "codes")  # rows of left, right, count
    assert step == 2
    np.testing.assert_allclose(buckets[0], [0.0, 0.1, 1])
    np.testing.assert_allclose(buckets[-1], [2.9, 3.0, 2])
    assert buckets[:, 2].sum() == 3


def test_hparams(tmp_path):
    settings = {
        "model": "vaegan",
        "width": np.int64(3),
        "gamma": 0.5,
        "ema": True,
        "unset": None,
        "rates": {"encoder": 0.25},
        "names": ["Hat", "Beard"],
    }
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.hparams(settings)
    accumulator = read(tmp_path)
    session = hparams_data(accumulator, hparams_metadata.SESSION_START_INFO_TAG)
    values = {
        name: getattr(value, value.WhichOneof("kind"))
        for name, value in session.hparams.items()
    }
    assert values == {
        "model": "vaegan",
        "width": 3.0,
        "gamma": 0.5,
        "ema": True,
        "rates/encoder": 0.25,
        "names": "Hat,Beard",
    }


def test_hparams_leave_the_choice_of_metrics_to_tensorboard(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.hparams({"gamma": 1})
    tags = read(tmp_path).Tags()["tensors"]
    assert tags == [hparams_metadata.SESSION_START_INFO_TAG]


def test_rewind_drops_later_steps(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        for step in (1, 2, 3):
            writer.scalars(step, {"loss": step})
        writer.rewind(1)
        writer.scalars(2, {"loss": 20})
    assert curve(read(tmp_path), "loss") == [(1, 1), (2, 20)]


def test_resumed_run_drops_the_killed_ones_later_steps(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        for step in (10, 20, 30):
            writer.scalars(step, {"loss": step, "seldom": step})
    # TensorBoard orders files by their time, here the same second.
    (name,) = os.listdir(tmp_path)
    older = "events.out.tfevents.0000000001.host"
    os.rename(tmp_path / name, tmp_path / older)
    with summaries.SummaryWriter(tmp_path, step=20) as writer:
        writer.scalars(25, {"loss": 7})
    accumulator = read(tmp_path)
    assert curve(accumulator, "loss") == [(10, 10), (20, 20), (25, 7)]
    assert curve(accumulator, "seldom") == [(10, 10), (20, 20)]


def test_projector(tmp_path):
    codes = np.array([[1.0, -2.5], [0.125, 1e-7], [3.0, 4.0]])
    images = np.full((3, 4, 4, 1), -1.0)
    labels = {
        "Hat": np.array([True, False, True]),
        "name": ["a\tb", "c\nd", ""],
    }
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.projector(codes, images, labels)
    config = text_format.Parse(
        (tmp_path / "projector_config.pbtxt").read_text(),
        projector_config_pb2.ProjectorConfig(),
    )
    (embedding,) = config.embeddings
    assert list(embedding.tensor_shape) == [3, 2]
    assert list(embedding.sprite.single_image_dim) == [4, 4]
    table = np.loadtxt(tmp_path / embedding.tensor_path, delimiter="\t")
    np.testing.assert_allclose(table, codes)
    assert (tmp_path / embedding.metadata_path).read_text() == (
        "Hat\tname\nyes\ta b\nno\tc d\nyes\t-\n"
    )
    sprite = pictures.read_png(tmp_path / embedding.sprite.image_path)
    assert sprite.shape == (8, 8, 3)
    assert sprite[::4, ::4, 0].tolist() == [[0, 0], [0, 255]]


def test_projector_with_one_label_has_no_header(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        images = np.zeros((2, 40, 40, 3))
        writer.projector(np.eye(2), images, {"Hat": [True, False]})
    assert (tmp_path / "metadata.tsv").read_text() == "yes\nno\n"
    assert pictures.read_png(tmp_path / "sprite.png").shape == (64, 64, 3)


def test_projector_without_labels(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.projector(np.eye(2), IMAGES)
    assert not (tmp_path / "metadata.tsv").exists()
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert "metadata_path" not in config


def test_projector_refuses(tmp_path):
    with summaries.SummaryWriter(tmp_path) as writer:
        with pytest.raises(ValueError, match="2 codes, 3 images"):
            writer.projector(np.eye(2), np.zeros((3, 4, 4, 3)))
        with pytest.raises(ValueError, match=r"labels \{'Hat': 1\}"):
            writer.projector(np.eye(2), IMAGES, {"Hat": [True]})
    assert not (tmp_path / "projector_config.pbtxt").exists()


def test_attribute_latents():
    codes = np.array([[3.0, 4.0], [9.0, 12.0], [0.0, 0.0], [0.0, 0.0]])
    attributes = np.array([[1, 1, 1], [1, 1, 1], [-1, 1, 0], [-1, 1, 0]])
    result = summaries.attribute_latents(codes, attributes, ["Hat", "All", "x"])
    # Means (6, 8) and (0, 0): the direction is (0.6, 0.8).
    assert set(result) == {
        "latents/Hat/with",
        "latents/Hat/without",
        "latents/x/with",
        "latents/x/without",
    }
    np.testing.assert_allclose(result["latents/Hat/with"], [5, 15])
    np.testing.assert_allclose(result["latents/Hat/without"], [0, 0])


def test_attribute_latents_without_a_direction():
    codes = np.array([[1.0], [1.0]])
    attributes = np.array([[True], [False]])
    assert summaries.attribute_latents(codes, attributes, ["Hat"]) == {}
    none = summaries.attribute_latents(codes, np.zeros((2, 0)), [])
    assert none == {}


def test_attribute_latents_refuse():
    with pytest.raises(ValueError, match=r"\(2, 3\), \(2, 1\), \['a', 'b'\]"):
        summaries.attribute_latents(
            np.zeros((2, 3)), np.zeros((2, 1)), ["a", "b"]
        )


class FakeWandb(types.ModuleType):
    """Records what would be sent; fails where a test says so."""

    def __init__(self, fail=None):
        super().__init__("wandb")
        self.fail, self.started, self.logged = fail, [], []
        self.finished = 0

    def init(self, **arguments):
        self._call("init")
        self.started.append(arguments)
        return self

    def log(self, values, step):
        self._call("log")
        self.logged.append((step, values))

    def finish(self):
        self._call("finish")
        self.finished += 1

    def Image(self, picture):  # noqa: N802
        return ("image", picture.shape)

    def Histogram(self, array):  # noqa: N802
        return ("histogram", array.tolist())

    def _call(self, name):
        if self.fail == name:
            raise RuntimeError(f"{name} has\nno network")


def write_one_of_each(folder, **options):
    with summaries.SummaryWriter(folder, **options) as writer:
        writer.scalars(1, {"loss": 2.0})
        writer.images(1, {"samples": np.zeros((4, 6, 3), np.uint8)})
        writer.histograms(2, {"codes": np.array([1.0, np.nan])})


def test_wandb_mirrors(tmp_path, monkeypatch):
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    write_one_of_each(
        tmp_path / "run", wandb_project="faces", config={"gamma": 1}
    )
    (arguments,) = wandb.started
    assert arguments["project"] == "faces"
    assert arguments["name"] == "run"
    assert arguments["config"] == {"gamma": 1}
    assert wandb.logged == [
        (1, {"loss": 2.0}),
        (1, {"samples": ("image", (4, 6, 3))}),
        (2, {"codes": ("histogram", [1.0])}),
    ]
    assert wandb.finished == 1
    assert curve(read(tmp_path / "run"), "loss") == [(1, 2.0)]


def test_wandb_run_keeps_its_id_when_resumed(tmp_path, monkeypatch):
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    for folder in ("a", "a", "b"):
        write_one_of_each(
            tmp_path / folder, wandb_project="faces", run_name="n"
        )
    first, resumed, other = [arguments["id"] for arguments in wandb.started]
    assert first == resumed != other
    assert [arguments["name"] for arguments in wandb.started] == ["n"] * 3
    assert {arguments["resume"] for arguments in wandb.started} == {"allow"}


def test_wandb_is_not_touched_unless_asked_for(tmp_path, monkeypatch):
    wandb = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    write_one_of_each(tmp_path)
    assert wandb.started == wandb.logged == []


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (None, "import of wandb halted"),
        (FakeWandb("init"), "init has no network"),
        (FakeWandb("log"), "log has no network"),
        (FakeWandb("finish"), "finish has no network"),
    ],
)
def test_wandb_failing_is_one_line(
    tmp_path, monkeypatch, caplog, module, reason
):
    monkeypatch.setitem(sys.modules, "wandb", module)
    with caplog.at_level(logging.INFO, logger="absl"):
        write_one_of_each(tmp_path, wandb_project="faces")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("Not mirroring to Weights & Biases: ")
    assert reason in lines[0]
    assert "\n" not in lines[0]
    assert curve(read(tmp_path), "loss") == [(1, 2.0)]


def test_the_papers_terms_share_the_custom_page(tmp_path):
    names = ("kl", "feature_nll", "real", "generated", "gamma")
    with summaries.SummaryWriter(tmp_path) as writer:
        writer.layout(names)
        writer.scalars(1, {"term/kl": 2.0, "validation/kl": 3.0})
    accumulator = read(tmp_path)
    tag = "custom_scalars__config__"
    assert plugin(accumulator, tag) == "custom_scalars"
    _, content = only(accumulator, tag)
    layout = layout_pb2.Layout.FromString(content.item())
    terms, objectives = layout.category
    charts = {chart.title: chart.multiline.tag[0] for chart in terms.chart}
    assert list(charts) == [
        "L_prior: kl",
        "L_llike of layers l: feature_nll",
        "-L_GAN: real, reconstructed, generated",
        "gamma",
    ]
    tags = [
        "term/kl",
        "validation/kl",
        "term/real",
        "term/generated",
        "loss/kl",
    ]

    def shown(pattern):
        return [tag for tag in tags if re.match(pattern, tag)]

    assert shown(charts["L_prior: kl"]) == ["term/kl", "validation/kl"]
    adversarial = charts["-L_GAN: real, reconstructed, generated"]
    assert shown(adversarial) == ["term/real", "term/generated"]
    assert shown(objectives.chart[0].multiline.tag[0]) == ["loss/kl"]
