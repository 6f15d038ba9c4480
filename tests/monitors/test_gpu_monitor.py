"""GPUs through NVML: pynvml's calls into a C library that answers what a test says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genload.nvml.gpu import THROTTLE_STATES
from genload.sampler import start_sampler
from genload.settings.metrics.machines import MACHINE_METRICS

from .fake_gpus import GIB, GONE, board, driver, gpu, opened, problem


def test_every_number_comes_in_base_units_under_a_name_of_the_catalogue(fake: Any) -> None:
    fake.tell([*driver(), *board(0), "0.process none"])
    made = opened()
    values = made.sample()
    assert values == {
        "gpu.utilisation": 0.37,
        "gpu.memory_utilisation": 0.12,
        "gpu.memory_total": 24.0 * GIB,
        "gpu.memory_used": 4.0 * GIB,  # without the reserved one, as nvidia-smi shows it
        "gpu.memory_free": 19.0 * GIB,
        "gpu.power": pytest.approx(71.5),
        "gpu.energy": pytest.approx(123_456.789),
        "gpu.temperature": 61.0,
        "gpu.clock_sm": 1.53e9,
        "gpu.clock_memory": 6.251e9,
        **dict.fromkeys((f"gpu.{name}" for name in THROTTLE_STATES), 0.0),
        "gpu.ecc_corrected": 2.0,
        "gpu.ecc_uncorrected": 0.0,
        "gpu.xid_errors": 0.0,
        "gpu.processes": 0.0,
        "gpu.process_memory": 0.0,
    }
    assert set(values) == set(made.metrics) <= {metric.name for metric in MACHINE_METRICS}
    made.close()


def test_what_is_not_supported_is_absent_and_no_error(fake: Any) -> None:
    fake.tell([*driver(events="!3"), "0.uuid GPU-5bd0", "0.temperature 40", "0.power !4", "0.clock_sm !2"])
    made = opened()
    assert made.sample() == {"gpu.temperature": 40.0}
    assert made.sample() == {"gpu.temperature": 40.0}, "no driver was sought anew"


@pytest.mark.parametrize("fake", ["old"], indirect=True)
def test_an_older_driver_is_asked_in_its_own_words(fake: Any) -> None:
    fake.tell([*driver(driver="470.1"), *board(0, reasons=0x20)])
    values = opened().sample()
    assert values["gpu.memory_used"] == 5.0 * GIB, "it counts what is reserved as used"
    assert values["gpu.throttled_thermal"] == 1.0


@pytest.mark.parametrize(
    ("mask", "states"),
    [
        (0x1, set()),  # idle
        (0x2 | 0x10 | 0x100, set()),  # clocks set by somebody, sync boost, a display
        (0x4, {"throttled", "throttled_power"}),  # the software's power cap
        (0x80 | 0x8, {"throttled", "throttled_power", "throttled_hardware"}),  # power brake
        (0x20, {"throttled", "throttled_thermal"}),
        (0x40 | 0x8, {"throttled", "throttled_thermal", "throttled_hardware"}),
        (0x200, {"throttled", "throttled_hardware"}),  # board limit
        (0x400 | 0x1, {"throttled", "throttled_hardware"}),  # reliability
    ],
)
def test_throttle_reasons_become_states(fake: Any, mask: int, states: set[str]) -> None:
    fake.tell([*driver(), *board(0, reasons=mask)])
    values = opened(per_gpu=True).sample()
    assert {name for name in THROTTLE_STATES if values[f"gpu.{name}"]} == states
    assert values["gpu.throttle_mask{gpu=0}"] == mask


def test_several_gpus_are_told_together_and_each(fake: Any) -> None:
    hot = {"uuid": "GPU-77aa", "utilisation": 99, "temperature": 83, "power": 28_500, "clock_sm": 900}
    fake.tell([*driver(count=2), *board(0), *board(1, **hot, reasons=0x20)])
    values = opened().sample()
    assert values["gpu.utilisation"] == pytest.approx(0.68)
    assert values["gpu.memory_used"] == 8.0 * GIB
    assert values["gpu.power"] == pytest.approx(100.0)
    assert values["gpu.temperature"] == 83.0
    assert values["gpu.clock_sm"] == 0.9e9
    assert (values["gpu.throttled"], values["gpu.throttled_power"]) == (1.0, 0.0)
    assert values["gpu.temperature{gpu=0}"] == 61.0
    assert values["gpu.temperature{gpu=1}"] == 83.0


def test_the_only_gpu_has_series_of_its_own_where_criteria_name_the_label(fake: Any) -> None:
    fake.tell([*driver(), *board(0)])
    settings = gpu.Monitor.Settings()
    assert "gpu.power{gpu=0}" not in opened().sample()
    assert settings.telling_apart(["phase", "process"]) == settings
    assert opened(**settings.telling_apart(["gpu"]).model_dump()).sample()[
        "gpu.power{gpu=0}"
    ] == pytest.approx(71.5)
    off = gpu.Monitor.Settings(per_gpu=False)
    assert off.telling_apart(["gpu"]) == off


def test_a_sum_of_some_gpus_is_none(fake: Any) -> None:
    fake.tell([*driver(count=2), *board(0), *board(1, energy=None)])
    values = opened().sample()
    assert "gpu.energy" not in values and values["gpu.energy{gpu=0}"] == pytest.approx(123_456.789)
    assert values["gpu.power"] == pytest.approx(143.0)


@pytest.mark.parametrize(("chosen", "temperature"), [([1], 70.0), (["GPU-b"], 70.0), ([0, "GPU-b"], 70.0)])
def test_gpus_are_chosen_by_index_or_uuid(fake: Any, chosen: list[Any], temperature: float) -> None:
    gpus = [*board(0, uuid="GPU-a"), *board(1, uuid="GPU-b", temperature=70), *board(2, temperature=90)]
    fake.tell([*driver(count=3), *gpus])
    made = opened(gpus=chosen, per_gpu=True)
    values = made.sample()
    assert values["gpu.temperature"] == temperature
    assert "gpu.temperature{gpu=1}" in values and "gpu.temperature{gpu=2}" not in values
    assert made.facts()["gpu.uuid{gpu=1}"] == "GPU-b"


def test_what_is_measured_is_known(fake: Any) -> None:
    fake.tell([*driver(), *board(0)])
    assert opened().facts() == {
        "gpu.driver": "580.65.06",
        "gpu.model{gpu=0}": "NVIDIA L4",
        "gpu.uuid{gpu=0}": "GPU-5bd0",
    }


# --- XID errors -------------------------------------------------------------------------------------


def test_xid_errors_are_counted_by_gpu_from_the_opening_on(fake: Any) -> None:
    lines = [*driver(count=2), *board(0), *board(1)]
    fake.tell(lines)
    made = opened()
    assert made.sample()["gpu.xid_errors"] == 0.0
    fake.tell([*lines, "event 1 31", "event 1 79"])
    values = made.sample()
    assert (values["gpu.xid_errors"], values["gpu.xid_errors{gpu=1}"]) == (2.0, 2.0)
    assert values["gpu.xid_last{gpu=1}"] == 79.0 and "gpu.xid_last{gpu=0}" not in values
    assert made.sample()["gpu.xid_errors"] == 2.0


def test_events_that_fail_cost_no_other_number(fake: Any) -> None:
    fake.tell([*driver(), *board(0), "event !999"])
    words, values = problem(opened())
    assert words == "XID errors: Unknown Error"
    assert values["gpu.temperature"] == 61.0


# --- processes --------------------------------------------------------------------------------------


def test_processes_with_their_memory_and_the_services_among_them(fake: Any) -> None:
    running = [
        *("0.process 41 1000", "0.process 42 300", "0.graphics 41 1000", "0.graphics 50 7"),
        *("program.41 /usr/bin/python3 serve.py", "program.42 /opt/trainer", "program.50 Xorg"),
    ]
    fake.tell([*driver(count=2), *board(0), *board(1), *running, "1.process 41 500"])
    values = opened().sample()
    assert values["gpu.processes"] == 3.0
    assert values["gpu.process_memory"] == 1807.0
    assert values["gpu.process_memory{process=python3-41}"] == 1500.0
    assert values["gpu.process_memory{process=Xorg-50}"] == 7.0
    assert opened(processes=["python3"]).sample()["gpu.process_memory"] == 1500.0
    assert opened(processes=[42, "Xorg"]).sample()["gpu.process_memory"] == 307.0
    assert opened(processes=["absent"]).sample()["gpu.process_memory"] == 0.0


def test_memory_that_the_driver_does_not_tell_is_absent(fake: Any) -> None:
    fake.tell([*driver(), *board(0), "0.process 41 unknown", "0.process 42 300"])
    values = opened().sample()
    assert values["gpu.processes"] == 2.0
    assert "gpu.process_memory" not in values
    assert values["gpu.process_memory{process=process-42}"] == 300.0


def test_a_driver_that_tells_no_processes_costs_no_other_number(fake: Any) -> None:
    fake.tell([*driver(), *board(0), "0.process !4"])
    values = opened().sample()
    assert "gpu.processes" not in values and "gpu.temperature" in values


# --- as a process, through the system's own search for the library ----------------------------------

LOOK = """
import json, sys
from genload.sampler.watch import load_watch
sample = load_watch("gpu", {}, "http://127.0.0.1:1").tick(0.0)
print(json.dumps([sample.values, sample.error]))
"""


# On a machine with a driver, too, the library is not to be found.
HIDE = """
import ctypes
load = ctypes.CDLL
def without_nvidia(name, *rest, **named):
    if "nvidia" in str(name):
        raise OSError(name)
    return load(name, *rest, **named)
ctypes.CDLL = without_nvidia
"""


@pytest.mark.processes
def test_without_a_driver_the_reason_is_clear() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    output = subprocess.run(
        [sys.executable, "-c", HIDE + LOOK], env=environment, capture_output=True, check=True
    ).stdout
    values, error = json.loads(output)
    assert (values, error) == ({}, "no NVIDIA driver here: libnvidia-ml.so.1 cannot be loaded")


@pytest.mark.processes
def test_the_sampler_finds_the_library_and_survives_its_loss(
    tmp_path: Path,
    make_nvml: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    wait_for_samples: Callable[..., list[Any]],
) -> None:
    fake = make_nvml()
    fake.tell([*driver(), *board(0)])
    monkeypatch.setenv("LD_LIBRARY_PATH", str(fake.library.parent))
    monkeypatch.setenv("FAKE_NVML", str(fake.script))
    handle = start_sampler(
        tmp_path, 0.0, "http://127.0.0.1:1", {"gpu": {"interval": "20ms"}, "host": {"interval": "20ms"}}
    )
    try:
        wait_for_samples(lambda samples: any(s.facts.get("gpu.model{gpu=0}") == "NVIDIA L4" for s in samples))
        fake.tell(GONE)
        wait_for_samples(lambda samples: "Driver Not Loaded" in samples[-1].error)
        fake.tell([*driver(), *board(0, temperature=77)])
        wait_for_samples(lambda samples: samples[-1].values.get("gpu.temperature") == 77.0)
        assert handle.running
    finally:
        handle.stop()
