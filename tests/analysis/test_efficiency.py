"""What an output cost: known amounts of energy, GPU time and money, and nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.analysis.efficiency import counted, integrated
from genload.analysis.judge import judge_log
from genload.analysis.judged.efficiency import Efficiency, Sharing
from genload.analysis.series import Series
from genload.runlog.records import MonitorPlan, Sample

from .memory_log import LOAD_START_S, MemoryLog, job, sound_run

LOAD_S = 100.0
EUROS = {"gpu_hour_cost": {"amount": 3.6, "currency": "EUR"}}


def run_of(values: dict[str, Callable[[float], float]], numbers: Any = None, **settings: Any) -> MemoryLog:
    """Fifty jobs in 100 s, the last of which ends with the load; samples follow functions of its time."""
    records = [job(n, n * 2.0, 2.0, numbers=numbers or {}) for n in range(50)]
    log = sound_run(records, load_s=LOAD_S, **settings)
    log.header.monitors = [MonitorPlan(name="gpu", interval_s=1.0, metrics=list(values), source="NVML")]
    log.ticks = [
        Sample(t_s=LOAD_START_S + tick, monitor="gpu", values={name: of(tick) for name, of in values.items()})
        for tick in range(-8, int(LOAD_S) + 4)
    ]
    return log


def of(log: MemoryLog) -> Efficiency:
    found = judge_log(log).efficiency
    assert found is not None
    return found


def series(times: list[float], values: list[float]) -> Series:
    return Series("gpu.energy", "NVML", np.array(times), np.array(values), np.zeros(len(times)), 1.0)


def test_without_a_gpu_or_a_price_there_is_no_such_section() -> None:
    assert judge_log(sound_run([job(n, n) for n in range(20)])).efficiency is None
    assert (
        judge_log(run_of({"gpu.energy": lambda t: 0.0, "gpu.utilisation": lambda t: 0.0})).efficiency is None
    )


def test_nothing_costs_anything_where_no_output_came() -> None:
    log = run_of({"gpu.power": lambda t: 300.0}, **EUROS)
    for record in log.records:
        record.outcome = "failed"
    assert judge_log(log).efficiency is None


def test_the_counter_says_the_joules_and_power_before_the_load_what_idles() -> None:
    found = of(
        run_of({"gpu.energy": lambda t: 9e6 + 300 * t, "gpu.power": lambda t: 80.0 if t < 0 else 300.0})
    )
    assert found.energy is not None
    assert found.energy.metric == "gpu.energy"
    assert found.energy.joules == pytest.approx(30_000)
    assert found.energy.per_output == pytest.approx(600)
    assert found.energy.idle_watts == 80
    assert found.energy.per_output_above_idle == pytest.approx(440)
    assert (found.energy.per_audio_second, found.gpu_time, found.cost) == (None, None, None)


def test_without_a_counter_power_is_integrated() -> None:
    log = run_of({"gpu.power": lambda t: 300.0})
    log.ticks = [tick for tick in log.ticks if tick.t_s >= LOAD_START_S]
    found = of(log)
    assert found.energy is not None
    assert (found.energy.metric, found.energy.idle_watts) == ("gpu.power", None)
    assert found.energy.joules == pytest.approx(30_000)
    assert found.energy.per_output_above_idle is None


def test_power_with_holes_says_nothing() -> None:
    log = run_of({"gpu.power": lambda t: 300.0})
    log.ticks = log.ticks[::2]
    assert judge_log(log).efficiency is None


def test_speech_is_counted_by_the_second_of_audio_too() -> None:
    measured: dict[str, Callable[[float], float]] = {
        "gpu.power": lambda t: 300.0,
        "gpu.utilisation": lambda t: 0.5,
    }
    found = of(run_of(measured, {"audio_duration_s": 4.0}, **EUROS))
    assert found.audio_seconds == 200
    assert found.energy is not None
    assert found.gpu_time is not None
    assert found.cost is not None
    assert found.energy.per_audio_second == pytest.approx(150)
    assert found.gpu_time.seconds == pytest.approx(50)
    assert found.gpu_time.per_output == pytest.approx(1.0)
    assert found.gpu_time.per_audio_second == pytest.approx(0.25)
    assert found.cost.per_1000_outputs == pytest.approx(2.0)  # 3.6 an hour are 0.1 in 100 s, for 50
    assert found.cost.per_audio_hour == pytest.approx(1.8)


def test_audio_that_is_not_known_of_every_output_is_not_counted() -> None:
    log = run_of({"gpu.power": lambda t: 300.0}, {"audio_duration_s": 4.0})
    log.records[7].numbers = {}
    assert of(log).audio_seconds is None


def test_index_0_of_two_hosts_is_two_gpus_whoever_else_names_them() -> None:
    named = ["{Hostname=a, UUID=GPU-1, gpu=0}", "{Hostname=b, UUID=GPU-2, gpu=0}", "{gpu=0}", "{gpu=1}"]
    values = {f"gpu.utilisation{labels}": lambda t: 0.5 for labels in named}
    assert of(run_of({"gpu.utilisation": lambda t: 0.5, **values}, **EUROS)).gpus == 2


def test_several_gpus_cost_several_times_as_much() -> None:
    both = {"gpu.utilisation": 0.5, "gpu.utilisation{gpu=0}": 1.0, "gpu.utilisation{gpu=1}": 0.0}
    found = of(run_of({name: lambda t, v=v: v for name, v in both.items()}, **EUROS))
    assert found.gpus == 2
    assert found.gpu_time is not None
    assert found.cost is not None
    assert found.gpu_time.seconds == pytest.approx(100)
    assert found.cost.per_1000_outputs == pytest.approx(4.0)


def test_a_price_alone_needs_no_monitor() -> None:
    found = of(run_of({}, **EUROS))
    assert (found.energy, found.gpu_time, found.sharing) == (None, None, None)
    assert found.cost is not None


@pytest.mark.parametrize(
    ("processes", "count", "named", "expected"),
    [
        ((), 1, ["python3-41"], Sharing(shared=False, processes=1)),
        ((), 2, ["python3-41", "trainer-9"], Sharing(shared=None, processes=2)),
        (("python3",), 2, ["python3-41", "my-job-9"], Sharing(shared=True, processes=2, others=["my-job-9"])),
        ((41,), 2, ["python3-41", "python3-9"], Sharing(shared=True, processes=2, others=["python3-9"])),
        (("python3",), 2, ["python3-41", "python3-42"], Sharing(shared=False, processes=2)),
        (("python3",), 2, ["python3-41"], Sharing(shared=None, processes=2)),
        ((), 0, [], Sharing()),
    ],
)
def test_a_shared_board_is_said_to_be_shared(
    processes: tuple[int | str, ...], count: int, named: list[str], expected: Sharing
) -> None:
    values = {"gpu.power": 300.0, "gpu.processes": float(count)}
    values |= {f"gpu.process_memory{{process={name}}}": 1e9 for name in named}
    log = run_of(
        {name: lambda t, v=v: v for name, v in values.items()},
        monitors={"gpu": {"processes": list(processes)}},
    )
    assert of(log).sharing == expected


def test_a_counter_that_begins_anew_loses_nothing_else() -> None:
    assert counted(series([0, 1, 2, 3], [10, 20, 5, 15]), 0, 3) == 20
    assert counted(series([0, 2], [0, 20]), 0.5, 1.5) == 10


def test_a_counter_that_was_not_read_at_both_ends_says_nothing() -> None:
    assert counted(series([3, 4], [0, 20]), 0, 4) is None
    assert counted(series([0, 1], [0, 20]), 0, 4) is None
    assert counted(series([0], [0]), 0, 1) is None
    assert integrated(series([0], [5]), 1) is None


@given(st.lists(st.floats(0, 1000), min_size=3, max_size=50), st.floats(0, 1), st.floats(0, 1))
def test_parts_of_a_counter_add_up(rises: list[float], first: float, second: float) -> None:
    total = series([float(n) for n in range(len(rises))], list(np.cumsum(rises)))
    end = float(len(rises) - 1)
    low, high = sorted((first, second))
    parts = [counted(total, *span) for span in ((0.0, low), (low, high), (high, end))]
    whole = counted(total, 0.0, end)
    if None not in parts:
        assert sum(part or 0.0 for part in parts) == pytest.approx(whole)
