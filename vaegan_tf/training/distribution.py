"""On how many devices? One, all of a machine, or those of several machines."""

import contextlib
import dataclasses
import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import tensorflow as tf
from absl import logging

from vaegan_tf import hardware
from vaegan_tf.errors import first_line
from vaegan_tf.settings import check
from vaegan_tf.settings.training import STRATEGIES
from vaegan_tf.training.patience import Patience

T = TypeVar("T")
_TASKS = ("chief", "worker")

# What is raised by the workers that are left when one of them is gone.
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
    tf.errors.FailedPreconditionError,
)


class LostWorkerError(OSError):
    """Another worker of the run is gone, or cannot be reached."""


@dataclasses.dataclass(frozen=True)
class Distribution:
    """The replicas of a run, and this process's place among them.

    A replica is a device that holds a copy of the model and computes on its
    rows of each batch; a worker is a process with some of the replicas. The
    chief, worker 0, reads and writes all files of a run.

    Args:
        strategy: By default TensorFlow's own, of one device.
        worker: Number of this worker, from 0.
        num_workers: How many there are.
    """

    strategy: tf.distribute.Strategy = dataclasses.field(
        default_factory=tf.distribute.get_strategy
    )
    worker: int = 0
    num_workers: int = 1

    @functools.cached_property
    def patience(self) -> Patience:
        """What warns when this worker waits for long."""
        return Patience(f"Worker {self.worker} of {self.num_workers}")

    @property
    def is_chief(self) -> bool:
        """Whether this worker reads and writes the run's files."""
        return self.worker == 0

    @property
    def num_replicas(self) -> int:
        """Replicas of all workers."""
        return self.strategy.num_replicas_in_sync

    @property
    def replicas_here(self) -> int:
        """Replicas of this worker."""
        return self.num_replicas // self.num_workers

    def __str__(self) -> str:
        if self.num_replicas == self.num_workers == 1:
            return "One device."
        each = f"{self.num_replicas} replicas share out each batch"
        if self.num_workers == 1:
            return f"{each}."
        role = ", the chief" if self.is_chief else ""
        return (
            f"{each}, on {self.num_workers} workers; this is worker "
            f"{self.worker}{role}."
        )

    def scope(self) -> contextlib.AbstractContextManager:
        """Where the model and its optimizers are made."""
        return self.strategy.scope()

    def batches(self, make_parts: Callable[..., tf.data.Dataset]) -> Iterable:
        """Batches for `run`, each replica having its own rows.

        Args:
            make_parts: `ImageDataset.train_batches` but for `parts` and
                `num_parts`.
        """
        if self.num_replicas == 1:
            return make_parts(parts=[0], num_parts=1)
        first = self.worker * self.replicas_here
        parts = list(range(first, first + self.replicas_here))

        def own(_: Any) -> tf.data.Dataset:
            batches = make_parts(parts=parts, num_parts=self.num_replicas)
            # Or workers would ask each other at every step if one has ended.
            endless = tf.data.experimental.assert_cardinality(
                tf.data.experimental.INFINITE_CARDINALITY
            )
            return batches.apply(endless)

        return self.strategy.distribute_datasets_from_function(own)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs a function on every replica, which returns equal numbers.

        Args:
            function: Returns a structure of tensors, which this returns too.
            *args: Its arguments; elements of `batches` are shared out.
        """
        return tf.nest.map_structure(
            lambda value: self.strategy.experimental_local_results(value)[0],
            self.strategy.run(function, args=args),
        )

    def any(self, flag: bool) -> bool:
        """Whether a flag is set on any worker; all have to ask."""
        if self.num_workers == 1:
            return flag
        total = int(self._sum(tf.constant(flag, tf.float32)))
        self.patience.moved()
        return total > 0

    def wait(self) -> None:
        """Waits until every worker has come here."""
        self.any(False)

    def from_chief(self, variables: Iterable[Any]) -> None:
        """Gives variables the values that they have on the chief."""
        if self.num_workers == 1:
            return
        for variable in variables:
            value = tf.convert_to_tensor(variable)
            # Integers are not summed up on every kind of device.
            wide = tf.float64 if value.dtype.is_integer else value.dtype
            own = tf.cast(value, wide)
            total = self._sum(own if self.is_chief else tf.zeros_like(own))
            with self.scope():
                variable.assign(tf.cast(total, value.dtype))

    def chief_first(self, function: Callable[[], T]) -> T:
        """Calls a function on the chief, then on all others."""
        if not self.is_chief:
            self.wait()
        result = function()
        if self.is_chief:
            self.wait()
        return result

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Warns when another worker halts, raises when it is gone.

        Raises:
            LostWorkerError: If another worker is gone.
        """
        alone = self.num_workers == 1
        try:
            with contextlib.nullcontext() if alone else self.patience:
                yield
        except _LOST as error:
            if alone:
                raise
            raise LostWorkerError(
                f"Worker {self.worker} of {self.num_workers} stops, for "
                "another one has stopped or cannot be reached (its own log "
                "may say why). Start all of them again with the same command: "
                "the run resumes from its last checkpoint. "
                f"TensorFlow says: {first_line(error)}"
            ) from error

    def _sum(self, value: tf.Tensor) -> tf.Tensor:
        """Sums a value of each worker; in float32 or float64."""

        def of_replica(context: Any) -> tf.Tensor:
            first = context.replica_id_in_sync_group % self.replicas_here == 0
            return value if first else tf.zeros_like(value)

        values = self.strategy.experimental_distribute_values_from_function(
            of_replica
        )
        return self.strategy.reduce("SUM", values, axis=None)


def create_distribution(
    strategy: str = "auto", logical_cpus: int = 0
) -> Distribution:
    """Finds the devices of a run; first of all, before any operation.

    Args:
        strategy: `"one"` device; `"mirrored"`: all GPUs of this machine, or
            its processor if it has none; `"multi_worker"`: those of all
            machines that the environment variable `TF_CONFIG` lists. `"auto"`
            takes the last if `TF_CONFIG` lists more than one, else the second
            if there is more than one device.
        logical_cpus: Devices to cut the processor into, to try out several
            replicas; 0 to leave it whole.

    Raises:
        LostWorkerError: If this worker cannot join the others.
    """
    check("strategy", strategy, choices=STRATEGIES)
    cluster = read_cluster(os.environ.get("TF_CONFIG"))
    if strategy == "auto":
        strategy = _best_strategy(cluster, logical_cpus)
    if logical_cpus and strategy != "mirrored":
        raise ValueError(
            "`logical_cpus` is for strategy='mirrored'. "
            f"Received: logical_cpus={logical_cpus}, strategy={strategy!r}."
        )
    try:
        if strategy == "one":
            return Distribution()
        if strategy == "mirrored":
            return Distribution(_mirrored(_local_devices(logical_cpus)))
        return _multi_worker(cluster)
    except RuntimeError as error:
        raise ValueError(
            "Devices can be laid out only before anything is computed: call "
            f"`create_distribution` first. TensorFlow says: {error}"
        ) from error


class Cluster(NamedTuple):
    """The workers of `TF_CONFIG`."""

    addresses: tuple[str, ...]  # `host:port` of each, the chief first.
    worker: int  # Number of this one.


def read_cluster(text: str | None) -> Cluster | None:
    """Reads `TF_CONFIG`; `None` if it is not set, or lists no worker."""
    reason = ""
    try:
        config = json.loads(text or "{}")
        cluster, task = config.get("cluster", {}), config.get("task", {})
        others = sorted(set(cluster) - set(_TASKS))
        addresses = {
            (kind, index): address
            for kind in _TASKS
            for index, address in enumerate(cluster.get(kind, []))
        }
        if any(not isinstance(cluster.get(k, []), list) for k in _TASKS):
            raise TypeError("a task's addresses are no list")
        if not all(isinstance(a, str) for a in addresses.values()):
            raise TypeError("an address is no text")
        own = (task.get("type"), int(task.get("index", 0)))
        if addresses and others:
            reason = f"it lists tasks of type {others[0]!r}"
        elif addresses and own not in addresses:
            reason = f"its task, {own}, is not in its cluster"
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        reason = f"it cannot be read: {error}"
    if reason:
        raise ValueError(
            "The environment variable TF_CONFIG must look like "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}, '
            f"with a `chief` beside the workers or without; {reason}. "
            f"Received: {text}"
        )
    if not addresses:
        return None
    return Cluster(tuple(addresses.values()), list(addresses).index(own))


def _best_strategy(cluster: Cluster | None, logical_cpus: int) -> str:
    if cluster and len(cluster.addresses) > 1:
        return "multi_worker"
    if logical_cpus or len(hardware.gpus()) > 1:
        return "mirrored"
    return "one"


def _local_devices(logical_cpus: int) -> tuple[str, ...]:
    if not logical_cpus:
        count = len(hardware.gpus())
        return tuple(f"GPU:{n}" for n in range(count)) or ("CPU:0",)
    (cpu,) = tf.config.list_physical_devices("CPU")
    before = tf.config.get_logical_device_configuration(cpu)
    if before is None:
        parts = [tf.config.LogicalDeviceConfiguration()] * logical_cpus
        tf.config.set_logical_device_configuration(cpu, parts)
    elif len(before) < logical_cpus:
        raise ValueError(
            "`logical_cpus` can be set once in a process: the processor has "
            f"been cut into {len(before)} already. "
            f"Received: logical_cpus={logical_cpus}."
        )
    return tuple(f"CPU:{n}" for n in range(logical_cpus))


@functools.cache
def _mirrored(devices: Sequence[str]) -> tf.distribute.Strategy:
    # Two strategies would take each other's messages for their own.
    return tf.distribute.MirroredStrategy(devices)


def _multi_worker(cluster: Cluster | None) -> Distribution:
    if cluster is None:
        raise ValueError(
            "strategy='multi_worker' needs the environment variable TF_CONFIG, "
            "which lists the workers. Without it, strategy='mirrored' takes "
            "all GPUs of this machine."
        )
    worker, workers = cluster.worker, len(cluster.addresses)
    logging.info("Worker %d of %d waits for the others.", worker, workers)
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise LostWorkerError(
            f"Worker {worker} could not join the others: "
            f"{first_line(error)}. TF_CONFIG must give an address of this "
            "machine with a port that is free. "
            f"Received: {cluster.addresses[worker]}"
        ) from error
    return Distribution(strategy, worker, workers)
