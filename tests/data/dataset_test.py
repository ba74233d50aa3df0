import dataclasses
import itertools

import numpy as np
import pytest

from vaegan_tf.data import ImageDataset, Split, order

COUNT = 10


@pytest.fixture
def numbered(tmp_path):
    """Ten 8 × 8 images; image n is of value 10 n, its attribute n."""
    images = np.zeros([COUNT, 8, 8, 3], np.uint8)
    images += 10 * np.arange(COUNT, dtype=np.uint8)[:, None, None, None]
    np.save(tmp_path / "images.npy", images)
    attributes = np.arange(COUNT, dtype=np.float32)[:, None]
    split = Split(tmp_path / "images.npy", attributes)
    splits = dict.fromkeys(["train", "validation", "test"], split)
    return ImageDataset("numbered", (8, 8, 3), ("number",), splits)


def numbers(images, steps, **options):
    batches = images.train_batches(options.pop("batch_size", 4), **options)
    return [
        int(number)
        for batch in batches.take(steps).as_numpy_iterator()
        for number in batch["attributes"][:, 0]
    ]


def same(first, second):
    return all(
        one.keys() == other.keys()
        and all(np.array_equal(one[key], other[key]) for key in one)
        for one, other in zip(first, second, strict=True)
    )


def test_every_pass_is_a_permutation_and_batches_cross_its_end(numbered):
    stream = numbers(numbered, 15, seed=1)  # 60 images in fours: 6 passes
    passes = [stream[at : at + COUNT] for at in range(0, 60, COUNT)]
    for one in passes:
        assert sorted(one) == list(range(COUNT))
    assert len(set(map(tuple, passes))) > 3


@pytest.mark.parametrize("batch_size", [1, 3, 10, 25])
def test_the_stream_does_not_depend_on_the_batch_size(numbered, batch_size):
    expected = numbers(numbered, 25, seed=1)
    steps = 100 // batch_size
    found = numbers(numbered, steps, seed=1, batch_size=batch_size)
    assert found == expected[: len(found)]


@pytest.mark.parametrize("seed", [0, 1])
def test_every_example_comes_anywhere_in_a_pass(numbered, seed):
    """Places are uniform: χ² of 90 degrees of freedom (mean 90, σ 13)."""
    stream = numbers(numbered, 50, seed=seed, batch_size=100)
    passes = np.reshape(stream, [500, COUNT])
    counts = [np.bincount(places, minlength=COUNT) for places in passes.T]
    assert np.sum((np.array(counts) - 50.0) ** 2 / 50.0) < 160


@pytest.mark.parametrize("seed", [0, 1])
def test_passes_are_unlike_each_other(seed):
    """Few stay in place from pass to pass: one, if permutations are fair."""
    first, second = (
        order.shuffled_indices(step, 160, 160, seed).numpy() for step in (0, 1)
    )
    for one, other in ((first, np.arange(160)), (first, second)):
        assert np.sum(one == other) < 7
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.3


def test_seed_determines_the_order(numbered):
    assert numbers(numbered, 9, seed=1) == numbers(numbered, 9, seed=1)
    assert numbers(numbered, 9, seed=1) != numbers(numbered, 9, seed=2)


@pytest.mark.parametrize("augmentation", ["none", "flip", "authors"])
@pytest.mark.parametrize(("batch_size", "num_parts"), [(24, 4), (10, 4)])
def test_parts_make_up_the_batch(avatars, augmentation, batch_size, num_parts):
    options = {"seed": 5, "augmentation": augmentation, "start_step": 3}
    whole = avatars.train_batches(batch_size, **options).take(3)
    parts = [
        part
        for parts in ([0, 1], [2, 3])
        for part in [
            avatars.train_batches(
                batch_size, parts=parts, num_parts=num_parts, **options
            )
        ]
    ]
    halves = [list(part.take(6).as_numpy_iterator()) for part in parts]
    for step, batch in enumerate(whole.as_numpy_iterator()):
        pieces = [half[2 * step + n] for half in halves for n in (0, 1)]
        sizes = [len(piece["image"]) for piece in pieces]
        assert max(sizes) - min(sizes) == (batch_size % num_parts > 0)
        for key, value in batch.items():
            found = np.concatenate([piece[key] for piece in pieces])
            np.testing.assert_allclose(found, value, atol=1e-6)


def test_parts_have_static_shapes_if_they_are_even(numbered):
    for batch_size, count in ((8, 4), (7, None)):
        spec = numbered.train_batches(
            batch_size, seed=0, parts=[1], num_parts=2
        ).element_spec
        assert spec["image"].shape == (count, 8, 8, 3)


@pytest.mark.parametrize("augmentation", ["none", "flip", "authors"])
def test_resume_is_exact(avatars, augmentation):
    options = {"seed": 5, "augmentation": augmentation}
    whole = avatars.train_batches(24, **options).take(12)
    rest = avatars.train_batches(24, start_step=7, **options).take(5)
    whole = list(whole.as_numpy_iterator())
    assert same(whole[7:], list(rest.as_numpy_iterator()))


def test_augmentation_differs_between_passes(avatars):
    batches = avatars.train_batches(160, seed=0, augmentation="authors")
    first, second = batches.take(2).as_numpy_iterator()
    order = [np.lexsort(batch["attributes"].T) for batch in (first, second)]
    one, other = first["image"][order[0]], second["image"][order[1]]
    assert np.abs(one - other).max() > 0.1


def test_images_are_scaled_and_go_with_their_attributes(numbered):
    (batch,) = numbered.train_batches(10, seed=0).take(1).as_numpy_iterator()
    assert batch["image"].dtype == np.float32
    assert batch["image"].shape == (10, 8, 8, 3)
    expected = batch["attributes"][:, 0] * 10 / 127.5 - 1
    np.testing.assert_allclose(batch["image"][:, 3, 3, 1], expected, atol=1e-6)


def test_static_shapes(numbered):
    spec = numbered.train_batches(4, seed=0).element_spec
    assert spec["image"].shape == (4, 8, 8, 3)
    assert spec["attributes"].shape == (4, 1)


def test_batches_are_in_order_with_a_partial_last(numbered):
    batches = list(numbered.batches("test", 4).as_numpy_iterator())
    assert [len(batch["image"]) for batch in batches] == [4, 4, 2]
    found = np.concatenate([batch["attributes"][:, 0] for batch in batches])
    np.testing.assert_array_equal(found, np.arange(COUNT))


def test_without_attributes_the_key_is_absent(numbered):
    split = numbered.splits["train"]
    empty = np.zeros([COUNT, 0], np.float32)
    bare = dataclasses.replace(
        numbered,
        attribute_names=(),
        splits={"train": Split(split.images_path, empty)},
    )
    (batch,) = bare.train_batches(4, seed=0).take(1)
    assert set(batch) == {"image"}


def test_images_on_disk_give_the_same_batches(numbered):
    split = numbered.splits["train"]
    mapped = dataclasses.replace(split, memory_limit_bytes=100)
    assert isinstance(mapped.images, np.memmap)
    assert not isinstance(split.images, np.memmap)
    on_disk = dataclasses.replace(numbered, splits={"train": mapped})
    for batches in (
        lambda dataset: dataset.train_batches(
            4, seed=3, augmentation="flip"
        ).take(6),
        lambda dataset: dataset.batches("train", 4),
    ):
        assert same(
            list(batches(numbered).as_numpy_iterator()),
            list(batches(on_disk).as_numpy_iterator()),
        )


def test_images_are_read_only(numbered):
    with pytest.raises(ValueError, match="read-only"):
        numbered.splits["train"].images[0] = 0


def test_two_datasets_run_side_by_side(numbered):
    one = numbered.train_batches(4, seed=1).as_numpy_iterator()
    other = numbered.train_batches(4, seed=1).as_numpy_iterator()
    pairs = itertools.islice(zip(one, other), 5)
    assert all(same([first], [second]) for first, second in pairs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be at least 1. .*batch_size=0"),
        (
            {"start_step": -1},
            "`start_step` must be at least 0. .*start_step=-1",
        ),
        (
            {"num_parts": 5},
            "`batch_size` must be at least 5. .*batch_size=4",
        ),
        (
            {"augmentation": "mirror"},
            "`augmentation` must be one of none, flip, authors. "
            "Received: augmentation='mirror'",
        ),
        (
            {"split": "val"},
            "`split` must be one of train, validation, test. .*split='val'",
        ),
    ],
)
def test_refusals(numbered, options, message):
    arguments = {"batch_size": 4, "seed": 0, **options}
    with pytest.raises(ValueError, match=message):
        numbered.train_batches(**arguments)


def test_batches_refuse_an_unknown_split(numbered):
    with pytest.raises(ValueError, match="`split` must be one of"):
        numbered.batches("dev", 4)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1"):
        numbered.batches("train", 0)


def test_some_examples_are_spread_over_the_split(numbered):
    # n · 10 / 4, rounded down: 0, 2, 5, 7.
    positions = numbered.positions("train", 4)
    expected = [n * COUNT // 4 for n in range(4)]
    np.testing.assert_array_equal(positions, expected)
    batches = numbered.batches("train", 3, 4).as_numpy_iterator()
    found = [batch["attributes"][:, 0] for batch in batches]
    assert [len(part) for part in found] == [3, 1]
    np.testing.assert_array_equal(np.concatenate(found), expected)


def test_all_examples_are_all_positions(numbered):
    positions = numbered.positions("train")
    np.testing.assert_array_equal(positions, np.arange(COUNT))


@pytest.mark.parametrize("count", [0, COUNT + 1])
def test_other_numbers_of_examples_are_refused(numbered, count):
    message = rf"has {COUNT} images in its split train\. Asked for: {count}"
    with pytest.raises(ValueError, match=message):
        numbered.positions("train", count)


def test_labels_are_a_part_of_the_training_images(numbered):
    few = numbered.with_labels(3, seed=1)
    assert len(few.splits["train"]) == 3
    assert few.splits["test"] is numbered.splits["test"]
    (batch,) = few.batches("train", 8).as_numpy_iterator()
    rows = batch["attributes"][:, 0]
    assert len(set(rows)) == 3
    np.testing.assert_allclose(
        batch["image"][:, 0, 0, 0], rows * 10 / 127.5 - 1, atol=1e-6
    )
    assert set(numbers(few, 3, seed=0)) == set(rows)


def test_the_seed_draws_the_labels(numbered):
    def drawn(seed):
        return numbered.with_labels(3, seed).splits["train"]

    assert drawn(1).digest == drawn(1).digest != drawn(2).digest
    everything = numbered.with_labels(COUNT, 1).splits["train"]
    np.testing.assert_array_equal(everything.rows, np.arange(COUNT))


@pytest.mark.parametrize("count", [0, COUNT + 1])
def test_labels_that_are_not_there_are_refused(numbered, count):
    with pytest.raises(ValueError, match=f"Received: labels={count}"):
        numbered.with_labels(count, seed=0)
