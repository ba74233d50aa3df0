import base64
import io
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from vaegan_tf import images as layout
from vaegan_tf.attributes import attribute_vectors
from vaegan_tf.attributes.edits import Editor
from vaegan_tf.report import gallery
from vaegan_tf.report.records import read_records
from vaegan_tf.runs import Run


def examples(record, count):
    return record.run.examples("test", count)


def outputs_of(folder, **arguments):
    (record,) = read_records([folder])
    numbers = {"num_samples": 4, "num_reconstructions": 3, **arguments}
    return gallery.generate(record, examples, **numbers)


def decoded(figure):
    head, _, content = figure.source.partition(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.mark.parametrize("kind", ["vae", "vaegan", "conditional"])
def test_a_model_generates(trained, kind):
    (record,) = read_records([trained(kind)])
    outputs = outputs_of(trained(kind), seed=5)
    assert outputs.step == 4
    assert outputs.problems == ()
    model, _ = record.run.model()
    test_images = record.run.examples("test", 4)
    attributes = test_images.get("attributes") if model.num_attributes else None
    expected = model.sample(4, 5, attributes).numpy()
    np.testing.assert_allclose(outputs.samples, expected, atol=1e-5)
    np.testing.assert_array_equal(outputs.originals, test_images["image"][:3])
    shown = {name: value[:3] for name, value in test_images.items()}
    np.testing.assert_allclose(
        outputs.reconstructions,
        model(model.as_example(shown)).numpy(),
        atol=1e-5,
    )


def test_parameters_of_each_network(trained):
    (record,) = read_records([trained("learned_metric_vae")])
    model, _ = record.run.model()
    assert outputs_of(trained("learned_metric_vae")).parameters == (
        ("encoder", model.encoder.count_params(), True),
        ("decoder", model.decoder.count_params(), True),
        ("discriminator", model.discriminator.count_params(), False),
    )


def test_a_gan_reconstructs_nothing(trained):
    outputs = outputs_of(trained("gan"))
    assert outputs.samples.shape == (4, 32, 32, 3)
    assert outputs.reconstructions is None
    assert outputs.problems == (
        "gan has no encoder, so it reconstructs nothing.",
    )


def test_a_run_with_attribute_vectors_shows_edits(trained, tmp_path):
    folder = shutil.copytree(trained("vaegan"), tmp_path / "vaegan")
    assert outputs_of(folder).edits is None
    vectors = attribute_vectors(folder, min_examples=5)
    outputs = outputs_of(folder)
    # Three images in cells of 36 pixels, two columns more than attributes.
    columns = 2 + len(vectors.names)
    body = outputs.edits[-(3 * 36 + 4) :]
    assert body.shape[1] == columns * 36 + 4
    np.testing.assert_array_equal(
        body[4:36, 4:36], layout.to_uint8(outputs.originals[0])
    )
    model = Run(folder).model()[0]
    way = vectors.direction({vectors.names[0]: gallery.EDIT_STRENGTH})
    edited = Editor(model).edit(outputs.originals, way)
    np.testing.assert_array_equal(
        body[4:36, 76:108], layout.to_uint8(edited[0])
    )
    pair = (read_records([folder])[0], outputs)
    (figure,) = gallery.attribute_figures([pair], "edits")
    np.testing.assert_array_equal(decoded(figure)[..., :3], outputs.edits)
    assert (figure.height, figure.width) == outputs.edits.shape[:2]


def test_a_run_without_a_checkpoint_shows_nothing(trained, tmp_path):
    record = (trained("vae") / "run.json").read_text()
    (tmp_path / "run.json").write_text(record)
    outputs = outputs_of(tmp_path)
    assert (outputs.step, outputs.samples, outputs.parameters) == (
        None,
        None,
        (),
    )
    (problem,) = outputs.problems
    assert problem.startswith(f"No images of {tmp_path.name}: There is no ch")


def test_data_that_are_gone_leave_samples(trained):
    def gone(record, count):
        raise FileNotFoundError("no folder of images")

    (record,) = read_records([trained("vae")])
    outputs = gallery.generate(record, gone, num_samples=2)
    assert outputs.samples.shape == (2, 32, 32, 3)
    assert outputs.reconstructions is None
    assert outputs.problems == ("No test images of vae: no folder of images",)
    (record,) = read_records([trained("conditional")])
    assert gallery.generate(record, gone).samples is None


def test_models_are_compared_on_the_same_images(make_record, make_outputs):
    pairs = [
        (make_record("a", 0), make_outputs(0)),
        (make_record("b", 1), make_outputs(1, originals=7)),
        (make_record("c", 2), make_outputs(2)),
        (make_record("d", 3), make_outputs(3, reconstructions=None)),
    ]
    parts = gallery.by_same_originals(pairs)
    assert [[r.label for r, _ in part] for part in parts] == [["a", "c"], ["b"]]


def test_models_of_one_latent_size_share_codes(make_record, make_outputs):
    sizes = {"a": 4, "b": 8, "c": 4, "d": 4}
    pairs = [
        (make_record(label, latent_dim=size), make_outputs())
        for label, size in sizes.items()
    ]
    pairs[3] = (pairs[3][0], make_outputs(samples=None))
    parts = gallery.by_latent_size(pairs)
    assert [(size, [r.label for r, _ in part]) for size, part in parts] == [
        (4, ["a", "c"]),
        (8, ["b"]),
    ]


def test_originals_stand_above_reconstructions(make_record, make_outputs):
    outputs = make_outputs()
    blocks = gallery.reconstruction_rows([(make_record("a"), outputs)], 10**6)
    # Ten images: a row of eight and one of two.
    assert [len(block) for block in blocks] == [2, 2]
    (first, second), (_, last) = blocks
    assert first.record is None
    assert first.alt == "8 test images, the originals"
    assert second.alt == "8 reconstructions by a"
    assert last.alt == "2 reconstructions by a"
    assert (first.width, first.height) == (8 * 34 + 2, 36)
    shown = decoded(first)
    np.testing.assert_array_equal(
        shown[2:34, 36:68, :3], layout.to_uint8(outputs.originals[1])
    )
    np.testing.assert_array_equal(
        decoded(last)[2:34, 2:34, :3],
        layout.to_uint8(outputs.reconstructions[8]),
    )


def test_the_page_shines_through_between_images(make_record, make_outputs):
    (figure,) = gallery.sample_figures([(make_record(), make_outputs())], 10**6)
    assert figure.alt == "9 samples of a"
    shown = decoded(figure)
    assert shown.shape == (3 * 34 + 2, 3 * 34 + 2, 4)
    assert (shown[:2, :, 3] == 0).all()
    assert (shown[2:34, 2:34, 3] == 255).all()
    assert (shown[..., 3] == 255).sum() == 9 * 32 * 32


def test_images_that_are_too_large_lose_a_little():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    whole, less = (
        gallery.encode_webp(noise, 10**6),
        gallery.encode_webp(noise, 10**3),
    )
    np.testing.assert_array_equal(Image.open(io.BytesIO(whole)), noise)
    assert len(less) < len(whole)
    assert Image.open(io.BytesIO(less)).size == (64, 64)


def test_test_images_are_those_of_the_run(trained, tiny_dir):
    (record,) = read_records([trained("vae")])
    data = json.loads((trained("vae") / "run.json").read_text())["settings"][
        "data"
    ]
    assert data["data_dir"] == str(tiny_dir)
    example = examples(record, 3)
    assert example["image"].shape == (3, 32, 32, 3)
    assert example["attributes"].shape == (3, 18)
