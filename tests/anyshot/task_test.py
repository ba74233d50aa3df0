import numpy as np
import pytest

from tests.anyshot.conftest import write_shots
from vaegan_tf.anyshot.task import create_task
from vaegan_tf.anyshot.xlsa17 import read_xlsa17


@pytest.fixture(scope="module")
def table(toy):
    return read_xlsa17(toy)


def positions(table, part):
    """Where the examples of a part are in the table."""
    rows = {row.tobytes(): n for n, row in enumerate(table.features)}
    return {rows[feature.tobytes()] for feature in part.features}


def test_the_test_stage_is_the_proposed_split(table):
    task = create_task(table)
    assert positions(table, task.train) == set(table.locations["trainval"])
    assert positions(table, task.test_seen) == set(table.locations["test_seen"])
    assert positions(table, task.test_novel) == set(range(80, 120))
    assert task.seen.tolist() == [0, 1, 2, 3]
    assert task.novel.tolist() == [4, 5]
    assert task.classes.tolist() == [0, 1, 2, 3, 4, 5]


def test_validation_uses_no_test_example(table):
    task = create_task(table, "validation")
    tested = set(table.locations["test_seen"])
    tested |= set(table.locations["test_unseen"])
    parts = [
        positions(table, part)
        for part in (task.train, task.test_seen, task.test_novel)
    ]
    assert task.seen.tolist() == [0, 1]
    assert task.novel.tolist() == [2, 3]
    # 15 of 20 examples of a class are none of the test's; a fifth is held out.
    assert [len(part) for part in parts] == [24, 6, 30]
    assert not set.union(*parts) & tested
    assert len(set.union(*parts)) == 60


def test_shots_move_from_the_test_to_the_training(table):
    task = create_task(table, shots=3, seed=1)
    shots = task.train.of_classes(task.novel)
    assert np.bincount(shots.labels).tolist() == [0, 0, 0, 0, 3, 3]
    assert len(task.test_novel) == 34
    both = positions(table, shots) & positions(table, task.test_novel)
    assert not both
    again, other = (create_task(table, shots=3, seed=seed) for seed in (1, 2))
    chosen = [
        positions(table, each.train.of_classes(task.novel))
        for each in (task, again, other)
    ]
    assert chosen[0] == chosen[1] != chosen[2]


def test_shots_of_a_file_are_the_first_of_a_row(write):
    table = read_xlsa17(write_shots(write()), shots_file="shots.mat")
    for seed in (0, 1):
        task = create_task(table, shots=2, seed=seed)
        shots = task.train.of_classes(task.novel)
        # Of a class's examples 80 to 99 and 100 to 119, backwards.
        assert positions(table, shots) == {99, 98, 119, 118}
        tested = {*range(80, 90), *range(100, 110)}
        assert positions(table, task.test_novel) == tested
    with pytest.raises(ValueError, match=r"10 examples of 'class 5'.*shots=11"):
        create_task(table, shots=11)


def test_a_file_of_shots_is_none_of_the_validation_classes(write, table):
    few = read_xlsa17(write_shots(write()), shots_file="shots.mat")
    assert few.digest != table.digest
    chosen = [
        positions(each, create_task(each, "validation", shots=2).train)
        for each in (table, few)
    ]
    assert chosen[0] == chosen[1]


def test_shots_of_a_file_are_not_tested(write):
    both = {(4, 0): 81, (4, 1): 82}
    folder = write_shots(write(), both)
    task = create_task(read_xlsa17(folder, shots_file="shots.mat"), shots=2)
    assert len(task.test_novel) == 18
    alone = write_shots(write(), both, test_novel_loc=[[81], [82], [101]])
    with pytest.raises(ValueError, match="must leave something to test"):
        create_task(read_xlsa17(alone, shots_file="shots.mat"), shots=2)


def test_attributes_have_a_mean_square_of_1(table):
    attributes = create_task(table).class_attributes
    # (1, 1, 0) has the mean square 2/3: it is multiplied by √(3/2).
    np.testing.assert_allclose(attributes[2], [1.5**0.5, 1.5**0.5, 0], 1e-6)


def test_too_many_shots_are_refused(table):
    with pytest.raises(ValueError, match=r"20 examples of 'class 5'.*shots=20"):
        create_task(table, shots=20)
