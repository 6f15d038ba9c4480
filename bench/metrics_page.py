"""What the page of metrics costs the process that has it: CPU of a scrape, in % of a core at one a second.

The scenario `orfeas/spike` with its own plan, criteria and stages, 10,000 jobs over its phases, four workers
and every metric of machines. The server, its greenlet and the connection are part of what is measured; the
client is a process of its own. Printed is the median of rounds. And what the stages, which nobody else asks
for, add to each record.

    python bench/metrics_page.py [--scrapes 300]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median
from types import SimpleNamespace
from typing import Any

from gevent import monkey

monkey.patch_all()

from genload.harness.crew import CrewStatus, Workers  # noqa: E402
from genload.harness.gate_status import GateStatus  # noqa: E402
from genload.harness.metrics_page import MetricsPage  # noqa: E402
from genload.harness.plan import make_plan  # noqa: E402
from genload.harness.recorder import BLOCK  # noqa: E402
from genload.harness.side import Side  # noqa: E402
from genload.outlets import Outlets  # noqa: E402
from genload.runlog.records import ClientHealth, RequestRecord  # noqa: E402
from genload.settings.metrics.machines import MACHINE_METRICS  # noqa: E402
from genload.targets import RunRequest  # noqa: E402

ROUNDS = 5
JOBS = 10_000
LIMIT = 0.005
CLIENT = """
import http.client, sys
for _ in range(int(sys.argv[2])):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
    connection.request("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    answer = connection.getresponse()
    size = len(answer.read())
    assert answer.status == 200
    connection.close()
print(size)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scrapes", type=int, default=300)
    scrapes = parser.parse_args().scrapes
    plan = make_plan(RunRequest(("orfeas/spike",), host="http://127.0.0.1:9"), inputs_elsewhere=True)
    page = MetricsPage(Outlets(metrics_port=0))
    jobs = _jobs(plan)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = _run(plan, folder, page.watched(plan))
        run.sides[0].live.add(jobs)
        page.began(run, folder)
        port = page.url.rpartition(":")[2].partition("/")[0]
        costs = []
        for _ in range(ROUNDS):
            began_s = time.process_time()
            command = [sys.executable, "-c", CLIENT, port, str(scrapes)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            costs.append((time.process_time() - began_s) / scrapes)
        cost_s = median(costs)
        print(f"a scrape of {int(done.stdout) / 1e3:.0f} kB: {cost_s * 1e3:.2f} ms of CPU,", end=" ")
        print(f"at one a second {cost_s:.2%} of a core (at most {LIMIT:.1%})")
        with_page, without = (_added_us(plan, folder, jobs, watched) for watched in (page.watched(plan), ()))
        print(f"a record: {without:.2f} µs of CPU in the totals without a page, {with_page:.2f} µs with it")
    sys.exit(cost_s > LIMIT)


def _run(plan: Any, folder: Path, watched: tuple[str, ...]) -> Any:
    health = ClientHealth(t_s=1.0, source="w0", lags_ms=[0.1] * 20, cpu=0.1, rss_bytes=10**8)
    side = Side(plan, 0, folder / "samples.jsonl", watched)
    side.live.newest.update({metric.name: 1.25e9 for metric in MACHINE_METRICS})
    return SimpleNamespace(
        plan=plan,
        sides=(side,),
        live=side.live,
        crew=SimpleNamespace(status=lambda: CrewStatus(0.0, GateStatus(), workers=Workers(4, 0))),
        shape=SimpleNamespace(elapsed_s=lambda: 200.0),
        journal=SimpleNamespace(now_s=lambda: 200.0),
        health={f"w{number}": health for number in range(4)},
        stage="load",
        load=SimpleNamespace(phase="spike", remaining_s=100.0, timeline=plan.timeline),
    )


def _jobs(plan: Any) -> list[RequestRecord]:
    random = Random(7)
    stages = plan.client_class.stages_of(plan.service.request)
    phases = [phase.name for phase in plan.timeline.phases]
    return [
        RequestRecord(
            source="w0",
            n=number,
            name="generate",
            operation="generate",
            phase=phases[number * len(phases) // JOBS],
            duration_s=random.lognormvariate(4.4, 0.5),
            stages={stage: random.lognormvariate(1.0, 1.5) for stage in stages},
            outcome="ok" if number % 50 else "failed",
            error_class="" if number % 50 else f"http_{500 + number % 4}",
        )
        for number in range(JOBS)
    ]


def _added_us(plan: Any, folder: Path, jobs: list[RequestRecord], watched: tuple[str, ...]) -> float:
    costs = []
    for _ in range(ROUNDS):
        live = Side(plan, 0, folder / "samples.jsonl", watched).live
        began_s = time.process_time()
        for start in range(0, len(jobs), BLOCK):
            live.add(jobs[start : start + BLOCK])
        costs.append((time.process_time() - began_s) / len(jobs))
    return min(costs) * 1e6


if __name__ == "__main__":
    main()
