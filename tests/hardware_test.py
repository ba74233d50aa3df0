import builtins
import io
import platform

import pytest

from vaegan_tf import hardware

LINUX = """processor\t: 0
model name\t: A Processor: the second
flags\t\t: fpu avx512_bf16 sse2

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""


@pytest.fixture
def machine(monkeypatch):
    """Makes Linux say something of the processor; nothing with `None`."""

    def set_up(words):
        def opened(path, **options):
            if words is None:
                raise FileNotFoundError(path)
            return io.StringIO(words)

        hardware._about_cpu.cache_clear()
        monkeypatch.setattr(builtins, "open", opened)

    yield set_up
    hardware._about_cpu.cache_clear()


def test_linux_describes_the_first_core(machine):
    machine(LINUX)
    assert hardware.processor() == "A Processor: the second"
    assert hardware.cpu_flags() == {"fpu", "avx512_bf16", "sse2"}


def test_other_systems_say_less(machine):
    machine(None)
    assert hardware.processor() == platform.machine()
    assert hardware.cpu_flags() == set()
