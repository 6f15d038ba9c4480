"""What cannot be compared is refused with the reason, and what differs is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.analysis.comparison import CompareSettings, Kind, NotComparableError, compare
from genload.errors import ExitCode, UsageError
from genload.runlog.records import ClientHealth, Interrupted, LoadEnded, Notice, RunEnded
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.metric import Failures, request_number

from ..memory_log import suite_of, write
from .builds import run_log, with_header

ALL_THE_SAME = CompareSettings(allow_different=True)


def made(folder: Path, minute: int, **what: Any) -> Path:
    return write(run_log(minute=minute, **what), folder / f"run{minute}")


def refused(base: Path, new: Path, settings: CompareSettings = ALL_THE_SAME) -> str:
    with pytest.raises(NotComparableError) as error:
        compare([base], [new], settings)
    assert error.value.exit_code == ExitCode.USAGE
    assert "\n" not in error.value.message
    assert error.value.remedy
    return error.value.message


def test_the_same_run_twice(tmp_path: Path) -> None:
    run = made(tmp_path, 0)
    assert refused(run, run).endswith("is named twice")
    copy = shutil.copytree(run, tmp_path / "copy")
    assert "are the same run" in refused(run, copy)


def test_another_scenario(tmp_path: Path) -> None:
    log = run_log(minute=1)
    suite = suite_of({})
    suite["scenarios"]["peak"] = suite["scenarios"].pop("normal")
    log.header = with_header(log.header, scenario="peak", suite=suite)
    other = write(log, tmp_path / "other")
    assert "another scenario: peak and normal" in refused(other, made(tmp_path, 0))


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"time_scale": 0.1}, "another time scale: 1 and 0.1"),
        ({"rehearsal": True}, "another kind of run: without --rehearsal and with --rehearsal"),
        ({"operation": "speech"}, "another operation: generate and speech"),
    ],
)
def test_a_run_of_another_kind(tmp_path: Path, changed: dict[str, Any], told: str) -> None:
    assert told in refused(made(tmp_path, 0), made(tmp_path, 1, header=changed))


def test_texts_with_a_salt_and_without(tmp_path: Path) -> None:
    texts = [{"api": "orfeas", "request": {"texts": {"salt": salt}}} for salt in (True, False)]
    first, second = (made(tmp_path, n, service=service) for n, service in enumerate(texts))
    assert "another salt: texts with a word of each run's own and the same texts each time" in refused(
        first, second
    )


def test_another_unit(tmp_path: Path) -> None:
    def declared(unit: Dimension) -> dict[str, Any]:
        metric = request_number("generate.faces", unit, "size", failures=Failures.LEFT_OUT)
        return {"metrics": [msgspec.to_builtins(metric)]}

    first, second = (
        made(tmp_path, n, header=declared(unit)) for n, unit in enumerate((Dimension.BYTES, Dimension.COUNT))
    )
    assert "generate.faces.mean is count in" in refused(first, second)


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Interrupted(t_s=30, by="SIGINT"), "it was interrupted (SIGINT)"),
        (Notice(t_s=30, code="given_up", text="gone"), "the service was given up"),
        (Notice(t_s=30, code="hopeless", text="over"), "a criterion could no longer hold"),
    ],
)
def test_a_run_that_was_broken_off(tmp_path: Path, event: Any, told: str) -> None:
    log = run_log(minute=1)
    log.happened.insert(-2, event)
    message = refused(made(tmp_path, 0), write(log, tmp_path / "half"))
    assert "is half a run" in message
    assert told in message


def test_a_run_that_was_killed(tmp_path: Path) -> None:
    log = run_log(minute=1)
    log.happened = [event for event in log.happened if not isinstance(event, RunEnded)]
    assert "killed while it waited" in refused(made(tmp_path, 0), write(log, tmp_path / "drained"))
    log = run_log(minute=2)
    log.happened = [event for event in log.happened if not isinstance(event, RunEnded | LoadEnded)]
    assert "the end of its load was never recorded" in refused(
        tmp_path / "run0", write(log, tmp_path / "cut")
    )


def test_a_run_that_is_not_valid(tmp_path: Path) -> None:
    log = run_log(minute=1)
    log.happened[-1] = RunEnded(t_s=71, records={"local": 150})
    assert "is not valid: request records are missing: 50" in refused(
        made(tmp_path, 0), write(log, tmp_path / "holes")
    )


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ({"facts": {"gpu.model{gpu=0}": "H100", "gpu.driver": "1"}}, "gpu.model{gpu=0}: A100 → H100"),
        ({"facts": {"gpu.model{gpu=0}": "A100", "gpu.driver": "2"}}, "gpu.driver: 1 → 2"),
        ({"header": {"seed": 8}}, "seed: 7 → 8"),
        ({"service": {"api": "orfeas", "timeout_s": 9}}, "service.timeout: 300s → 9s"),
    ],
)
def test_what_differs_besides_the_build_is_refused_unless_allowed(
    tmp_path: Path, what: dict[str, Any], told: str
) -> None:
    facts = {"gpu.model{gpu=0}": "A100", "gpu.driver": "1"}
    first, second = made(tmp_path, 0, facts=facts), made(tmp_path, 1, **{"facts": facts, **what})
    assert told in refused(first, second, CompareSettings())
    named = compare([first], [second], ALL_THE_SAME).differences
    assert named[0].kind.needs_leave
    assert named[0].text == told


def test_another_build_is_what_is_compared(tmp_path: Path) -> None:
    first, second = (
        made(tmp_path, n, facts={"image": f"sha{n}", "gpu.uuid": f"GPU-{n}"}, criteria=criteria)
        for n, criteria in enumerate(({}, {"a": "generate.failed == 0"}))
    )
    named = compare([first], [second]).differences
    assert [(d.kind, d.text) for d in named] == [
        (Kind.BUILD, "image: sha0 → sha1"),
        (Kind.BUILD, "gpu.uuid: GPU-0 → GPU-1"),
    ]


def test_a_side_of_two_builds_is_refused(tmp_path: Path) -> None:
    runs = [made(tmp_path, n, facts={"image": image}) for n, image in enumerate(("a", "b", "c"))]
    with pytest.raises(NotComparableError, match="image: a, b → c"):
        compare(runs[:2], runs[2:])


def test_where_the_service_is_is_no_difference(tmp_path: Path) -> None:
    first, second = (
        made(tmp_path, n, service={"api": "orfeas", "host": f"http://gpu{n}:5000"}) for n in range(2)
    )
    found = compare([first], [second])
    assert [run.host for run in (*found.base, *found.new)] == ["http://gpu0:5000", "http://gpu1:5000"]
    assert found.differences == []
    assert any("says that these are two builds" in notice for notice in found.notices)


def test_several_processes_are_named_and_compared(tmp_path: Path) -> None:
    log = run_log(minute=1)
    for n, record in enumerate(log.records):
        record.source, record.n = f"w{n % 2}", n // 2
    for n, event in enumerate(event for event in log.happened if isinstance(event, ClientHealth)):
        event.source = f"w{n % 2}"
    log.happened[-1] = RunEnded(t_s=71, records={"w0": 50, "w1": 50})
    found = compare([made(tmp_path, 0)], [write(log, tmp_path / "workers")])
    assert [d.text for d in found.differences] == ["processes with users: 1 → 2"]


def test_rehearsals_of_one_scale_are_compared(tmp_path: Path) -> None:
    header = {"rehearsal": True, "time_scale": 0.1}
    found = compare([made(tmp_path, 0, header=header)], [made(tmp_path, 1, header=header)])
    assert (found.rehearsal, found.time_scale) == (True, 0.1)


def test_a_metric_that_the_runs_do_not_know(tmp_path: Path) -> None:
    runs = [made(tmp_path, n) for n in range(2)]
    with pytest.raises(UsageError, match=r"unknown metric 'generate\.duraton'") as error:
        compare(runs[:1], runs[1:], CompareSettings(judge=("generate.duraton.p95",)))
    assert "generate.duration" in error.value.remedy
    with pytest.raises(UsageError, match="more than one metric"):
        compare(runs[:1], runs[1:], CompareSettings(judge=("generate.failed == 0 and generate.completed",)))
