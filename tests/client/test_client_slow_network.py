"""A network that is slow, made by the kernel: netem, in a network of its own. Where the kernel has none, it
says so, and the proxy that every machine can do stands in. Either way it is in the times.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import system_program

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
DELAY_S = 0.05
THERE_IS_NONE = (
    "Specified qdisc",  # … kind is unknown, or not found: it was built without, or lacks its module
    "RTNETLINK answers: No such file",  # the same of older ones
    "Operation not permitted",  # it makes no networks for us
    "Permission denied",
    "No space left on device",  # … or no more of them
)
ASK = """
import json, sys
from contextlib import nullcontext
from urllib.parse import urlsplit
from genload.client import HttpClient, Timeouts
from tests.flaky_link import link
from tests.scripted_server import Reply, ScriptedServer, answers

server = ScriptedServer(answers(lambda call: Reply(200, b"hello")))
port, delay_s = urlsplit(server.url).port, float(sys.argv[1])
with link(port) if delay_s else nullcontext() as there:
    if there is not None:
        port, there.delay_s = there.port, delay_s
    client = HttpClient(f"http://127.0.0.1:{port}", timeouts=Timeouts(30, 30), max_answer_bytes=99)
    answer = client.request("GET", "/")
    print(json.dumps([answer.connect_s, answer.times.first_byte_s - answer.times.connected_s]))
    client.close()
server.close()
"""


def asked(*, through_a_proxy: bool) -> list[str]:
    return [sys.executable, "-c", ASK, str(DELAY_S if through_a_proxy else 0.0)]


def test_a_slow_network_is_in_the_times() -> None:
    tc, ip, unshare = (shlex.quote(system_program(name)) for name in ("tc", "ip", "unshare"))
    slow = f"{ip} link set lo up && {tc} qdisc add dev lo root netem delay {DELAY_S * 1e3:g}ms"
    inside = f"{slow} || exit 9; exec {shlex.join(asked(through_a_proxy=False))}"
    network = [*shlex.split(unshare), "--user", "--map-root-user", "--net", "sh", "-c", inside]
    done = subprocess.run(network, cwd=ROOT, capture_output=True, text=True, timeout=200)
    by_kernel = done.returncode == 0
    if not by_kernel:
        assert any(words in done.stderr for words in THERE_IS_NONE), done.stderr
        words = asked(through_a_proxy=True)
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    connect_s, waited_s = json.loads(done.stdout)
    assert waited_s >= 2 * DELAY_S  # there and back
    assert connect_s >= 2 * DELAY_S or not by_kernel  # a proxy agrees at once
