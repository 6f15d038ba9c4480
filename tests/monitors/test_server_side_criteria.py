"""The built-in suites' criteria on the server's and the GPU's memory: decided on what their monitors find at
a real service, and inconclusive without it.

No load runs: the sampler does, with the suite's own monitors, and what it wrote is judged as a run.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from genload.analysis.judge import judge
from genload.analysis.judged import JudgedRun
from genload.harness.header import run_header
from genload.harness.plan import make_plan
from genload.runlog.layout import SAMPLES
from genload.runlog.reader import open_run
from genload.runlog.records import LoadEnded, LoadStarted, RunEnded, RunStarted, Sample
from genload.runlog.writer import RunWriter
from genload.sampler import start_sampler
from genload.targets import RunRequest

pytestmark = pytest.mark.processes

INTERVAL_S, TICKS = 0.1, 20
ENOUGH = 0.4  # of the ticks: a busy machine must not decide a test about something else
NONE = ["samples of server.memory", "samples of gpu.memory_used"]
STARTED = "2026-11-22T10:00:00+00:00"


Watch = Callable[[str, str], Path]


@pytest.fixture
def watched(tmp_path: Path, wait_for_samples: Callable[..., list[Sample]]) -> Watch:
    """Makes the run directory of a scenario during whose load nothing was asked of the service."""
    return lambda target, host: watch(target, host, tmp_path / "run", wait_for_samples)


def watch(target: str, host: str, folder: Path, wait: Callable[..., list[Sample]]) -> Path:
    overrides = [f"validity.min_coverage={ENOUGH:.0%}", "monitors.gpu=null"]
    names = ("host", "readiness") if target.startswith("kokoro") else ("host", "readiness", "exposition")
    overrides += [f"monitors.{name}.interval={INTERVAL_S}s" for name in names]
    plan = make_plan(RunRequest((target,), host=host, overrides=tuple(overrides)))
    folder.mkdir()
    writer, begin_s = RunWriter(folder), time.monotonic()
    monitors = {name: settings.model_dump(mode="json") for name, settings in plan.suite.monitors.items()}
    sampler = start_sampler(folder, begin_s, host, monitors)
    try:
        header = run_header(plan, STARTED)
        header.monitors = sampler.plans
        writer.header(header)
        wait(lambda samples: {*names} <= {sample.monitor for sample in samples}, folder)
        load_s = time.monotonic() - begin_s
        wait(lambda samples: all(ticks(samples, name, load_s) >= TICKS for name in names), folder)
        end_s = time.monotonic() - begin_s
    finally:
        sampler.stop()
    for event in (
        RunStarted(t_s=0.0, wall_time=STARTED),
        LoadStarted(t_s=load_s),
        LoadEnded(t_s=end_s),
        RunEnded(t_s=end_s, records={}),
    ):
        writer.event(event)
    writer.close()
    return folder


def ticks(samples: list[Sample], monitor: str, since_s: float) -> int:
    return sum(sample.monitor == monitor and sample.t_s >= since_s for sample in samples)


def without(folder: Path, keep: Callable[[Sample], bool]) -> JudgedRun:
    """The same run, judged as if some ticks had found nobody."""
    copy = folder.with_name("without")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    samples = msgspec.json.Decoder(Sample).decode_lines((folder / SAMPLES).read_bytes())
    for sample in samples:
        if not keep(sample):
            sample.values, sample.error = {}, "connection refused"
    (copy / SAMPLES).write_bytes(b"".join(msgspec.json.encode(sample) + b"\n" for sample in samples))
    return judge(copy)


def outcomes(run: JudgedRun, *names: str) -> list[str]:
    """Of each criterion "decided", or the first words of what it needs."""
    found = {criterion.name: criterion for criterion in run.verdict.criteria}
    return [
        "decided" if found[name].result in ("pass", "fail") else (found[name].needs or "").partition(":")[0]
        for name in names
    ]


def sources(run: JudgedRun) -> dict[str, str]:
    return {series.metric: series.source for series in run.series if series.count}


@pytest.mark.parametrize("suite", ["orfeas", "demo"])
def test_memory_under_a_sustained_load_is_judged_on_the_services_page(
    suite: str, testbed: Callable[..., Any], watched: Watch
) -> None:
    server, names = testbed(time_scale="0.02"), ("memory_stable", "gpu_memory_stable")
    folder = watched(f"{suite}/sustained", server.url)

    run = judge(folder)
    assert outcomes(run, *names) == ["decided", "decided"]
    page = f"{server.url}/metrics"
    assert [sources(run)[metric] for metric in ("server.memory", "gpu.memory_used")] == [page, page]
    assert {"server.cpu", "service.up", "contract.absent"} <= sources(run).keys()

    # A page that is gone after a while: what it told before says nothing of the whole load; the memory of the
    # service's processes is known here all the same.
    began_s = next(event.t_s for event in open_run(folder).events() if isinstance(event, LoadStarted))
    soon_s = began_s + TICKS * INTERVAL_S * ENOUGH / 2
    gone = without(folder, lambda sample: sample.monitor != "exposition" or sample.t_s < soon_s)
    assert outcomes(gone, *names) == ["decided", NONE[1]]
    assert sources(gone)["server.memory"] == "psutil"
    never = without(folder, lambda sample: sample.monitor != "exposition")
    assert sources(never)["server.memory"] == "psutil"
    assert outcomes(never, *names) == ["decided", NONE[1]]
    nothing = without(folder, lambda sample: False)
    assert outcomes(nothing, *names) == NONE


@pytest.mark.parametrize(
    ("suite", "api"), [("litetts", "litetts"), ("demo_speech", "litetts"), ("kokoro", "kokoro")]
)
def test_memory_of_a_speech_service_here_is_judged_on_its_processes(
    suite: str, api: str, testbed: Callable[..., Any], watched: Watch
) -> None:
    server = testbed(api=api, engine="tone")
    folder = watched(f"{suite}/memory_pressure", server.url)

    run = judge(folder)
    assert outcomes(run, "server_memory_stable") == ["decided"]
    assert sources(run)["server.memory"] == "psutil"
    nothing = without(folder, lambda sample: False)
    assert outcomes(nothing, "server_memory_stable") == NONE[:1]


def test_a_speech_service_elsewhere_is_judged_on_its_page(
    testbed: Callable[..., Any], watched: Watch
) -> None:
    server = testbed(api="litetts", engine="tone", scrape_stall="0s")
    folder = watched("litetts/memory_pressure", server.url)
    remote = without(folder, lambda sample: sample.monitor != "host")
    assert sources(remote)["server.memory"] == f"{server.url}/metrics"
    assert outcomes(remote, "server_memory_stable", "server_survived") == ["decided", "decided"]
