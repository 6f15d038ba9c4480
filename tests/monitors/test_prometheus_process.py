"""Debian's Prometheus scraping a testbed and a DCGM exporter's page, killed and restarted during the run."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from genload import extensions
from genload.analysis.series import SeriesStore
from genload.runlog.records import Sample
from genload.sampler import start_sampler
from genload.settings.loader import load_suite

from .real_prometheus import INTERVAL_S, Prometheus

pytestmark = pytest.mark.processes
CONFIG = Path(__file__).resolve().parents[2] / "config" / "prometheus"
WAIT_S = 40.0

# As dcgm-exporter writes it: MiB, percent, MHz, mJ.
DCGM = "".join(
    f'{name}{{gpu="{gpu}",UUID="GPU-{gpu}",device="nvidia{gpu}",pod="orfeas-{gpu}"}} {value * (gpu + 1)}\n'
    for name, value in {
        "DCGM_FI_DEV_GPU_UTIL": 20,
        "DCGM_FI_DEV_FB_USED": 1000,
        "DCGM_FI_DEV_POWER_USAGE": 50.5,
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": 7000,
        "DCGM_FI_DEV_GPU_TEMP": 30,
        "DCGM_FI_DEV_SM_CLOCK": 900,
    }.items()
    for gpu in (0, 1)
)


@pytest.fixture
def make(prometheus: str, tmp_path: Path) -> Iterator[Callable[..., Prometheus]]:
    """A factory of running ones that scrape targets by job."""
    running: list[Prometheus] = []

    def start(**targets: str) -> Prometheus:
        folder = tmp_path / "prometheus"
        folder.mkdir()
        running.append(Prometheus(prometheus, folder, targets))
        running[-1].start()
        return running[-1]

    yield start
    for one in running:
        one.kill()


def queries_for_dcgm() -> dict[str, str]:
    """Those that config/prometheus/dcgm.yaml shows."""
    found: dict[str, str] = yaml.safe_load((CONFIG / "dcgm.yaml").read_text())["monitors"]["prometheus"][
        "queries"
    ]
    return found


def test_a_run_by_a_real_prometheus_that_is_killed_in_its_middle(
    make: Callable[..., Prometheus],
    testbed: Callable[..., Any],
    pages: Callable[..., Any],
    tmp_path: Path,
    wait_for_samples: Callable[..., list[Sample]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROMETHEUS_PASSWORD", "test")
    service, dcgm = testbed(), pages(DCGM)
    prometheus = make(service=service.url.removeprefix("http://"), dcgm=dcgm.host.removeprefix("http://"))
    settings = {
        "url": prometheus.url,
        "interval": f"{INTERVAL_S}s",
        "basic_auth": {"username": "admin", "password": "${env:PROMETHEUS_PASSWORD}"},
        "tls": {"ca_file": str(prometheus.authority.file)},
        "queries": queries_for_dcgm()
        | {
            "server.memory": 'process_resident_memory_bytes{job="service"}',
            "requests": "sum(orfeas_requests_total)",
            "ratio": "0 * sum(orfeas_generations_in_progress) / 0",
            "now": "time() + 0 * sum(orfeas_generations_in_progress)",
        },
    }
    began_s, began_unix_s = time.monotonic(), time.time()
    handle = start_sampler(tmp_path, began_s, service.url, {"prometheus": settings})
    try:
        ticks = wait_for_samples(lambda samples: _live(samples, "server.memory") >= 3)
        killed_s = time.monotonic() - began_s
        prometheus.kill()
        wait_for_samples(lambda samples: "Connection refused" in samples[-1].error)
        prometheus.start()
        before = _live(ticks, "server.memory")
        back = wait_for_samples(lambda samples: _live(samples, "server.memory") >= before + 2)
        restarted_s = [sample.t_s for sample in back if "server.memory" in sample.values][-2]
    finally:
        handle.stop()

    samples = msgspec.json.Decoder(Sample).decode_lines((tmp_path / "samples.jsonl").read_bytes())
    whole = [sample for sample in samples if not sample.live]
    store = SeriesStore(samples, handle.plans)

    # The window, and the hole in it that a plain range query would fill with repeated values.
    memory = store.find("server.memory")
    assert memory is not None
    gaps = [(later - earlier, earlier) for earlier, later in pairwise(memory.times_s)]
    longest_s, hole_s = max(gaps)
    assert longest_s > 4 * INTERVAL_S
    assert killed_s - 2 * INTERVAL_S < hole_s < restarted_s
    assert sum(gap > 3 * INTERVAL_S for gap, _ in gaps) == 1
    assert "nothing was scraped" in whole[-1].error

    # Units, labels, and what the GPUs come to together.
    newest = next(s.values for s in reversed(whole) if "gpu.power" in s.values)
    assert newest["gpu.memory_used"] == 3000 * 2**20
    assert newest["gpu.memory_used{UUID=GPU-1, gpu=1}"] == 2000 * 2**20
    assert newest["gpu.utilisation"] == pytest.approx(0.3)
    assert (newest["gpu.power"], newest["gpu.energy"]) == (151.5, 21.0)
    assert (newest["gpu.temperature"], newest["gpu.clock_sm"]) == (60.0, 900e6)

    # 0 / 0 is a value nowhere; Prometheus's own time comes back as the run's.
    assert store.find("prom.ratio").times_s.size == 0  # type: ignore[union-attr]
    now = store.find("prom.now")
    assert now is not None and now.values.size > 4
    for at_s, unix_s in zip(now.times_s, now.values, strict=True):
        assert unix_s - began_unix_s == pytest.approx(at_s, abs=0.25)


def _live(samples: list[Sample], metric: str) -> int:
    return sum(metric in sample.values for sample in samples if sample.live)


# Two boards as an exporter shows them under MIG: what only a board has is repeated for each instance.
ON_BOTH = {"DCGM_FI_DEV_POWER_USAGE": (71.5, 200.0), "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": (7e6, 5e6)}
INSTANCES = 7


def test_what_mig_instances_and_pods_repeat_counts_once(tmp_path: Path) -> None:
    """By Prometheus's own evaluation: 7 × 71.5 W are one board's; two pods share the board beside it."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    one, two = 'Hostname="h",gpu="0",UUID="GPU-a"', 'Hostname="h",gpu="1",UUID="GPU-b"'
    beside = 'Hostname="g",gpu="0",UUID="GPU-c"'  # whole, and its instances with it
    rows = {
        f'{one},GPU_I_ID="{n}",GPU_I_PROFILE="1g.10gb",pod="p{n}"': n * 100 for n in range(1, INSTANCES + 1)
    }
    rows |= {f'{two},pod="q{n}"': 1000 for n in (1, 2)}
    rows |= {beside: 60, f'{beside},GPU_I_ID="7"': 20, f'{beside},GPU_I_ID="8"': 30}
    series = [
        {"series": f"{name}{{{labels}}}", "values": str(value)}
        for labels, used in rows.items()
        for name, value in {
            "DCGM_FI_DEV_FB_USED": used,
            **{name: of[two in labels] for name, of in ON_BOTH.items()},
        }.items()
    ]
    queries = queries_for_dcgm()
    whole = {
        "gpu.power": 343.0,
        "gpu.energy": 19e3,
        "gpu.memory_used": (sum(range(1, INSTANCES + 1)) * 100 + 1000 + 60) * 2**20,
    }
    expected = [
        {"expr": f"sum({queries[name]})", "exp_samples": [{"labels": "{}", "value": value}]}
        for name, value in whole.items()
    ]
    mine = 'max by (Hostname, UUID, gpu, GPU_I_ID) (DCGM_FI_DEV_FB_USED{gpu="0", GPU_I_ID="3"}) * 1024 * 1024'
    attributed = f'{{{one}, GPU_I_ID="3"}}'
    expected.append({"expr": mine, "exp_samples": [{"labels": attributed, "value": 300 * 2**20}]})
    tests = [{"interval": "1m", "input_series": series, "promql_expr_test": expected}]
    (tmp_path / "mig.yml").write_text(yaml.safe_dump({"tests": tests}))
    checked = subprocess.run([promtool, "test", "rules", str(tmp_path / "mig.yml")], capture_output=True)
    assert checked.returncode == 0, checked.stderr.decode() + checked.stdout.decode()


def test_the_example_of_a_scrape_configuration_is_one(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    checked = subprocess.run(
        [promtool, "check", "config", str(CONFIG / "prometheus.yml")], capture_output=True
    )
    assert checked.returncode == 0, checked.stderr.decode()


def test_the_example_of_a_dcgm_suite_can_be_run() -> None:
    folders = [folder / "suites" for folder in extensions.folders("config")]
    suite = load_suite(str(CONFIG / "dcgm.yaml"), folders=folders, wings=extensions.Wings()).suite
    monitor = extensions.attribute("monitors", "prometheus", "Monitor")(suite.monitors["prometheus"], "")
    assert "gpu.memory_used" in monitor.metrics
    exposition: Any = suite.monitors["exposition"]
    assert "gpu.memory_used" not in exposition.series
