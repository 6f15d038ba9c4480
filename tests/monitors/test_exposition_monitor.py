"""The monitor of a metrics page: what a scrape fills, and what a failed one says."""

from __future__ import annotations

import gzip
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from pydantic import ValidationError

from genload import extensions
from genload.exposition import scrape
from genload.monitor import MonitorError
from genload.settings.service import Tls

from ..clock import Clock

exposition: Any = extensions.load("monitors", "exposition")

PAGE = """\
process_resident_memory_bytes 1.5e+08
process_start_time_seconds 1000
jobs{kind="3d"} 2
"""


@pytest.fixture
def monitor(page: Any) -> Callable[..., Any]:
    """A factory of opened monitors on the page."""

    def make(host: str = "", **settings: Any) -> Any:
        model = exposition.Monitor.Settings.model_validate(settings)
        monitor = exposition.Monitor(model, host or page.host + "/")
        monitor.open()
        return monitor

    return make


def test_a_scrape_fills_what_the_page_offers(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = PAGE
    series = {"server.memory": "process_resident_memory_bytes", "server.in_flight": "jobs_running"}
    scraping = monitor(series=series)
    values = scraping.sample()
    assert values.pop("server.scrape_duration") > 0
    assert values == {"server.memory": 1.5e8, "server.up": 1.0, "server.restarts": 0.0}
    assert scraping.metrics == (
        "server.memory",
        "server.in_flight",
        "server.up",
        "server.scrape_duration",
        "server.restarts",
    )
    assert scraping.source == page.host + "/metrics"


def test_a_restart_between_scrapes_is_counted(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor()
    seen = []
    now_s = time.time()
    for start_s in (1000, 1000, now_s + 60):
        page.body = f"process_start_time_seconds {start_s}\n"
        seen.append(scraping.sample()["server.restarts"])
    assert seen == [0.0, 0.0, 1.0]


def test_a_mapped_counter_that_falls_is_a_restart_and_goes_on(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor(series={"prom.jobs": "jobs_total"})
    seen = []
    registries = []
    for jobs in (3, 4, 1):
        registries.append(CollectorRegistry())
        Counter("jobs", "", registry=registries[-1]).inc(jobs)
        page.body = generate_latest(registries[-1]).decode()
        values = scraping.sample()
        seen.append((values["prom.jobs"], values["server.restarts"]))
    assert seen == [(3.0, 0.0), (4.0, 0.0), (5.0, 1.0)]


# Triton's, whose start time no page shows: a quantile goes up and down, a model is unloaded.
TRITON = """\
# TYPE nv_inference_request_summary_us summary
nv_inference_request_summary_us_count{{model="a"}} {count}
nv_inference_request_summary_us_sum{{model="a"}} {sum}
nv_inference_request_summary_us{{model="a",quantile="0.5"}} 11000
nv_inference_request_summary_us{{model="a",quantile="0.95"}} {p95}
"""


def test_a_summarys_quantile_is_no_counter(page: Any, monitor: Callable[..., Any]) -> None:
    """A steady p95 of 23 ms was told as 299,899, with 12 restarts of the service."""
    name = "nv_inference_request_summary_us"
    series = {"prom.p95": f'{name}{{quantile="0.95"}}', "prom.count": f"{name}_count"}
    scraping, seen = monitor(series=series), []
    for number, p95 in enumerate([23000, 22950, 23010, 22990, 23000] * 5):
        page.body = TRITON.format(count=100 + number, sum=number * 1e4, p95=p95)
        seen.append(scraping.sample())
    assert [values["prom.p95"] for values in seen] == [23000, 22950, 23010, 22990, 23000] * 5
    assert [values["prom.count"] for values in seen] == list(range(100, 125))
    assert seen[-1]["server.restarts"] == 0.0


def test_several_quantiles_have_no_sum(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = TRITON.format(count=1, sum=1, p95=23000)
    name = "nv_inference_request_summary_us"
    reason, values = failure(monitor(series={"prom.p95": name, "prom.count": f"{name}_count"}))
    assert reason.endswith(f": prom.p95: 2 quantiles of {name} have no sum: name one by its labels")
    assert (values["server.up"], values["prom.count"]) == (1.0, 1.0)
    assert "prom.p95" not in values


def test_several_series_of_a_gauge_are_what_they_come_to_together(
    page: Any, monitor: Callable[..., Any]
) -> None:
    """Temperatures do not add up."""
    page.body = 'temp{gpu="0"} 61\ntemp{gpu="1"} 83\nbusy{gpu="0"} 0.2\nbusy{gpu="1"} 0.4\n'
    values = monitor(
        series={"gpu.temperature": "temp", "gpu.utilisation": "busy", "prom.temp": "temp"}
    ).sample()
    assert values["gpu.temperature"] == 83.0
    assert values["gpu.utilisation"] == pytest.approx(0.3)
    assert values["prom.temp"] == 144.0


def dcgm(name: str, kind: str, *samples: tuple[str, str, float]) -> str:
    """A family as the DCGM exporter shows it, of one host; of each sample its board, instance and value."""
    lines = [f"# TYPE {name} {kind}"]
    for board, instance, value in samples:
        slices = f'GPU_I_PROFILE="1g.10gb",GPU_I_ID="{instance}",' if instance else ""
        labels = (
            f'gpu="{board}",UUID="GPU-{board}",device="nvidia{board}",{slices}Hostname="n1",pod="p{instance}"'
        )
        lines.append(f"{name}{{{labels}}} {value}")
    return "".join(f"{line}\n" for line in lines)


SEVEN = [str(number) for number in range(7, 14)]


def test_what_a_dcgm_exporter_repeats_for_mig_instances_counts_once(
    page: Any, monitor: Callable[..., Any]
) -> None:
    """500 W were told for 71.5."""
    watching = monitor(
        series={
            "gpu.power": "DCGM_FI_DEV_POWER_USAGE",
            "gpu.energy": "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
            "gpu.memory_used": "DCGM_FI_DEV_FB_USED",
            "prom.third": 'DCGM_FI_DEV_FB_USED{GPU_I_ID="9"}',
        }
    )
    for energy, first in ((5000.0, "7"), (6500.0, "8")):  # another instance is the first on the second page
        ordered = [first, *(number for number in SEVEN if number != first)]
        page.body = (
            dcgm("DCGM_FI_DEV_POWER_USAGE", "gauge", *(("0", i, 71.5) for i in ordered), ("1", "", 28.5))
            + dcgm("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", *(("0", i, energy) for i in ordered))
            + dcgm("DCGM_FI_DEV_FB_USED", "gauge", *(("0", i, float(i)) for i in ordered), ("1", "", 100.0))
        )
        values = watching.sample()
        assert values["gpu.power"] == 100.0
        assert values["gpu.energy"] == energy
        assert values["gpu.memory_used"] == sum(range(7, 14)) + 100.0
        assert values["prom.third"] == 9.0


def test_a_board_beside_its_instances_has_their_memory(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = dcgm("DCGM_FI_DEV_FB_USED", "gauge", ("0", "", 60.0), ("0", "7", 20.0), ("0", "8", 40.0))
    watching = monitor(series={"gpu.memory_used": "DCGM_FI_DEV_FB_USED"})
    assert watching.sample()["gpu.memory_used"] == 60.0


def test_other_exporters_series_all_count(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = 'watts{gpu="0",GPU_I_ID="7"} 71.5\nwatts{gpu="0",GPU_I_ID="8"} 71.5\n'
    page.body += 'DCGM_FI_DEV_NVSWITCH_POWER{nvswitch="0"} 2\nDCGM_FI_DEV_NVSWITCH_POWER{nvswitch="1"} 3\n'
    watching = monitor(series={"prom.watts": "watts", "prom.switches": "DCGM_FI_DEV_NVSWITCH_POWER"})
    values = watching.sample()
    assert (values["prom.watts"], values["prom.switches"]) == (143.0, 5.0)


def test_a_counter_whose_series_ended_keeps_what_it_counted(page: Any, monitor: Callable[..., Any]) -> None:
    """49 of two models, one of which is unloaded and loaded again: 1,068 were told."""
    scraping, seen = monitor(series={"prom.jobs": "jobs_total"}), []
    for big, small in ((1000, 5), (1010, 8), (None, 12), (None, 14), (3, 17), (20, 24)):
        page.body = "# TYPE jobs_total counter\n" + (f'jobs_total{{model="big"}} {big}\n' if big else "")
        page.body += f'jobs_total{{model="small"}} {small}\n'
        seen.append(scraping.sample()["prom.jobs"])
    page.body = "# TYPE jobs_total counter\n"
    assert scraping.sample()["prom.jobs"] == seen[-1]
    assert [value - seen[0] for value in seen] == [0, 13, 17, 19, 25, 49]


def test_when_watching_began_is_known_by_the_clock_of_the_page(
    page: Any, monitor: Callable[..., Any]
) -> None:
    """A service an hour behind, restarted since: its start time is before our beginning, and counts."""
    page.ahead_s = -3600.0
    scraping, now_s = monitor(series={"prom.jobs": "jobs_total"}), time.time()
    page.body = f"process_start_time_seconds {now_s - 9000}\njobs_total 40\n"
    scraping.sample()
    page.body = f"process_start_time_seconds {now_s - 3600 + 5}\njobs_total 3\n"
    values = scraping.sample()
    assert (values["prom.jobs"], values["server.restarts"]) == (43.0, 1.0)


def failure(monitor: Any) -> tuple[str, dict[str, float]]:
    with pytest.raises(MonitorError) as raised:
        monitor.sample()
    return str(raised.value), raised.value.values


def test_a_refused_scrape_is_a_zero_with_its_reason(page: Any, monitor: Callable[..., Any]) -> None:
    page.body = "process_start_time_seconds 1000\n"
    scraping = monitor()
    scraping.sample()
    page.stop()
    reason, values = failure(scraping)
    assert reason == f"{page.host}/metrics: Connection refused"
    assert values == {"server.up": 0.0, "server.restarts": 0.0}


def test_before_the_first_page_restarts_are_unknown(page: Any, monitor: Callable[..., Any]) -> None:
    page.stop()
    assert failure(monitor())[1] == {"server.up": 0.0}


@pytest.mark.parametrize("status", [404, 503, 302])
def test_a_status_other_than_200_is_a_zero(page: Any, monitor: Callable[..., Any], status: int) -> None:
    page.body, page.status = PAGE, status
    reason, values = failure(monitor())
    assert f"/metrics: {status} " in reason
    assert values["server.up"] == 0.0


def test_a_page_that_was_cut_off_is_a_zero(page: Any, monitor: Callable[..., Any]) -> None:
    page.body, page.cut = PAGE, True
    reason, values = failure(monitor())
    assert "IncompleteRead" in reason
    assert values["server.up"] == 0.0


def test_a_page_without_end_is_a_zero(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "MAX_PAGE_BYTES", 100)
    page.body = PAGE * 2
    assert failure(monitor())[1]["server.up"] == 0.0


def test_a_page_that_drips_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(0.0)

    class Dripping:
        length = None

        def getheader(self, name: str, default: str) -> str:
            return default

        def read1(self, limit: int) -> bytes:
            clock.sleep(0.5)
            return b"x"

    monkeypatch.setattr(scrape, "monotonic", clock)
    with pytest.raises(TimeoutError):
        scrape._body(Dripping(), deadline_s=4.0)  # type: ignore[arg-type]
    assert clock.now_s == 4.5


@pytest.mark.parametrize(("asked", "packing"), [(True, "gzip"), (False, "identity")])
def test_a_packed_page_is_asked_for_and_read(
    page: Any, monitor: Callable[..., Any], asked: bool, packing: str
) -> None:
    page.body, page.packing = PAGE, "gzip"  # some servers pack whatever they were asked for
    assert monitor(gzip=asked).sample()["server.memory"] == 1.5e8
    assert page.seen[0]["accept-encoding"] == packing


def test_a_page_packed_in_several_members_is_read_whole(page: Any, monitor: Callable[..., Any]) -> None:
    """As a server packs that keeps the parts of its page packed; an empty one among them."""
    first, second = PAGE.encode()[:50], PAGE.encode()[50:]
    page.body = gzip.compress(first) + gzip.compress(b"") + gzip.compress(second)
    page.packing = "x-gzip"  # as it is
    values = monitor(series={"server.memory": "process_resident_memory_bytes", "prom.jobs": "jobs"}).sample()
    assert (values["server.memory"], values["prom.jobs"]) == (1.5e8, 2.0)


def test_packed_members_without_end_are_bounded(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "MAX_PAGE_BYTES", 1 << 20)
    page.body, page.packing = gzip.compress(b"") * 60_000, "x-gzip"
    assert "the packed page has more than 1 MiB" in failure(monitor())[0]


def test_a_small_packed_page_cannot_unpack_without_bounds(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "MAX_PAGE_BYTES", 1 << 20)
    page.body, page.packing = "x" * (8 << 20), "gzip"
    reason, values = failure(monitor())
    assert "more than 1 MiB" in reason
    assert values["server.up"] == 0.0


@pytest.mark.parametrize(
    ("packing", "cut", "words"),
    [("br", False, "packed as br"), ("x-gzip", False, "no gzip"), ("gzip", True, "IncompleteRead")],
)
def test_a_page_that_cannot_be_unpacked_is_a_zero(
    page: Any, monitor: Callable[..., Any], packing: str, cut: bool, words: str
) -> None:
    page.body, page.packing, page.cut = PAGE, packing, cut
    reason, values = failure(monitor())
    assert words in reason
    assert values["server.up"] == 0.0


def test_the_end_takes_one_last_look(page: Any, monitor: Callable[..., Any]) -> None:
    scraping = monitor(series={"prom.jobs": "jobs_total"})
    page.body = "jobs_total 3\n"
    scraping.sample()
    page.body = "jobs_total 5\n"
    ((_, values),) = scraping.history(0.0, 1.0)
    assert values["prom.jobs"] == 5.0
    page.stop()
    looks = scraping.history(0.0, 1.0)
    assert next(looks)[1]["server.up"] == 0.0
    with pytest.raises(MonitorError, match="refused"):
        next(looks)


def test_url_and_headers_are_settings_and_secrets_are_references(
    page: Any, monitor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_TOKEN", "s3cret")
    page.body = PAGE
    scraping = monitor(
        host="http://127.0.0.1:1",
        url=f"{page.host}/deep/metrics?name=all",
        headers={"Authorization": "Bearer ${env:PAGE_TOKEN}"},
    )
    assert scraping.sample()["server.up"] == 1.0
    assert page.seen[0]["path"] == "/deep/metrics?name=all"
    assert page.seen[0]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in scraping.source + str(scraping.settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"series": {"server.memry": "x"}}, "server.memry"),
        ({"series": {"server.up": "up"}}, "server.up"),
        ({"series": {"server.memory": "a{"}}, "names no series"),
        ({"headers": {"Authorization": "Bearer abc"}}, "secret in clear"),
        ({"url": "http://me:word@127.0.0.1/metrics"}, "user's name"),
        ({"url": "ftp://127.0.0.1/metrics"}, "begins with http"),
        ({"serie": {}}, "Extra inputs"),
        ({"url": []}, "1 to 64"),
        ({"url": ["http://a/metrics", "http://a/metrics"]}, "each once"),
        ({"url": ["http://a/m"], "every_address": True}, "with one url"),
        ({"expects": ["jobs", "jobs"]}, "twice"),
        ({"expects": ["my jobs"]}, "pattern"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        exposition.Monitor.Settings.model_validate(settings)


def test_tls_settings_reach_the_context(tmp_path: Path) -> None:
    assert scrape.tls_context(Tls(verify=False)).verify_mode == ssl.CERT_NONE
    with pytest.raises(FileNotFoundError):
        scrape.tls_context(Tls(ca_file=str(tmp_path / "absent.pem")))
