"""Two replicas behind a balancer, told apart by a header of the balancer's: each is judged by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..busy_machine import VALIDITY
from ..real_server import started, stop, unused_port
from .conftest import Outcome

pytestmark = pytest.mark.processes

BALANCER = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 10m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream replicas {{ server {quick}; server {slow}; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://replicas; add_header X-Served-By $upstream_addr always; }}
  }}
}}
"""
SUITE = """
service:
  api: job
  request:
    path: /v1/generate
    json: {{image: "{{image.base64}}", format: glb}}
    format: glb
    labels: {{replica: {{header: x-served-by}}}}
    ready: {{path: /ready}}
validity: {validity}
locustfile: generation3d
scenarios:
  both:
    shape: {{kind: baseline, users: 2, iterations: 8}}
    warmup: {{jobs: 0}}
    criteria:
      each_answers: "each(replica): generate.error_rate == 0%"
      each_is_fast: "each(replica): generate.stage.run.p50 < 1s"
      the_quick_one_is: generate.stage.run.p50{{replica="{quick}"}} < 1s
"""


@pytest.fixture
def replicas(testbed: Callable[..., Any], nginx: str, tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """The balancer's URL, and the addresses of a quick replica and a slow one."""
    quick, slow = (
        testbed(api="job", service_time=seconds, spread=0, slots=2).url.removeprefix("http://")
        for seconds in ("200ms", "1500ms")
    )
    folder, port = tmp_path / "nginx", unused_port()
    folder.mkdir()
    configuration = folder / "nginx.conf"
    configuration.write_text(BALANCER.format(folder=folder, port=port, quick=quick, slow=slow))
    balancer = started([nginx, "-p", str(folder), "-e", str(folder / "e"), "-c", str(configuration)], port)
    yield f"http://127.0.0.1:{port}", quick, slow
    stop(balancer)


def test_each_replica_behind_a_balancer_is_judged_by_itself(
    replicas: tuple[str, str, str], run_genload: Callable[..., Outcome], tmp_path: Path
) -> None:
    url, quick, slow = replicas
    suite = tmp_path / "mine.yaml"
    suite.write_text(SUITE.format(quick=quick, validity=VALIDITY))
    run = run_genload(str(suite), "--host", url)

    served = Counter(job.labels["replica"] for job in run.jobs("both"))
    assert set(served) == {quick, slow} and min(served.values()) > 1, run.output
    judged = {criterion["name"]: criterion for criterion in run.result("both")["verdict"]["criteria"]}
    assert run.code == 1, run.output
    assert {name: criterion["result"] for name, criterion in judged.items()} == {
        "each_answers": "pass",
        "each_is_fast": "fail",
        "the_quick_one_is": "pass",
    }
    assert judged["each_is_fast"]["value"] > 1.5 and f"replica={slow}" in judged["each_is_fast"]["needs"]
