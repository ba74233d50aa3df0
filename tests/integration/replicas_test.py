"""Two replicas, or two workers, make the model that one device makes.

Real processes make twenty steps each from the same flags, then their weights
and all numbers on the way are compared.
"""

import pathlib

import numpy as np
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.distribution]

PROGRAM = pathlib.Path(__file__).with_name("twenty_steps.py")
MODELS = ("vae", "gan", "vaegan", "conditional", "learned_metric_vae")
# Shares of the way that weights have gone. Rounding alone makes up to a half
# of them; batch statistics of each replica by itself, a tenth of the way and
# more.
USUAL = 1e-4
CLOSE = {"float16": 0.2, "bfloat16": 0.2}
EVERY = [
    *[("mirrored", case) for case in (*MODELS, *CLOSE)],
    *[("workers", case) for case in MODELS],
]


class Result:
    """What `twenty_steps.py` leaves of one case."""

    def __init__(self, path):
        with np.load(path) as arrays:
            self.arrays = dict(arrays)

    def group(self, name):
        return {
            key.removeprefix(f"{name}/"): value
            for key, value in self.arrays.items()
            if key.startswith(f"{name}/")
        }

    def way(self, network, statistics=False):
        """From a network's weights before to those after, one vector.

        With `statistics`, those of its batches instead of what is trained.
        """
        before, after = self.group("before"), self.group("after")
        return np.concatenate(
            [
                (after[path].astype(np.float64) - before[path]).ravel()
                for path in sorted(before)
                if path.startswith(f"{network}/")
                and ("moving_" in path) == statistics
            ]
        )

    def keeps_statistics(self, network):
        paths = [p for p in self.group("after") if p.startswith(f"{network}/")]
        return any("moving_" in path for path in paths)

    @property
    def networks(self):
        averaged = {p.split("/")[0] for p in self.group("after")}
        return [*self.trained, *sorted(n for n in averaged if "_ema" in n)]

    @property
    def trained(self):
        names = self.group("numbers")
        suffix = "_gradient_norm"
        return [
            name.removesuffix(suffix) for name in names if name.endswith(suffix)
        ]


@pytest.fixture(scope="module")
def results(start, start_workers, tiny_dir, tmp_path_factory):
    """A function from how it was made, and the case, to its `Result`."""
    folders = {
        kind: tmp_path_factory.mktemp(kind)
        for kind in ("one", "mirrored", "workers")
    }
    here = (*MODELS, *CLOSE)
    arguments = {
        "one": ("auto", 0, tiny_dir, folders["one"], *here),
        "mirrored": (
            *("auto", 2, tiny_dir, folders["mirrored"]),
            *(*here, "unsynchronized"),
        ),
        "workers": ("auto", 0, tiny_dir, folders["workers"], *MODELS),
    }
    processes = [
        *start_workers(PROGRAM, *arguments["workers"]),
        start(PROGRAM, *arguments["mirrored"]),
        start(PROGRAM, *arguments["one"]),
    ]
    for process in processes:
        process.finish()
    return lambda kind, case: Result(folders[kind] / f"{case}.npz")


def distance(one, other, *place):
    """How far two ways part, as a share of the first."""
    expected, actual = one.way(*place), other.way(*place)
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(("kind", "case"), EVERY)
def test_weights_are_those_of_one_device(results, kind, case):
    one, other = results("one", case), results(kind, case)
    assert "decoder" in one.trained
    for network in one.networks:
        actual = distance(one, other, network)
        assert actual < CLOSE.get(case, USUAL), network


@pytest.mark.parametrize(("kind", "case"), EVERY)
def test_batch_statistics_are_those_of_one_device(results, kind, case):
    one, other = results("one", case), results(kind, case)
    networks = [n for n in one.networks if one.keeps_statistics(n)]
    assert networks
    for network in networks:
        actual = distance(one, other, network, True)
        assert actual < CLOSE.get(case, USUAL), network


@pytest.mark.parametrize(("kind", "case"), EVERY)
def test_numbers_are_those_of_one_device_at_every_step(results, kind, case):
    one, other = results("one", case), results(kind, case)
    actual = other.group("numbers")
    assert actual.keys() == one.group("numbers").keys()
    for name, expected in one.group("numbers").items():
        np.testing.assert_allclose(
            actual[name], expected, rtol=CLOSE.get(case, 1e-3), err_msg=name
        )


def test_networks_had_to_wait(results):
    numbers = results("one", "vaegan").group("numbers")
    gates = [value for name, value in numbers.items() if "_updated" in name]
    assert len(gates) == 2
    assert np.min(gates) == 0
    assert np.max(gates) == 1


def test_the_comparison_would_catch_statistics_of_each_replica(results):
    one, apart = results("one", "vae"), results("mirrored", "unsynchronized")
    assert distance(one, apart, "encoder") > 1000 * USUAL
    assert distance(one, apart, "decoder") > 1000 * USUAL


def test_two_workers_compute_what_two_replicas_of_one_do(results):
    one, other = results("mirrored", "gan"), results("workers", "gan")
    assert distance(one, other, "decoder") < 1e-5
