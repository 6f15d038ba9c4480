"""A run as metrics: known numbers on the page, by names that OpenMetrics and Prometheus accept."""

from __future__ import annotations

import re
import subprocess
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parsed_openmetrics

from genload.analysis.judged import CriterionVerdict, Verdict
from genload.errors import UsageError
from genload.harness.crew import CrewStatus, Workers
from genload.harness.gate_status import GateStatus
from genload.harness.metrics_page import MetricsPage
from genload.harness.metrics_page.collector import RunCollector
from genload.harness.metrics_page.families import BOUNDS_S, FIXED, of_machines, of_requests
from genload.harness.spread import Spread
from genload.outlets import Outlets
from genload.runlog.records import ClientHealth, Sample
from genload.settings.criteria.ast import Dimension
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import Metric
from genload.settings.metrics.spoken import speech_metrics

from ..conftest import system_program
from .fake_run import FakeRun

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
OF_THE_RUN = {"run_id": "probe-1", "suite": "probe", "scenario": "normal"}


class Page:
    """The page of a run, read as Prometheus reads it."""

    def __init__(self, run: FakeRun) -> None:
        self.collector = RunCollector(run, "probe-1")  # type: ignore[arg-type]
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self.collector)

    def samples(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """By name, then by the labels beside the run's own, which every sample has."""
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        text = generate_openmetrics(self.registry).decode()
        for family in parsed_openmetrics(text):
            for sample in family.samples:
                assert sample.labels.items() >= OF_THE_RUN.items()
                own = tuple(sorted(sample.labels.items() - OF_THE_RUN.items()))
                assert own not in found.setdefault(sample.name, {})
                found[sample.name][own] = sample.value
        return found

    def of(self, name: str, /, **labels: str) -> float | None:
        return self.samples().get(name, {}).get(tuple(sorted(labels.items())))

    def by(self, name: str, label: str) -> dict[str, float]:
        return {dict(labels)[label]: value for labels, value in self.samples().get(name, {}).items()}


@pytest.fixture
def run(tmp_path: Path) -> FakeRun:
    return FakeRun(tmp_path)


@pytest.fixture
def page(run: FakeRun) -> Page:
    return Page(run)


def sampled(run: FakeRun, **values: float) -> None:
    with run.samples.open("ab") as file:
        file.write(msgspec.json.encode(Sample(t_s=20.0, monitor="gpu", values=values)) + b"\n")
    run.live.read_samples()


def test_requests_are_counted_by_phase_and_outcome_and_errors_by_class(run: FakeRun, page: Page) -> None:
    for _ in range(3):
        run.add(1.0, phase="ramp")
    run.add(1.0)
    run.add(0.1, "failed", "timeout")
    run.add(0.1, "failed", "http_500")
    run.add(9.0, "unfinished", "timeout")
    run.add(0.5, "left")
    of_steady = {"operation": "generate", "phase": "steady"}
    assert page.of("genload_requests_total", outcome="ok", operation="generate", phase="ramp") == 3
    assert page.of("genload_requests_total", outcome="ok", **of_steady) == 1
    assert page.of("genload_requests_total", outcome="failed", **of_steady) == 2
    assert page.of("genload_requests_total", outcome="unfinished", **of_steady) == 1
    assert page.of("genload_requests_total", outcome="left", **of_steady) == 1
    assert page.by("genload_request_errors_total", "error_class") == {"timeout": 2, "http_500": 1}


def test_failures_are_behind_every_bound_of_the_latency(run: FakeRun, page: Page) -> None:
    for duration_s in (0.4, 0.9, 80.0):
        run.add(duration_s)
    run.add(0.01, "failed", "timeout")
    run.add(0.2, phase="ramp")
    ok = {"operation": "generate", "phase": "steady", "outcome": "ok"}
    name = "genload_request_duration_seconds"
    for bound, number in (("0.3", 0), ("0.5", 1), ("1.0", 2), ("70.0", 2), ("100.0", 3), ("+Inf", 3)):
        assert page.of(f"{name}_bucket", le=bound, **ok) == number
    assert page.of(f"{name}_sum", **ok) == pytest.approx(81.3)
    assert page.of(f"{name}_count", **ok) == 3
    assert _buckets(page, name, outcome="failed") == {inf: 1}
    assert page.of(f"{name}_count", **{**ok, "phase": "ramp"}) == 1


def _buckets(page: Page, name: str, **labels: str) -> dict[float, float]:
    found = page.samples()[f"{name}_bucket"]
    return {float(dict(own)["le"]): n for own, n in found.items() if labels.items() <= dict(own).items()}


def test_stages_have_their_sum_and_count(run: FakeRun, page: Page) -> None:
    run.add(3.0, upload=1.0, run=2.0)
    run.add(6.0, upload=2.0, run=4.0)
    assert page.by("genload_request_stage_seconds_sum", "stage") == {"upload": 3.0, "run": 6.0}
    assert page.by("genload_request_stage_seconds_count", "stage") == {"upload": 2, "run": 2}


@given(st.lists(st.floats(1e-5, 5e3), min_size=1, max_size=60))
def test_a_histogram_is_right_to_a_percent(values: list[float]) -> None:
    spread = Spread()
    spread.add(values)
    for bound, number in zip(BOUNDS_S, spread.at_most(BOUNDS_S), strict=True):
        surely = sum(value < bound * 0.989 for value in values)
        assert surely <= number <= sum(value < bound * 1.011 for value in values)


def test_users_workers_processes_and_where_the_run_is(run: FakeRun, page: Page) -> None:
    assert "genload_workers" not in page.samples()
    users = GateStatus(working=2, in_flight=3, leaving=1)
    run.status = CrewStatus(at_s=0.0, users=users, workers=Workers(connected=3, lost=1))
    lags_ms = [0.1, 12.5, 0.3]
    run.health["w0"] = ClientHealth(t_s=1.0, source="w0", lags_ms=lags_ms, cpu=0.25, rss_bytes=9_000)
    assert page.by("genload_users", "state") == {"asked_for": 2, "working": 2, "leaving": 1}
    assert page.of("genload_requests_in_flight") == 3
    assert page.by("genload_workers", "state") == {"connected": 3, "lost": 1}
    assert page.of("genload_process_lag_seconds", process="w0") == 0.0125
    assert page.of("genload_process_cpu_ratio", process="w0") == 0.25
    assert page.of("genload_process_resident_memory_bytes", process="w0") == 9_000
    assert page.by("genload_run_stage", "stage") == {"load": 1}
    assert page.by("genload_phase_active", "phase") == {"ramp": 0, "steady": 1}
    assert page.of("genload_load_remaining_seconds") == 12.0
    run.stage, run.load.remaining_s = "draining", inf
    assert page.by("genload_phase_active", "phase") == {"ramp": 0, "steady": 0}
    assert page.of("genload_load_remaining_seconds") is None


def test_of_several_machines_there_is_each_and_not_their_sum_beside_them(run: FakeRun, page: Page) -> None:
    run.live.load_began(0.0)
    each = {"gpu.memory_used{gpu=0}": 1e9, "gpu.memory_used{gpu=1}": 3e9, "gpu.memory_used": 4e9}
    sampled(run, **each, **{"gpu.power": 350.0, "prom.queue": 4.0, "host.disk_read_rate": 8.0})
    assert page.by("genload_gpu_memory_used_bytes", "gpu") == {"0": 1e9, "1": 3e9}
    assert page.of("genload_gpu_power_watts") == 350.0
    assert page.of("genload_prom_queue") == 4.0
    assert page.of("genload_host_disk_read_bytes_per_second") == 8.0


def test_labels_of_machines_may_be_called_as_they_like(run: FakeRun, page: Page) -> None:
    run.live.load_began(0.0)
    sampled(run, **{"prom.queue{suite=theirs}": 4.0, "contract.state{family=jobs, value=1}": 2.0})
    sampled(run, **{"prom.jobs{__name__=waiting}": 5.0})
    assert page.of("genload_prom_queue") == 4.0  # the run's own label stands
    assert page.of("genload_contract_state", family="jobs", value="1") == 2.0
    assert page.of("genload_prom_jobs", name="waiting") == 5.0


def test_criteria_by_what_was_observed_so_far_then_as_they_were_judged(run: FakeRun, page: Page) -> None:
    for _ in range(9):
        run.add(1.0)
    run.add(0.1, "failed", "timeout")
    assert _states(page) == {"fast": "fail", "few_errors": "fail", "memory": "inconclusive"}
    assert page.of("genload_criterion_observed", criterion="few_errors", unit="ratio") == 0.1
    assert page.of("genload_criterion_observed", criterion="fast", unit="s") == inf
    assert page.by("genload_criterion_info", "rule").keys() >= {"generate.duration.p95 < 2s"}
    assert page.of("genload_run_exit_code") is None
    told: dict[str, Any] = {"expression": "r", "bound": None, "assumption": None, "needs": None}
    criteria = [
        CriterionVerdict(
            name="fast", must=True, value=1.5, unit="s", result="pass", evidence="proven", **told
        ),
        CriterionVerdict(
            name="memory", must=False, value=None, unit="", result="inconclusive", evidence=None, **told
        ),
    ]
    verdict = Verdict(result="pass", valid=True, reasons=[], criteria=criteria, exit_code=0)
    page.collector.judged = [SimpleNamespace(verdict=verdict, population="")]  # type: ignore[list-item]
    assert _states(page) == {"fast": "pass", "memory": "inconclusive"}
    assert page.by("genload_criterion_observed", "criterion") == {"fast": 1.5}
    assert page.by("genload_criterion_evidence", "evidence") == {"proven": 1}
    assert (page.of("genload_run_valid"), page.of("genload_run_exit_code")) == (1, 0)


def _states(page: Page) -> dict[str, str]:
    states = page.samples()["genload_criterion_state"]
    return {dict(own)["criterion"]: dict(own)["state"] for own, value in states.items() if value}


def everything(run: FakeRun) -> None:
    """A run of which there is as much to show as there can be."""
    run.add(1.0, upload=0.1, run=0.9)
    run.add(0.1, "failed", "timeout")
    run.status = CrewStatus(at_s=0.0, users=GateStatus(), workers=Workers(2, 0))
    run.health["w0"] = ClientHealth(t_s=1.0, source="w0", lags_ms=[], cpu=0.0, rss_bytes=1)
    run.live.load_began(0.0)
    sampled(run, **{metric.name: 1.0 for metric in MACHINE_METRICS})


@pytest.mark.processes
def test_promtool_finds_nothing_to_say(run: FakeRun, page: Page) -> None:
    everything(run)
    promtool = system_program("promtool")
    text = generate_latest(page.registry)
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=200)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_what_the_document_lists_is_what_the_page_shows() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(genload_\w+)` \| (.*)\|$", text, re.MULTILINE))
    suffix = {"counter": "_total", "info": "_info"}
    assert {family.name + suffix.get(family.type, "") for family in FIXED} <= rows.keys()
    for family in FIXED:
        words = rows[family.name + suffix.get(family.type, "")]
        assert all(f"`{label}`" in words for label in family.labels), family.name
    for example in re.findall(r"`([a-z.]+)` is `(genload_\w+)`", text):
        assert example in _known()


def test_a_page_that_cannot_be_there_is_refused(dead_port: int) -> None:
    with pytest.raises(UsageError) as refused:
        MetricsPage(Outlets(metrics_port=dead_port))
    assert f"cannot listen at 127.0.0.1:{dead_port}: Address already in use" in refused.value.message


def test_a_gateway_that_is_not_there_changes_nothing(
    run: FakeRun,
    dead_port: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GATEWAY_TOKEN", "s3cr3t")
    page = MetricsPage(Outlets(push_url=f"http://ci:${{env:GATEWAY_TOKEN}}@127.0.0.1:{dead_port}"))
    page.began(run, tmp_path)  # type: ignore[arg-type]
    page.conclude(run, tmp_path)  # type: ignore[arg-type]
    assert "genload_users" in (tmp_path / "metrics_normal.txt").read_text()
    [told] = caplog.messages
    assert "could not be pushed" in told and "Connection refused" in told
    assert "s3cr3t" not in told


def _known() -> set[tuple[str, str]]:
    spoken = [metric for metric in speech_metrics("speech") if _is_time(metric)]
    return {(metric.name, of_machines(metric.name, metric).name) for metric in MACHINE_METRICS} | {
        (metric.name, of_requests(metric).name) for metric in spoken
    }


def _is_time(metric: Metric) -> bool:
    return metric.dimension is Dimension.TIME and bool(metric.stats)
