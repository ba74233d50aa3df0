"""How much memory may be taken: the machine's or a container's limit."""

import pytest

from vaegan_tf import hardware
from vaegan_tf.data import loading


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A function that sets what Linux says."""

    def say(limit, available="MemTotal: 9 kB\nMemAvailable:   3000 kB\n"):
        numbers = {"max": limit, "meminfo": available}
        for name, text in numbers.items():
            (tmp_path / name).write_text(text)
        real = hardware._number_in
        monkeypatch.setattr(
            hardware, "_LIMITS", (str(tmp_path / "max"), "/nowhere")
        )
        monkeypatch.setattr(
            hardware,
            "_number_in",
            lambda path, name="": real(
                path.replace("/proc", str(tmp_path)), name
            ),
        )

    return say


@pytest.mark.parametrize(
    ("limit", "expected"), [("max\n", 3000 * 1024), ("5000\n", 5000)]
)
def test_the_least_limit_counts(machine, limit, expected):
    machine(limit)
    assert hardware.free_memory_bytes() == expected


def test_elsewhere_nothing_is_known(machine):
    machine("max", "")
    assert hardware.free_memory_bytes() is None
    assert loading._bytes(None) == 4 * 2**30


def test_images_take_a_third_of_it_or_what_is_asked(machine):
    machine("3000")
    assert loading._bytes(None) == 1000
    assert loading._bytes(0.5) == 2**29
