"""The composition as processes of this machine: each service by the command that the file says, a real
Prometheus that scrapes what it says, and each panel of the dashboard with data in it.

Without containers, what differs is said by each test: ports that are free here, folders of this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..conftest import Testbed
from ..listening import listening_port
from ..scripted_server import Reply, ScriptedServer, answers

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = json.loads((ROOT / "config" / "grafana" / "dashboards" / "run.json").read_text())
WINDOW_S = 120
SCALE = "0.01"
# What is beside a real service and not beside the testbed: NVIDIA's exporter, and connections of browsers.
ELSEWHERE = """
DCGM_FI_DEV_GPU_UTIL{gpu="0",Hostname="gpu1"} 87
DCGM_FI_DEV_FB_USED{gpu="0",Hostname="gpu1"} 20480
websocket_connections_active{client_type="browser"} 3
"""


class Stack:
    """What the composition starts, one service after the other."""

    def __init__(self, services: dict[str, Any], folder: Path) -> None:
        self._services, self._folder = services, folder
        self._started: list[subprocess.Popen[bytes]] = []

    def command(self, name: str, **other: str) -> list[str]:
        """The command of a service; what is called otherwise here, by what the file calls it."""
        service = self._services[name]
        words = [*(service.get("entrypoint") or []), *service["command"]]
        for theirs in other:
            assert any(theirs in word for word in words), f"{name} does not say {theirs}"
        # What is asked for its configuration writes each $ as two.
        replaced = [_with(word.replace("$$", "$"), other) for word in words]
        if replaced[0] == "locust":
            return [sys.executable, "-m", *replaced]
        return replaced

    def start(self, name: str, *more: str, **other: str) -> subprocess.Popen[bytes]:
        """A service, with more options."""
        return self.run([*self.command(name, **other), *more], name)

    def run(self, command: list[str], name: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._started.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log))
        return self._started[-1]

    def end(self) -> None:
        for process in reversed(self._started):
            process.kill()
            process.wait()


def _with(word: str, other: dict[str, str]) -> str:
    for theirs, ours in other.items():
        word = word.replace(theirs, ours)
    return word


@pytest.fixture
def services(docker_compose: str) -> dict[str, Any]:
    command = [docker_compose, "--profile", "stack", "-f", "docker-compose.yml", "config"]
    environ = {**os.environ, "TIME_SCALE": SCALE, "WORKERS": "2"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environ)
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


@pytest.fixture
def stack(services: dict[str, Any], tmp_path: Path) -> Iterator[Stack]:
    made = Stack(services, tmp_path)
    yield made
    made.end()


class Prometheus:
    """A running one."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def ask(self, path: str, **parameters: str | int) -> Any:
        url = f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  our own URL
            return json.load(answer)["data"]

    def series(self, expression: str) -> list[Any]:
        """What was in the last minutes, a second each."""
        [_, now] = self.ask("query", query="time()")["result"]
        window = {"start": int(float(now)) - WINDOW_S, "end": int(float(now)) + 1, "step": 1}
        found: list[Any] = self.ask("query_range", query=expression, **window)["result"]
        return found


@pytest.fixture
def watch(prometheus: str, stack: Stack, tmp_path: Path) -> Callable[..., Prometheus]:
    """Start the composition's Prometheus, which finds at other ports what its file names."""

    def start(ports: dict[str, int]) -> Prometheus:
        folder = tmp_path / "prometheus"
        shutil.copytree(ROOT / "config" / "prometheus", folder)
        text = (folder / "stack.yml").read_text()
        for theirs, ours in ports.items():
            assert text.count(f'"127.0.0.1:{theirs}"') == 1
            text = text.replace(f"127.0.0.1:{theirs}", f"127.0.0.1:{ours}")
        config = yaml.safe_load(text)
        elsewhere = ScriptedServer(answers(lambda call: Reply(200, ELSEWHERE, kind="text/plain")))
        job = {
            "job_name": "elsewhere",
            "static_configs": [{"targets": [elsewhere.url.removeprefix("http://")]}],
        }
        config["scrape_configs"].append(job)
        (folder / "stack.yml").write_text(yaml.safe_dump(config))
        other = {"/etc/prometheus": str(folder), "0.0.0.0:9090": "127.0.0.1:0"}
        command = stack.command("prometheus", **{**other, "=/prometheus": f"={tmp_path / 'tsdb'}"})
        return Prometheus(listening_port(stack.run([prometheus, *command], "prometheus")))

    return start


def expressions(prometheus: Prometheus) -> dict[str, str]:
    """What the dashboard asks for by panel and letter, for the newest run, as Grafana would ask it."""
    variables = {"__rate_interval": "4s"}
    for variable in DASHBOARD["templating"]["list"]:
        query = _with(variable["query"]["query"], _dollars(variables))
        series, label = query.removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
        [variables[variable["name"]]] = prometheus.ask(f"label/{label}/values", **{"match[]": series})
    asked = {
        f"{panel['title']} {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel["targets"]
    }
    asked |= {f"annotation {each['name']}": each["expr"] for each in DASHBOARD["annotations"]["list"]}
    return {title: _with(expression, _dollars(variables)) for title, expression in asked.items()}


def _dollars(variables: dict[str, str]) -> dict[str, str]:
    return {f"${name}": value for name, value in variables.items()}


NO_GPU_HERE = "GPU utilisation A"
"""What genload's own monitor would tell: the testbed's GPU is a model, which has no driver."""


def test_the_password_is_the_environment_s_or_one_that_is_made_once_and_printed(
    stack: Stack, tmp_path: Path
) -> None:
    command = stack.command("password", **{"/secret": str(tmp_path)})

    def told(**environ: str) -> tuple[str, str]:
        clean = {name: value for name, value in os.environ.items() if name != "GRAFANA_PASSWORD"}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env={**clean, **environ})
        return done.stdout.strip().rpartition("password ")[2], (tmp_path / "password").read_text()

    printed, made = told()
    assert printed == made and len(made) == 24
    assert told() == (made, made)
    given = {"GRAFANA_PASSWORD": "mine"}
    assert told(**given) == ("as GRAFANA_PASSWORD says", "mine")


def test_every_service_starts_and_every_panel_has_data(
    stack: Stack,
    watch: Callable[..., Prometheus],
    testbed: Callable[..., Testbed],
    wait_until: Callable[..., None],
    brisk: tuple[str, str],
    tmp_path: Path,
) -> None:
    serve = stack.command("testbed")
    at = serve.index("--port")
    port, serve = serve[at + 1], [*serve[:at], *serve[at + 2 :]]
    server = testbed(program=[sys.executable, "-m", "genload", *serve], fault="error=20%")
    own = {f"http://127.0.0.1:{port}": server.url, "--metrics-port=9646": "--metrics-port=0"}
    free = "--master-bind-port", "0", "--results", str(tmp_path / "results")
    master = stack.start("master", *free, *brisk, **own)
    for _ in range(2):
        stack.start("worker", "--master-port", str(listening_port(master)))
    watching = watch({port: int(server.url.rpartition(":")[2]), "9646": listening_port(master, 1)})
    wait_until(lambda: watching.series("genload_run_exit_code"), master, timeout_s=200)
    asked = expressions(watching)
    silent = [title for title, expression in asked.items() if not watching.series(expression)]
    assert silent == [NO_GPU_HERE]
    assert "Traceback" not in (tmp_path / "master.log").read_text()
    ended = watching.series(asked["Completed A"])[0]["values"][-1][1]
    jobs = [row for row in server.truth_records() if row["outcome"] == "completed"]
    assert int(ended) in (len(jobs), len(jobs) - 1)  # the warm-up is in no number
    for group in watching.ask("rules")["groups"]:
        assert {(rule["name"], rule["health"]) for rule in group["rules"]} == {
            (rule["name"], "ok") for rule in group["rules"]
        }
    assert all(
        watching.series(rule) for rule in ("genload:requests:rate1m", "genload:requests:error_ratio1m")
    )
