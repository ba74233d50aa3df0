"""Which devices are taken, and what a process does of the common work."""

import json

import pytest
import tensorflow as tf

from vaegan_tf.training.distribution import (
    Distribution,
    LostWorkerError,
    create_distribution,
    read_cluster,
)

HOSTS = ["a:2222", "b:2222"]


def tf_config(cluster, **task):
    return json.dumps({"cluster": cluster, "task": task})


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)


@pytest.mark.parametrize("text", [None, "", "{}", '{"cluster": {}}'])
def test_no_cluster(text):
    assert read_cluster(text) is None


def test_the_first_worker_is_the_chief():
    cluster = read_cluster(tf_config({"worker": HOSTS}, type="worker", index=1))
    assert cluster.addresses == ("a:2222", "b:2222")
    assert cluster.worker == 1


def test_a_chief_comes_before_the_workers():
    tasks = {"worker": HOSTS, "chief": ["c:2222"]}
    places = [("chief", 0), ("worker", 0), ("worker", 1)]
    for number, (kind, index) in enumerate(places):
        # Kubeflow writes the index as a number, others as text.
        text = tf_config(tasks, type=kind, index=str(index))
        cluster = read_cluster(text)
        assert cluster.addresses == ("c:2222", "a:2222", "b:2222")
        assert cluster.worker == number


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("worker-0:2222", "it cannot be read"),
        ("[1]", "it cannot be read"),
        (tf_config({"worker": HOSTS}), r"its task, \(None, 0\), is not in"),
        (
            tf_config({"worker": HOSTS}, type="worker", index=2),
            r"its task, \('worker', 2\), is not in its cluster",
        ),
        (
            tf_config({"worker": HOSTS}, type="worker", index="one"),
            "it cannot be read",
        ),
        (
            tf_config({"worker": HOSTS, "ps": ["c:1"]}, type="worker", index=0),
            "it lists tasks of type 'ps'",
        ),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(text, reason):
    with pytest.raises(
        ValueError, match=f"TF_CONFIG must look like .*{reason}"
    ):
        read_cluster(text)


def test_one_device_by_default():
    actual = create_distribution()
    assert (actual.num_replicas, actual.num_workers) == (1, 1)
    assert actual.is_chief
    assert str(actual) == "One device."


def test_a_cluster_of_one_is_no_cluster(monkeypatch):
    text = tf_config({"worker": HOSTS[:1]}, type="worker", index=0)
    monkeypatch.setenv("TF_CONFIG", text)
    assert create_distribution().num_workers == 1


def test_auto_takes_logical_devices_if_there_are_any():
    actual = create_distribution(logical_cpus=2)
    assert (actual.num_replicas, actual.num_workers) == (2, 1)
    assert str(actual) == "2 replicas share out each batch."


def test_mirrored_takes_what_there_is():
    assert create_distribution("mirrored").num_replicas == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("two",), "`strategy` must be one of .* Received: strategy='two'"),
        (("one", 2), "`logical_cpus` is for strategy='mirrored'"),
        (("multi_worker",), "needs the environment variable TF_CONFIG"),
        (("mirrored", 3), "the processor has been cut into 2 already"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        create_distribution(*arguments)


def test_a_worker_that_cannot_join_names_its_address(monkeypatch):
    def fail():
        raise tf.errors.UnknownError(None, None, "Could not start gRPC server")

    text = tf_config({"worker": HOSTS}, type="worker", index=1)
    monkeypatch.setenv("TF_CONFIG", text)
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", fail)
    message = (
        r"^Worker 1 could not join the others: Could not start gRPC server\. "
        ".* Received: b:2222$"
    )
    with pytest.raises(LostWorkerError, match=message):
        create_distribution()


def test_devices_come_before_any_computation(monkeypatch):
    def fail():
        raise RuntimeError("Collective ops must be configured at startup")

    text = tf_config({"worker": HOSTS}, type="worker", index=1)
    monkeypatch.setenv("TF_CONFIG", text)
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", fail)
    with pytest.raises(ValueError, match="call `create_distribution` first"):
        create_distribution()


def test_a_lost_worker_is_said_in_a_line():
    lost = tf.errors.UnavailableError(
        None, None, "{{node x}} Socket closed\nat"
    )
    several = Distribution(worker=1, num_workers=2)
    message = (
        r"^Worker 1 of 2 stops, .* Start all of them again with the same "
        r"command: .* TensorFlow says: Socket closed$"
    )
    with pytest.raises(LostWorkerError, match=message), several.watched():
        raise lost


def test_alone_such_an_error_is_something_else():
    lost = tf.errors.UnavailableError(None, None, "Socket closed")
    with pytest.raises(tf.errors.UnavailableError), Distribution().watched():
        raise lost


def test_batches_are_shared_out_and_numbers_come_from_one_replica(two_replicas):
    def make_parts(parts, num_parts):
        assert num_parts == 2
        # Step s is the batch [2 s, 2 s + 1].
        return tf.data.Dataset.range(10).map(
            lambda n: tf.gather(parts, n % 2) + tf.cast(n // 2 * 2, tf.int32)
        )

    two = Distribution(two_replicas)
    total = tf.function(
        lambda value: two.run(
            lambda value: tf.distribute.get_replica_context().all_reduce(
                "SUM", value
            ),
            value,
        )
    )
    batches = two.batches(make_parts)
    sums = [int(total(value)) for _, value in zip(range(5), batches)]
    assert sums == [0 + 1, 2 + 3, 4 + 5, 6 + 7, 8 + 9]


def test_alone_all_is_near():
    alone, calls = Distribution(), []
    variable = tf.Variable(3)
    alone.from_chief([variable])
    alone.wait()
    assert alone.chief_first(lambda: calls.append(1) or 7) == 7
    assert (calls, int(variable)) == ([1], 3)
    assert alone.any(True) is True
    assert alone.any(False) is False


def test_a_value_of_each_worker_is_summed_up_once(two_replicas):
    """Of two replicas on one worker only one counts."""
    assert float(Distribution(two_replicas)._sum(tf.constant(4.0))) == 4
