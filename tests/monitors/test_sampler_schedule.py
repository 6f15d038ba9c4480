"""The sampler's schedule and what becomes of a monitor that misbehaves, without processes or waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.errors import ConfigError
from genload.monitor import Monitor, MonitorError
from genload.runlog.records import MonitorPlan, Sample
from genload.sampler.child import SampleFile
from genload.sampler.watch import Watch, load_watch, next_tick, sample_until
from genload.settings.wing_models import MonitorSettings


class Scripted(Monitor):
    """A monitor whose ticks do what the script says; the clock moves by `costs_s` a tick."""

    metrics = ("host.cpu",)

    def __init__(self, script: Iterator[Any], opens: Sequence[Any] = ()) -> None:
        super().__init__(MonitorSettings(interval_s=1.0), "http://127.0.0.1:1")
        self.script, self.opens = script, iter(opens)
        self.closed = 0

    def open(self) -> None:
        play(next(self.opens, None))

    def sample(self) -> Mapping[str, float]:
        return play(next(self.script))  # type: ignore[no-any-return]

    def close(self) -> None:
        self.closed += 1
        raise RuntimeError("a close that fails is nobody's business")


def play(step: Any) -> Any:
    if isinstance(step, BaseException):
        raise step
    return step


@pytest.mark.parametrize(
    ("last", "now_s", "expected"),
    [
        (0, 10.0, 1),
        (0, 10.9, 1),
        (0, 11.0, 1),
        (0, 11.001, 2),
        (3, 13.2, 4),
        (3, 17.5, 8),
        (7, 12.0, 8),
    ],
)
def test_a_tick_whose_predecessor_still_ran_is_left_out(last: int, now_s: float, expected: int) -> None:
    assert next_tick(last, start_s=10.0, interval_s=1.0, now_s=now_s) == expected


@given(st.floats(0.01, 60), st.lists(st.floats(0, 5), min_size=1, max_size=50), st.floats(0, 1e6))
def test_ticks_never_drift_and_never_pile_up(interval_s: float, costs: list[float], start_s: float) -> None:
    """Costs are in intervals: each tick begins when due, or later only because the clock jumped."""
    tick, now_s = 0, start_s
    for cost in costs:
        now_s += cost * interval_s
        following = next_tick(tick, start_s, interval_s, now_s)
        assert following > tick
        due_s = start_s + following * interval_s
        assert due_s >= now_s - 1e-6 * max(1.0, now_s)
        assert following == tick + 1 or due_s - now_s <= interval_s * (1 + 1e-6) + 1e-6 * now_s
        tick, now_s = following, max(now_s, due_s)


def test_a_tick_carries_its_time_its_cost_and_its_values() -> None:
    clock = iter([107.5, 107.75])
    watch = Watch("probe", Scripted(iter([{"host.cpu": 0.5}])))
    assert watch.tick(t0_s=100.0, clock=lambda: next(clock)) == Sample(
        t_s=7.5, monitor="probe", values={"host.cpu": 0.5}, took_s=0.25
    )


def slow(interval_s: float, longest_s: float) -> Watch:
    monitor = Scripted(iter([]))
    monitor.settings = MonitorSettings(interval_s=interval_s)
    return Watch("page", monitor, longest_s)


def ticked(took_s: float, error: str = "") -> Sample:
    return Sample(t_s=0.0, monitor="page", values={"host.cpu": 1.0}, took_s=took_s, error=error)


def test_an_interval_that_a_time_scale_shortened_grows_to_twice_what_a_tick_takes() -> None:
    watch, first = slow(0.1, 5.0), ticked(0.107)
    assert watch.slow_down(first)
    assert watch.interval_s == first.interval_s == pytest.approx(2.5 * 0.107)
    assert watch.plan.interval_s == watch.interval_s
    again = ticked(0.11)
    assert not watch.slow_down(again)
    assert again.interval_s == 0.0, "said once"


@pytest.mark.parametrize(
    ("watch", "ticks"),
    [
        (slow(0.1, 5.0), [ticked(0.04)] * 9),
        (slow(0.1, 5.0), [ticked(0.01)] * 3 + [ticked(2.0)] + [ticked(0.01)] * 5),
        (slow(0.1, 5.0), [ticked(1.0, "did not answer within 1 s")] * 9),
        (slow(5.0, 5.0), [ticked(4.0)] * 9),
        (slow(1.0, 0.0), [ticked(4.0)] * 9),
    ],
    ids=["quick", "one hiccup", "timeouts", "as the suite has it", "no time scale"],
)
def test_an_interval_stays_where_ticks_leave_it_time_or_the_suite_chose_it(
    watch: Watch, ticks: list[Sample]
) -> None:
    before_s = watch.interval_s
    assert [watch.slow_down(tick) for tick in ticks] == [False] * 9
    assert watch.interval_s == before_s


def test_an_interval_grows_no_further_than_the_suites_own() -> None:
    watch = slow(0.1, 0.5)
    assert watch.slow_down(ticked(3.0))
    assert watch.interval_s == 0.5


def test_a_slow_page_is_asked_no_faster_than_it_answers() -> None:
    asked, stop = list[float](), threading.Event()

    class Page(Scripted):
        def sample(self) -> Mapping[str, float]:
            asked.append(time.monotonic())
            time.sleep(0.03)
            if len(asked) == 8:
                stop.set()
            return {"host.cpu": 1.0}

    monitor = Page(iter([]))
    monitor.settings = MonitorSettings(interval_s=0.01)
    written = list[Sample]()
    Watch("page", monitor, 1.0).run(0.0, written.append, stop)
    # The first tick opens it as well, so that the second is the first look that is timed.
    gaps_s = [later - earlier for earlier, later in pairwise(asked[1:])]
    assert min(gaps_s) >= 0.06
    (slowed,) = [sample.interval_s for sample in written if sample.interval_s][:1]
    assert slowed >= 0.06


def test_a_monitor_that_raises_is_named_and_tried_again() -> None:
    script = iter([RuntimeError("sensor gone"), SystemExit(3), "no mapping", {"host.cpu": 1}])
    watch = Watch("probe", Scripted(script))
    errors = [(sample.error, sample.values) for sample in (watch.tick(0.0) for _ in range(4))]
    assert errors[0] == ("RuntimeError: sensor gone", {})
    assert errors[1] == ("SystemExit: 3", {})
    assert errors[2][0].startswith("AttributeError: ")
    assert errors[3] == ("", {"host.cpu": 1.0})


def test_what_a_failed_tick_did_find_out_is_kept_beside_the_reason() -> None:
    watch = Watch("probe", Scripted(iter([MonitorError("page gone", {"server.up": 0})])))
    sample = watch.tick(0.0)
    assert (sample.error, sample.values) == ("page gone", {"server.up": 0.0})


def test_an_open_that_raises_is_tried_again_at_the_next_tick() -> None:
    watch = Watch("probe", Scripted(iter([{"host.cpu": 1.0}]), opens=[OSError("no driver"), None]))
    assert watch.tick(0.0).error == "OSError: no driver"
    assert watch.tick(0.0).values == {"host.cpu": 1.0}


def test_numbers_that_are_none_are_absent_and_errors_bounded() -> None:
    script = iter([{"a": float("nan"), "b": float("-inf"), "c": 1}, RuntimeError("x" * 9000)])
    watch = Watch("probe", Scripted(script))
    assert watch.tick(0.0).values == {"c": 1.0}
    assert len(watch.tick(0.0).error) == 500


def test_a_watch_ends_when_told_and_closes_its_monitor() -> None:
    stop, written = threading.Event(), list[Sample]()
    monitor = Scripted(iter([{"host.cpu": 0.0}]))

    def write(sample: Sample) -> None:
        written.append(sample)
        stop.set()

    Watch("probe", monitor).run(0.0, write, stop)
    assert len(written) == 1
    assert monitor.closed == 1


def test_a_tick_that_hangs_is_named_once_while_it_lasts() -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Hanging(Scripted):
        def sample(self) -> Mapping[str, float]:
            entered.set()
            go_on.wait(30.0)
            return {"host.cpu": 0.5}

    watch = Watch("probe", Hanging(iter(())))
    assert watch.hang(0.0, 1e9) is None, "no tick is under way"
    ended = list[Sample]()
    thread = threading.Thread(target=lambda: ended.append(watch.tick(100.0, clock=lambda: 107.0)))
    thread.start()
    assert entered.wait(30.0)
    assert watch.hang(100.0, 116.9) is None
    told = watch.hang(100.0, 119.0)
    assert told == Sample(t_s=19.0, monitor="probe", error="hangs: the tick 12 s ago has not ended")
    assert watch.hang(100.0, 200.0) is None, "once is enough"
    go_on.set()
    thread.join(30.0)
    assert ended[0].values == {"host.cpu": 0.5}
    assert watch.hang(100.0, 1e9) is None


def test_a_monitor_that_hangs_at_the_end_is_named_and_the_others_go_on() -> None:
    written, forever = list[Sample](), threading.Event()
    enough = threading.Event()

    class Hanging(Scripted):
        def sample(self) -> Mapping[str, float]:
            forever.wait(30.0)
            return {}

    def write(sample: Sample) -> None:
        written.append(sample)
        if [s.monitor for s in written].count("well") >= 3:
            enough.set()

    well = Scripted(iter({"host.cpu": 1.0} for _ in range(10**6)))
    well.settings = MonitorSettings(interval_s=0.01)
    watches = [Watch("stuck", Hanging(iter(()))), Watch("well", well)]
    sample_until(lambda: assert_set(enough), watches, 0.0, write)
    forever.set()
    assert {s.monitor for s in written if not s.error} == {"well"}
    assert [s.monitor for s in written if s.error.startswith("hangs")] == ["stuck"]


def assert_set(event: threading.Event) -> None:
    assert event.wait(30.0)


def test_what_is_measured_is_told_once_with_the_first_tick_that_found_something() -> None:
    class Known(Scripted):
        def facts(self) -> Mapping[str, str]:
            return {"gpu.model{gpu=0}": "NVIDIA\x1b[31m L4\n"}

    partly = MonitorError("one of two is lost", {"host.cpu": 1.0})
    watch = Watch("probe", Known(iter([MonitorError("not yet"), partly, {"host.cpu": 1.0}])))
    assert [watch.tick(0.0).facts for _ in range(3)] == [{}, {"gpu.model{gpu=0}": "NVIDIA L4"}, {}]


def test_what_has_become_known_meanwhile_is_told_at_the_end() -> None:
    class Learning(Scripted):
        learned = iter([{"gpu": "L4", "replicas": "1 of 2"}, {"gpu": "L4", "replicas": "2"}])

        def facts(self) -> Mapping[str, str]:
            return next(self.learned)

    stop, written = threading.Event(), list[Sample]()

    def write(sample: Sample) -> None:
        written.append(sample)
        stop.set()

    Watch("probe", Learning(iter([{"host.cpu": 0.0}]))).run(0.0, write, stop)
    assert [sample.facts for sample in written] == [{"gpu": "L4", "replicas": "1 of 2"}, {"replicas": "2"}]
    assert written[-1].values == {}


def test_the_plan_is_what_the_monitor_promises() -> None:
    plan = Watch("probe", Scripted(iter(()))).plan
    assert plan == MonitorPlan(name="probe", interval_s=1.0, metrics=["host.cpu"])


def test_the_samples_of_a_full_disk_are_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SampleFile(tmp_path)

    def refuse(fd: int, data: bytearray) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("genload.runlog.lines.os.write", refuse)
        for t in range(3):
            file.write(Sample(t_s=float(t), monitor="probe"))
    assert (tmp_path / "samples.jsonl").read_text() == ""
    file.write(Sample(t_s=3.0, monitor="probe"))
    file.close()
    file.write(Sample(t_s=4.0, monitor="probe"))
    assert (tmp_path / "samples.jsonl").read_text().count("\n") == 4


@pytest.mark.parametrize("make", [dict, list], ids=["mapping", "sequence"])
def test_a_sample_must_be_a_mapping(make: Callable[[], Any]) -> None:
    watch = Watch("probe", Scripted(iter([make()])))
    assert bool(watch.tick(0.0).error) is (make is list)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("absent", {}, "no 'absent' in monitors/"),
        ("exposition", {"series": {"server.memry": "x"}}, "monitors.exposition.series: 'server.memry'"),
        ("exposition", {"timeout": "4 parsecs"}, "monitors.exposition.timeout: "),
        ("host", {"interval": "0s"}, "monitors.host.interval: is not above 0"),
    ],
)
def test_a_wrong_monitor_is_refused_with_place_and_remedy(
    name: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_watch(name, settings, "http://127.0.0.1:1")
    assert words in raised.value.render()
    assert raised.value.remedy


@pytest.mark.parametrize("interval", ["250ms", 0.25])
def test_settings_come_as_text_with_units_or_in_base_units(interval: str | float) -> None:
    assert load_watch("host", {"interval": interval}, "http://127.0.0.1:1").interval_s == 0.25
