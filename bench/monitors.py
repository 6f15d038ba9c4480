"""What watching costs: CPU of all monitors at 1 s, and whether the client's own latency changes by it.

The monitors: gpu (a fake driver, where a C compiler is there to build it), host with the service's processes,
readiness, exposition with a page of 73 families and 31 kB, and prometheus with three live queries where
Debian's is installed. They watch one testbed; the client asks another one, 200 times a second, so that what
it sees is not the effect of a scrape on a service.

CPU is that of the monitors' process, and of a run's own process reading each second what they wrote: under
2 % of one core together. Latency is measured in rounds with and without the monitors, in turns; "no
measurable change" is that 0 is within the 99 % interval of the median change of a round (by the signs of the
changes, whatever their distribution), for p50 and for p99.

    python bench/monitors.py [--rounds 12] [--seconds 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent
import msgspec
import numpy as np
import psutil
import yaml
from scipy import stats

from genload.client import HttpClient, Timeouts
from genload.commands.demo.testbed import running
from genload.harness.live import LiveStats
from genload.runlog.records import Sample
from genload.sampler import SamplerHandle, start_sampler

ROOT = Path(__file__).resolve().parents[1]
CPU_LIMIT = 0.02
CONFIDENCE = 0.99
RATE_PER_S = 200
SETTLED_S = 1.5
"""After a start: what a process does once is no part of what it does each second."""
FAMILIES, PAGE_BYTES = 73, 31_000
BOARD = """
0.uuid GPU-5bd0
0.name NVIDIA L4
0.utilisation 37
0.memory_utilisation 12
0.memory_total 25769803776
0.memory_reserved 1073741824
0.memory_free 20401094656
0.power 71500
0.energy 123456789
0.temperature 61
0.clock_sm 1530
0.clock_memory 6251
0.reasons 0
0.ecc_corrected 2
0.ecc_uncorrected 0
0.events 1
0.process 4711 8589934592
program.4711 python3
"""
QUERIES = {
    "server.memory": "process_resident_memory_bytes",
    "collections": "sum(python_gc_collections_total)",
    "cpu": "rate(process_cpu_seconds_total[10s])",
}


@dataclass(frozen=True)
class Round:
    """Seconds of the client's percentiles, and shares of a core: of the sampler, of reading what it wrote."""

    p50_s: float
    p99_s: float
    sampler: float = 0.0
    reading: float = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="with the monitors, and as many without")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each round")
    asked = parser.parse_args()
    with ExitStack() as there:
        folder = Path(there.enter_context(tempfile.TemporaryDirectory()))
        watched = there.enter_context(running(["--service-time", "5ms"]))
        target = there.enter_context(running(["--service-time", "5ms"]))
        monitors = {**of_this_machine(folder, watched), **of_pages(there, folder, watched)}
        print(f"all at 1 s: {', '.join(monitors)}")
        rounds: dict[bool, list[Round]] = {True: [], False: []}
        for number in range(asked.rounds):
            for watching in (True, False) if number % 2 else (False, True):  # neither is always the first
                own = folder / f"{number}-{watching}"
                own.mkdir()
                used = monitors if watching else {}
                rounds[watching].append(measured(own, watched, target, used, asked.seconds))
        print_ticks(folder)
    kept = [held_cpu(rounds[True]), *(held_latency(rounds, name) for name in ("p50_s", "p99_s"))]
    return 0 if all(kept) else 1


# --- what is watched


def of_this_machine(folder: Path, watched: str) -> dict[str, Any]:
    port = int(watched.rpartition(":")[2])
    monitors: dict[str, Any] = {"host": {"interval": "1s", "server": {"port": port}}}
    compiler = shutil.which("cc")
    if compiler is None:
        print("gpu is left out: no C compiler builds the fake driver")
        return monitors
    library, answers = folder / "libnvidia-ml.so.1", folder / "answers"
    source = ROOT / "tests" / "monitors" / "fake_nvml" / "nvml.c"
    subprocess.run(
        [compiler, "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", library, source], check=True
    )
    answers.write_text(f"count 1\ndriver 580.65.06\nevents 1{BOARD}")
    os.environ.update(LD_LIBRARY_PATH=str(folder), FAKE_NVML=str(answers))
    return {"gpu": {"interval": "1s"}, **monitors}


def of_pages(there: ExitStack, folder: Path, watched: str) -> dict[str, Any]:
    """Monitors of pages: a service's readiness, its metrics, and a Prometheus where there is one."""
    page = there.enter_context(served(folder, page_of(watched)))
    limits = {"interval": "1s", "timeout": "900ms"}
    exposition = {**limits, "url": page, "series": orfeas_exposition()["series"]}
    monitors: dict[str, Any] = {
        "readiness": dict(limits),
        "exposition": exposition | {"expects": orfeas_exposition()["expects"]},
    }
    program = shutil.which("prometheus")
    if program is None:
        print("prometheus is left out: it is not installed")
        return monitors
    url = there.enter_context(prometheus(program, folder, watched))
    return {**monitors, "prometheus": {"interval": "1s", "url": url, "queries": QUERIES}}


def orfeas_exposition() -> dict[str, Any]:
    suite = yaml.safe_load((ROOT / "config" / "suites" / "orfeas.yaml").read_text())
    settings: dict[str, Any] = suite["monitors"]["exposition"]
    return settings


def page_of(watched: str) -> str:
    """The testbed's page, with as many families and bytes as a real ORFEAS has."""
    with urllib.request.urlopen(f"{watched}/metrics") as answer:  # noqa: S310  our own http URL
        text: str = answer.read().decode()
    missing = FAMILIES - text.count("# TYPE")
    line = 'stage_{0}_seconds_bucket{{stage="inference",le="{1}.0"}} 0.0\n'
    head = "# HELP stage_{0}_seconds How long it took\n# TYPE stage_{0}_seconds histogram\n"
    lines = -(-(PAGE_BYTES - len(text)) // missing - len(head)) // len(line) + 1
    for family in range(missing):
        text += head.format(family) + "".join(line.format(family, number) for number in range(lines))
    print(f"the page has {text.count('# TYPE')} families and {len(text) / 1000:.0f} kB")
    return text


@contextmanager
def served(folder: Path, page: str) -> Iterator[str]:
    pages = folder / "pages"
    pages.mkdir()
    (pages / "metrics").write_text(page)
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(pages),
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().partition(" port ")[2].split()[0]
        try:
            yield f"http://127.0.0.1:{port}/metrics"
        finally:
            process.terminate()


@contextmanager
def prometheus(program: str, folder: Path, watched: str) -> Iterator[str]:
    config, port = folder / "prometheus.yml", 19_090
    jobs = [{"job_name": "service", "static_configs": [{"targets": [watched.removeprefix("http://")]}]}]
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}))
    place = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    with subprocess.Popen(
        [program, f"--config.file={config}", *place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        time.sleep(3.0)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


# --- measuring


def measured(folder: Path, watched: str, target: str, monitors: dict[str, Any], seconds: float) -> Round:
    """One round; without monitors it is as long and as quiet before."""
    handle = start_sampler(folder, time.monotonic(), watched, monitors) if monitors else None
    try:
        gevent.sleep(SETTLED_S)
        before_s = cpu_s(handle)
        latencies_s, reading_s = asked_again_and_again(target, folder, seconds)
        sampler_s = cpu_s(handle) - before_s
    finally:
        if handle is not None:
            handle.stop()
    p50_s, p99_s = np.percentile(latencies_s, (50, 99))
    return Round(float(p50_s), float(p99_s), sampler_s / seconds, reading_s / seconds if monitors else 0.0)


def cpu_s(handle: SamplerHandle | None) -> float:
    if handle is None:
        return 0.0
    times = psutil.Process(handle.pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def asked_again_and_again(target: str, folder: Path, seconds: float) -> tuple[list[float], float]:
    """Latencies of an even load; the CPU time of reading each second what monitors wrote, as a run does."""
    live, reading_s, latencies_s = LiveStats("generate", folder / "samples.jsonl"), 0.0, []
    client = HttpClient(target, timeouts=Timeouts(connect_s=5, receive_s=5), max_answer_bytes=2**20)
    client.get("/ready")
    begin_s = time.monotonic()
    for number in range(int(seconds * RATE_PER_S)):
        gevent.sleep(max(0.0, begin_s + number / RATE_PER_S - time.monotonic()))
        times = client.get("/ready").times
        latencies_s.append(times.end_s - times.start_s)
        if number % RATE_PER_S == RATE_PER_S // 2:
            began_s = time.thread_time()
            live.read_samples()
            reading_s += time.thread_time() - began_s
    client.close()
    return latencies_s, reading_s


# --- saying


def print_ticks(folder: Path) -> None:
    """How long ticks took, by the clock; a monitor that never worked would cost nothing."""
    ticks: dict[str, list[Sample]] = {}
    for file in folder.glob("*-True/samples.jsonl"):
        for sample in msgspec.json.Decoder(Sample).decode_lines(file.read_bytes()):
            ticks.setdefault(sample.monitor, []).append(sample)
    for name, samples in ticks.items():
        took_ms = np.percentile([1e3 * sample.took_s for sample in samples], (50, 99))
        failed = sum(bool(sample.error) for sample in samples)
        print(
            f"{name:11} {len(samples):4} ticks, {len(samples[-1].values):2} values each, "
            f"p50 {took_ms[0]:6.2f} p99 {took_ms[1]:6.2f} ms, {failed} with an error"
        )


def held_cpu(rounds: list[Round]) -> bool:
    sampler = float(np.mean([one.sampler for one in rounds]))
    reading = float(np.mean([one.reading for one in rounds]))
    kept = sampler + reading < CPU_LIMIT
    print(
        f"CPU of one core: {sampler + reading:.2%} (the monitors' process {sampler:.2%}, reading what it "
        f"wrote {reading:.3%}); limit {CPU_LIMIT:.0%}: {'held' if kept else 'MISSED'}"
    )
    return kept


def held_latency(rounds: dict[bool, list[Round]], name: str) -> bool:
    with_ms, without_ms = (
        1e3 * np.array([getattr(one, name) for one in rounds[key]]) for key in (True, False)
    )
    changes_ms = np.sort(with_ms - without_ms)
    outside = int(stats.binom.ppf((1 - CONFIDENCE) / 2, len(changes_ms), 0.5))
    low_ms, high_ms = float(changes_ms[outside]), float(changes_ms[len(changes_ms) - 1 - outside])
    kept = low_ms <= 0 <= high_ms
    print(
        f"client's {name[:3]}: {np.median(with_ms):.3f} ms with, {np.median(without_ms):.3f} ms without; "
        f"change {np.median(changes_ms):+.3f} ms ({low_ms:+.3f} to {high_ms:+.3f}); none to be measured: "
        f"{'held' if kept else 'MISSED'}"
    )
    return kept


if __name__ == "__main__":
    sys.exit(main())
