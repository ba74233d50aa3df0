"""A measurement in a process of its own."""

import pytest

from benchmarks import children


def test_answer_comes_back_with_memory_and_time(tmp_path):
    answer = children.run(
        "pipeline:draw_photos", folder=str(tmp_path / "photos"), count=2
    )
    files = sorted((tmp_path / "photos").iterdir())
    assert [file.name for file in files] == ["00000.jpg", "00001.jpg"]
    assert answer["bytes"] == sum(file.stat().st_size for file in files)
    assert answer["peak_bytes"] > 2**20
    assert answer["elapsed_seconds"] > 0


def test_failure_is_one_line_with_the_reason(tmp_path):
    with pytest.raises(children.MeasurementError) as caught:
        children.run("pipeline:draw_photos", folder=str(tmp_path), count=1)
    assert "FileExistsError" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reason_is_the_error_not_what_came_after_it():
    lines = ["Traceback", "ValueError: bad", "warning: bye"]
    assert children.reason(lines) == "ValueError: bad"
    assert children.reason(["killed"]) == "killed"
