"""Several runs judged as one: the requests of all together, and nothing of the evidence across runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genload.analysis.evidence.busy import CUT, Scatter, joined_spells
from genload.analysis.judge import judge, judge_log
from genload.analysis.judged import CriterionVerdict, JudgedRun
from genload.analysis.pool import judge_pool, short_names
from genload.errors import UsageError
from genload.runlog.records import Identified, Interrupted, RequestRecord, Sample
from genload.settings.criteria.criterion import Criterion

from .memory_log import LOAD_START_S, MemoryLog, job, jobs, sound_run, write


def pool(tmp_path: Path, logs: Sequence[MemoryLog], criteria: dict[str, str] | None = None) -> JudgedRun:
    """Write the runs, each with a seed of its own, and judge them as one."""
    folders = []
    for number, log in enumerate(logs):
        log.header.seed = number
        folders.append(write(log, tmp_path / f"run{number}"))
    given_ones = (
        None if criteria is None else {name: Criterion(holds=rule) for name, rule in criteria.items()}
    )
    return judge_pool(folders, criteria=given_ones)


def one(run: JudgedRun) -> CriterionVerdict:
    [criterion] = run.verdict.criteria
    return criterion


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(
            st.tuples(st.floats(0, 59), st.floats(0.01, 50), st.sampled_from(["ok", "ok", "failed"])),
            min_size=1,
            max_size=30,
        ),
        min_size=2,
        max_size=4,
    )
)
def test_rates_and_percentiles_are_those_of_all_requests(
    tmp_path_factory: pytest.TempPathFactory, made: list[list[tuple[float, float, str]]]
) -> None:
    runs = [[job(n, *each) for n, each in enumerate(run)] for run in made]
    rules = {
        "rate": "generate.error_rate <= 100%",
        "p95": "generate.duration.p95 < 1000s",
        "mean": "generate.duration.mean < 1000s",
        "most": "generate.duration.max < 1000s",
        "count": "generate.attempted > 0",
    }
    judged = pool(tmp_path_factory.mktemp("pool"), [sound_run(run) for run in runs], rules)
    records = [record for run in runs for record in run]
    ranked = np.sort([record.duration_s if record.outcome == "ok" else np.inf for record in records])
    good = [record.duration_s for record in records if record.outcome == "ok"]
    values = {criterion.name: criterion.value for criterion in judged.verdict.criteria}
    assert values["count"] == judged.overall.total_requests == len(records)
    assert values["rate"] == pytest.approx(1 - len(good) / len(records))
    assert values["p95"] == ranked[int(np.ceil(round(len(ranked) * 0.95, 9))) - 1]
    if good:
        assert values["mean"] == pytest.approx(np.mean(good))
        assert judged.overall.avg_duration == pytest.approx(np.mean(good))
        assert values["most"] == judged.overall.max_duration == max(good)


def test_what_no_run_proves_alone_is_proven_of_all(tmp_path: Path) -> None:
    rules = {"few": "generate.error_rate < 2%"}
    logs = [sound_run(jobs(["ok"] * 60), rules) for _ in range(3)]
    assert [one(judge_log(log)).evidence for log in logs] == ["unproven"] * 3
    judged = pool(tmp_path, logs)
    assert (one(judged).evidence, judged.verdict.exit_code) == ("proven", 0)
    # None of 180: the bound of Clopper and Pearson.
    assert one(judged).bound == pytest.approx(1 - 0.05 ** (1 / 180))
    assert "3 runs, alike" in (one(judged).assumption or "")
    assert [(run.run, run.requests, run.proven) for run in judged.pooled] == [
        (f"run{n}", 60, 0) for n in range(3)
    ]


def test_counts_are_exact_and_about_these_runs(tmp_path: Path) -> None:
    logs = [sound_run(jobs(["ok"] * 59 + ["failed"]), {"all": "generate.attempted >= 120"}) for _ in range(2)]
    judged = one(pool(tmp_path, logs))
    assert (judged.value, judged.evidence, judged.result) == (120.0, "exact", "pass")
    assert judged.assumption == "about these 2 runs"


def test_failures_of_one_run_are_not_scattered_over_all(tmp_path: Path) -> None:
    """30 of 100 in one run and none in two others: three runs that differ say little of the true rate."""
    rules = {"few": "generate.error_rate < 20%"}
    outcomes = [["ok"] * 100, ["ok"] * 100, ["failed", "ok", "ok", "ok", "ok"] * 20]
    judged = one(pool(tmp_path, [sound_run(jobs(each), rules) for each in outcomes]))
    assert judged.value == pytest.approx(20 / 300) and judged.result == "pass"
    assert judged.evidence == "unproven" and (judged.bound or 0) > 0.2
    assert "differ from run to run" in (judged.assumption or "")


def test_an_incident_does_not_go_on_into_the_next_run(tmp_path: Path) -> None:
    """The last requests of a run fail and the first of the next: in a row, and yet two runs."""
    rules = {"few": "generate.error_rate < 10%"}
    scattered = ["ok"] * 19 + ["failed"]
    ends = sound_run(jobs(scattered * 3), rules)
    begins = sound_run(jobs([*reversed(scattered)] * 3), rules)
    judged = one(pool(tmp_path, [ends, begins]))
    assert "scattered" in (judged.assumption or "")


def test_means_of_runs_that_differ_are_as_sure_as_so_few_runs(tmp_path: Path) -> None:
    rules = {"fast": "generate.duration.mean < 1.2s"}
    alike = [sound_run(jobs(["ok"] * 60), rules) for _ in range(3)]
    assert one(pool(tmp_path / "alike", alike)).evidence == "proven"
    apart = [sound_run(jobs(["ok"] * 60, seconds), rules) for seconds in (1.0, 1.1, 1.2)]
    judged = one(pool(tmp_path / "apart", apart))
    assert (judged.result, judged.evidence) == ("pass", "unproven")
    # Student's bound on three means: 2.92 · 0.1 / √3.
    assert judged.bound == pytest.approx(1.1 + 2.92 * 0.1 / np.sqrt(3), rel=0.002)
    assert "3 independent runs, which differ" in (judged.assumption or "")
    assert judged.needs == "more runs: these 3 differ by more than chance"


def test_the_course_of_a_run_is_judged_in_each(tmp_path: Path) -> None:
    rules = {"stable": "server.memory.growth < 10%"}
    steady, leaking = sound_run(jobs(["ok"] * 60), rules), sound_run(jobs(["ok"] * 60), rules)
    leaking.ticks = [
        msgspec.structs.replace(tick, values={"server.memory": 1e9 * (1 + n / 100)})
        for n, tick in enumerate(leaking.ticks)
    ]
    judged = one(pool(tmp_path, [steady, leaking]))
    assert judged.result == "fail" and (judged.value or 0) > 0.4
    assert "the worst of 2 runs" in (judged.assumption or "")


def test_telemetry_that_one_run_lacks_decides_nothing(tmp_path: Path) -> None:
    rules = {"power": "server.memory.max < 4GiB"}
    whole, lacking = sound_run(jobs(["ok"] * 60), rules), sound_run(jobs(["ok"] * 60), rules)
    lacking.ticks = [Sample(t_s=tick.t_s, monitor=tick.monitor, error="refused") for tick in lacking.ticks]
    assert one(pool(tmp_path, [whole, lacking])).result == "inconclusive"


def test_a_phase_that_one_run_never_met_takes_nothing_from_the_other(tmp_path: Path) -> None:
    rules = {"some": "generate.duration.mean{voice=b} < 2s"}
    both = sound_run([*jobs(["ok"] * 40), job(40, 5.0, 1.0, labels={"voice": "b"})], rules)
    judged = one(pool(tmp_path, [both, sound_run(jobs(["ok"] * 40), rules)]))
    assert (judged.result, judged.value) == ("pass", 1.0)


def test_busy_spells_of_an_open_load_end_with_their_run() -> None:
    """Four spells of two values in each of two runs: the cut ones at a run's ends count in neither."""
    spells = np.repeat(np.arange(4), 2)
    together = joined_spells([spells, spells])
    assert together.tolist() == [CUT, CUT, 1, 1, 2, 2, CUT, CUT, CUT, CUT, 5, 5, 6, 6, CUT, CUT]
    values = np.array([9.0, 9.0, 1.0, 3.0, 2.0, 2.0, 9.0, 9.0] * 2)
    assert Scatter.of(values, together).spells == 2 * Scatter.of(values[:8], spells).spells == 4
    assert Scatter.of(values, together).error == 0.0  # the whole spells all add up to 4


def test_a_pool_of_open_loads_is_proven_by_the_spells_of_all(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)

    def caller(n: int) -> RequestRecord:
        return job(n, n * 0.5, 0.2 + float(rng.random()) / 10, intended_s=LOAD_START_S + n * 0.5)

    phase = {"name": "steady", "duration_s": 60.0, "users": 50, "arrivals": 120}
    logs = [
        sound_run([caller(n) for n in range(120)], {"fast": "generate.duration.mean < 0.3s"})
        for _ in range(2)
    ]
    for log in logs:
        log.header.phases = [phase]
    judged = one(pool(tmp_path, logs))
    alone = one(judge_log(logs[0]))
    assert judged.evidence == alone.evidence == "proven"
    assert "240 requests in 236 busy spells" in (judged.assumption or "")
    assert judged.bound is not None and alone.bound is not None and judged.bound < alone.bound


def test_throughput_is_that_of_the_time_of_all(tmp_path: Path) -> None:
    rules = {"enough": "generate.throughput > 1/min"}
    logs = [sound_run(jobs(["ok"] * count), rules) for count in (60, 120)]
    judged = pool(tmp_path, logs)
    assert one(judged).value == pytest.approx(180 / 120)
    assert judged.overall.throughput_per_minute == pytest.approx(90.0)
    assert (judged.duration_s, judged.phases[0].summary.total_requests) == (120.0, 180)


# ---- what is refused


def refused(tmp_path: Path, *logs: MemoryLog) -> str:
    with pytest.raises(UsageError) as caught:
        pool(tmp_path, logs)
    assert caught.value.exit_code == 2 and "\n" not in caught.value.message and caught.value.remedy
    return caught.value.message


def plain_run(**settings_: object) -> MemoryLog:
    return sound_run(jobs(["ok"] * 60), {"few": "generate.error_rate < 2%"}, **settings_)  # type: ignore[arg-type]


def test_one_run_is_no_pool(tmp_path: Path) -> None:
    assert "one run is no pool" in refused(tmp_path, plain_run())


def test_the_same_run_counts_once(tmp_path: Path) -> None:
    folder, copied = write(plain_run(), tmp_path / "a"), write(plain_run(), tmp_path / "copy")
    for again, said in ((folder, "named twice"), (copied, f"{folder} and {copied} are the same run")):
        with pytest.raises(UsageError, match=said):
            judge_pool([folder, again])


def test_other_settings_or_another_service_are_refused_by_name(tmp_path: Path) -> None:
    slower = plain_run(service={"api": "orfeas", "timeout_s": 7.0})
    assert "service.timeout is 300s and 7s" in refused(tmp_path / "settings", plain_run(), slower)
    builds = [
        plain_run(service={"api": "orfeas", "identity": {"version": {"env": "VERSION"}}}) for _ in range(2)
    ]
    for log, version in zip(builds, ("1.0", "1.1"), strict=True):
        log.happened.insert(1, Identified(t_s=0.5, facts={"version": version}))
    assert "version is 1.0 and 1.1" in refused(tmp_path / "builds", *builds)


def test_a_number_of_the_run_as_a_whole_is_judged_in_each(tmp_path: Path) -> None:
    rules = {"cold": "generate.cold_start < 3s"}
    logs = []
    for cold_s in (2.0, 5.0):
        cold = job(60, -9.0, cold_s, phase="warmup", warmup=True)
        logs.append(sound_run([*jobs(["ok"] * 60), cold], rules))
    judged = one(pool(tmp_path, logs))
    assert (judged.result, judged.value) == ("fail", 5.0)
    assert "the worst of 2 runs" in (judged.assumption or "")


def test_criteria_that_are_given_may_have_been_others(tmp_path: Path) -> None:
    logs = [
        sound_run(jobs(["ok"] * 60), {"it": rule}) for rule in ("generate.failed < 1", "generate.failed < 2")
    ]
    assert "scenario.criteria.it" in refused(tmp_path / "own", *logs)
    assert pool(tmp_path / "given", logs, {"it": "generate.failed < 3"}).verdict.exit_code == 0


def test_an_unsound_run_is_refused_with_its_reason(tmp_path: Path) -> None:
    cut = plain_run()
    cut.happened.append(Interrupted(t_s=50.0, by="SIGTERM"))
    assert "run1 is not valid: the run was interrupted by SIGTERM" in refused(tmp_path, plain_run(), cut)


def test_the_same_inputs_are_told(tmp_path: Path) -> None:
    logs = [plain_run(), plain_run()]
    logs[1].header.salt = "other"
    folders = [write(log, tmp_path / f"run{n}") for n, log in enumerate(logs)]
    assert "1 run had a seed of another" in judge_pool(folders).notices[0]


def test_one_run_and_its_pool_with_another_agree_on_what_is_shown_of_requests(tmp_path: Path) -> None:
    records: list[RequestRecord] = jobs(["ok"] * 30 + ["failed"] * 2, stages={"queue": 0.5, "run": 0.5})
    judged = pool(tmp_path, [sound_run(records, {}), sound_run(records, {})])
    alone = judge(tmp_path / "run0")
    assert judged.errors[0].count == 2 * alone.errors[0].count
    assert judged.stages["queue"].count == 2 * alone.stages["queue"].count
    assert judged.overall.p50_duration == alone.overall.p50_duration
    assert judged.recorded.requests.start_s.size == 0


def test_names_are_as_short_as_tells_runs_apart() -> None:
    assert short_names([Path("r/a-1/spike"), Path("r/a-2/spike")]) == ["a-1", "a-2"]
    assert short_names([Path("r/a/x"), Path("r/b/y")]) == ["x", "y"]
    assert short_names([Path("r/a/x"), Path("r/b/x"), Path("r/b/y")]) == ["r/a/x", "r/b/x", "r/b/y"]
