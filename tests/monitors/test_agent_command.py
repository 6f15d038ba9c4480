"""`genload agent` as a real process: a driver behind it, a scraper before it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from genload.cli import main
from genload.commands.agent.server import AgentServer, listen_address
from genload.errors import UsageError

pytestmark = pytest.mark.processes

BOARD = [
    *("driver 580.65.06", "count 2", "events 1"),
    *("0.uuid GPU-a", "0.name NVIDIA L4", "0.temperature 61", "0.utilisation 37", "0.memory_utilisation 5"),
    *("0.memory_total 1073741824", "0.memory_reserved 0", "0.memory_free 536870912", "0.energy 5000"),
    *("1.uuid GPU-b", "1.name NVIDIA L4", "1.temperature 70"),
]


class Agent:
    """A running agent."""

    def __init__(self, process: subprocess.Popen[str], log: Path, url: str) -> None:
        self.process, self.log = process, log
        self.address = url.removeprefix("http://").removesuffix("/metrics")

    def get(self, path: str = "/metrics", bearing: str = "") -> tuple[int, str, dict[str, str]]:
        connection = http.client.HTTPConnection(self.address, timeout=30)
        headers = {"Authorization": bearing} if bearing else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text, dict(answer.getheaders())

    def numbers(self) -> dict[tuple[str, str], float]:
        """Values by name and GPU."""
        families = text_string_to_metric_families(self.get()[1])
        return {(s.name, s.labels.get("gpu", "")): s.value for family in families for s in family.samples}

    def wait_for(self, condition: Callable[[dict[tuple[str, str], float]], bool]) -> dict[Any, float]:
        deadline_s = time.monotonic() + 30.0
        while not condition(numbers := self.numbers()):
            assert time.monotonic() < deadline_s, f"not within 30 s: {numbers}\n{self.log.read_text()}"
            time.sleep(0.02)
        return numbers

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture
def nvml(make_nvml: Callable[..., Any]) -> Any:
    fake = make_nvml()
    fake.tell(BOARD)
    return fake


@pytest.fixture
def agent(tmp_path: Path, nvml: Any) -> Iterator[Callable[..., Agent]]:
    """A factory of running agents with the fake driver; each ends with the test."""
    running: list[Agent] = []
    driver = {"LD_LIBRARY_PATH": str(nvml.library.parent), "FAKE_NVML": str(nvml.script)}

    def start(*options: str, listen: str = "127.0.0.1:0") -> Agent:
        log = tmp_path / f"agent-{len(running)}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "genload",
                    "agent",
                    "--listen",
                    listen,
                    "--interval",
                    "50ms",
                    *options,
                ],
                env=os.environ | driver,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("genload agent: http://"), line + log.read_text()
        running.append(Agent(process, log, line.removeprefix("genload agent: ").strip()))
        return running[-1]

    yield start
    for one in running:
        one.end()


def test_a_scraper_reads_gpus_machine_and_processes(agent: Callable[..., Agent]) -> None:
    running = agent("--process", f"pid={os.getpid()}")
    numbers = running.wait_for(
        lambda found: (
            {("DCGM_FI_DEV_GPU_TEMP", "1"), ("namedprocess_namegroup_num_procs", "")} <= found.keys()
        )
    )
    assert numbers["DCGM_FI_DEV_GPU_TEMP", "0"] == 61.0
    assert numbers["DCGM_FI_DEV_GPU_UTIL", "0"] == 37.0
    assert numbers["DCGM_FI_DEV_FB_USED", "0"] == 512.0
    assert ("DCGM_FI_DEV_FB_USED", "1") not in numbers, "what a board does not offer is absent"
    # The parser adds _total to the name of each counter, as to any page of DCGM's.
    assert numbers["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION_total", "0"] == 5000.0
    assert "\nDCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{" in running.get()[1]
    assert numbers["node_memory_MemAvailable_bytes", ""] > 0
    status, text, headers = running.get()
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert f'Hostname="{socket.gethostname()}"' in text and 'UUID="GPU-b"' in text
    assert running.get("/")[0] == 404
    assert running.end(signal.SIGINT) == 0


def test_a_driver_that_is_lost_leaves_the_rest_of_the_page(agent: Callable[..., Agent], nvml: Any) -> None:
    running = agent("--gpus", "GPU-b,0")
    running.wait_for(lambda found: ("DCGM_FI_DEV_GPU_TEMP", "1") in found)
    nvml.tell(["init !9", *(f"{gpu}.temperature !15" for gpu in (0, 1))])
    found = running.wait_for(lambda found: ("DCGM_FI_DEV_GPU_TEMP", "0") not in found)
    assert found["genload_agent_monitor_up", ""] == 0.0 and ("node_load1", "") in found
    nvml.tell(BOARD)
    running.wait_for(lambda found: found["genload_agent_monitor_up", ""] == 1.0)
    assert "genload agent: gpu: " in running.log.read_text()


def test_without_the_token_nothing_is_told(agent: Callable[..., Agent], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first-secret\n")
    running = agent("--token-file", str(token))
    for wrong in ("", "Bearer", "Bearer first-secre", "Basic first-secret", "first-secret", "Bearer ünkown"):
        status, text, headers = running.get(bearing=wrong.encode().decode("latin-1"))
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer"), wrong
        assert "node_" not in text and "secret" not in text
    assert running.get("/")[0] == 401
    assert running.get(bearing="Bearer first-secret")[0] == 200
    token.write_text("another-one")
    assert running.get(bearing="Bearer another-one")[0] == 200, "a changed file is read again"
    assert running.get(bearing="Bearer first-secret")[0] == 401
    token.unlink()
    assert running.get(bearing="Bearer another-one")[0] == 503


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "9835"], "--listen 9835 is no address"),
        (["--listen", "127.0.0.1:http"], "--listen 127.0.0.1:http is no address"),
        (["--listen", "127.0.0.1:70000"], "--listen 127.0.0.1:70000 is no address"),
        (["--listen", "192.0.2.1:0"], "cannot listen on 192.0.2.1:0"),
        (["--token-file", "absent"], "the secret's file absent cannot be read"),
        (["--token-file", "{x}"], "holds a brace in its name"),
        (["--interval", "often"], "monitors.gpu.interval"),
        (["--interval", "0s"], "monitors.gpu.interval: is not above 0"),
        (["--process", "uvicorn"], "--process uvicorn names no process"),
        (["--process", "port=http"], "monitors.host.server.port"),
    ],
)
def test_a_mistake_is_one_clear_message_and_exit_code_2(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["agent", *options]) == 2
    output = capsys.readouterr()
    assert said in output.err and "Traceback" not in output.err and output.out == ""


def test_a_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert main(["agent", "--listen", address]) == 2
    assert f"{address} is taken" in capsys.readouterr().err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["agent", "--help"]) == 0
    assert "genload agent --listen" in capsys.readouterr().out


def test_an_address_may_be_of_either_family() -> None:
    assert listen_address("[::1]:9835") == ("::1", 9835)
    assert listen_address("gpu1:0") == ("gpu1", 0)
    with pytest.raises(UsageError):
        listen_address(":9835")
    with AgentServer(("127.0.0.1", 0), lambda: "") as server:
        assert server.url == f"http://127.0.0.1:{server.server_address[1]}/metrics"


def test_neither_gevent_nor_locust_is_loaded(nvml: Any) -> None:
    program = """
import json, sys
import genload.commands.agent
from genload.sampler.watch import load_watch
load_watch("gpu", {}, ""), load_watch("host", {}, "")
print(json.dumps([name for name in ("gevent", "locust", "scipy", "numpy") if name in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
