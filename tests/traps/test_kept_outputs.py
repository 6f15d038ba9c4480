"""The first few failing outputs of each class lie in the run directory, whatever a service calls them."""

from __future__ import annotations

import gevent
import pytest

from genload.runlog import failures
from genload.runlog.failures import FailedOutput, FailureStore


def failed(
    number: int, error_class: str = "placeholder", content: bytes = b"x", **fields: str
) -> FailedOutput:
    fields = {"request_id": f"r{number}", "name": "model.stl", **fields}
    return FailedOutput(error_class=error_class, size_bytes=len(content), content=content, **fields)


def test_the_first_three_of_each_class_are_kept(tmp_path) -> None:
    told: list[str] = []
    store = FailureStore(tmp_path, told.append)
    for number in range(5):
        store.keep(failed(number, content=b"cube %d" % number))
    store.keep(failed(9, "truncated", b"", name="model.glb"))
    store.close()
    kept = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert kept == {
        "failures/placeholder/1-r0.stl": b"cube 0",
        "failures/placeholder/2-r1.stl": b"cube 1",
        "failures/placeholder/3-r2.stl": b"cube 2",
        "failures/truncated/1-r9.glb": b"",
    }
    assert told == []


@pytest.mark.parametrize(
    ("error_class", "name", "path"),
    [
        ("../../etc", "model.stl", "_etc/1-r0.stl"),
        ("bad output", "../../../home/x", "bad_output/1-r0.bin"),
        ("odd", "model.stl/../../x.sh\n", "odd/1-r0.bin"),
        ("", "model", "_/1-r0.bin"),
        ("c" * 500, "m.STL", "c" * 80 + "/1-r0.stl"),
    ],
)
def test_no_name_of_a_service_leads_elsewhere(tmp_path, error_class: str, name: str, path: str) -> None:
    store = FailureStore(tmp_path / "run", pytest.fail)
    store.keep(failed(0, error_class, name=name))
    store.close()
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [tmp_path / "run" / "failures" / path]


def test_what_is_not_kept_is_told(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MAX_OUTPUT_BYTES", 100)
    monkeypatch.setattr(failures, "MAX_RUN_BYTES", 150)
    told: list[str] = []
    store = FailureStore(tmp_path, told.append)
    store.keep(failed(0, "large", b"x" * 101))
    store.keep(failed(1, "first", b"x" * 100))
    store.keep(failed(2, "second", b"x" * 51))
    store.keep(FailedOutput(error_class="far", request_id="r3", name="m.stl", size_bytes=70, content=None))
    store.close()
    assert [path.name for path in tmp_path.rglob("*.stl")] == ["1-r1.stl"]
    assert [text.split()[1] for text in told] == ["large", "second", "far"]
    assert all("was not kept: " in text for text in told)


def test_a_worker_sends_small_outputs_and_of_large_ones_the_size() -> None:
    small, large = failed(0, content=b"x" * failures.MAX_SENT_BYTES), failed(1, content=b"x" * 300_000)
    assert small.to_send() == small
    assert (large.to_send().content, large.to_send().size_bytes) == (None, 300_000)


def test_a_disk_that_refuses_is_told_and_nothing_is_raised(tmp_path, capfd) -> None:
    (tmp_path / "failures").write_text("a file stands here")
    told: list[str] = []
    store = FailureStore(tmp_path, told.append)
    store.keep(failed(0))
    gevent.sleep(0.01)
    store.close()
    assert len(told) == 1 and "request r0 (1 bytes) was not kept" in told[0]
    assert capfd.readouterr().err == ""
