"""From the command to the first request, from the last request to the exit, and the memory of every process.

A short run of 64 speech users against a server on the same machine, started in three ways: as `genload run`
does, as `locust -f … --scenario`, and as a plain Locust with its FastHttpUser, which judges nothing. Rounds
are interleaved. Prints the smallest wall time and the median CPU time (of all processes, children included)
of each, and the memory that all of its processes hold together in the middle of the load: the sum of what
they hold (RSS), and of what they do not share (PSS). Users think for different times, so that requests come
until the load ends. Beside what genload takes stands what is wanted of it.

    python bench/start.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median

import psutil
from parts.rounds import ROOT
from parts.wav_server import PORT, SERVER, serve, server

USERS, LOAD_S = 64, 2.0
HOST = f"http://127.0.0.1:{PORT}"
SUITE = f"""
name: small
service:
  api: speech
  host: "{HOST}"
  request: {{dialect: openai, voices: [one], format: wav, validate: {{min_s_per_character: 1ms}}}}
locustfile: speech
validity: {{lag_floor: 1s}}
scenarios:
  short:
    shape: {{kind: normal, users: {USERS}, duration: {LOAD_S}s}}
    think: {{min: 100ms, max: 900ms}}
    criteria: {{nothing_failed: speech.failed == 0}}
"""
PLAIN = """
from locust import FastHttpUser, between, task

class Plain(FastHttpUser):
    wait_time = between(0.1, 0.9)

    @task
    def say(self) -> None:
        self.client.post("/v1/audio/speech", json={"input": "hello"})
"""

WANTED = {"genload run": (1.2, 0.5, None), "locust -f, genload": (0.7, 0.5, 160e6)}
"""Seconds to the first request, and from the last one to the exit; bytes of all processes."""


def commands(folder: Path) -> dict[str, list[str]]:
    """By name; what they need is in `folder`."""
    suite, plain = folder / "small.yaml", folder / "plain.py"
    suite.write_text(SUITE, encoding="utf-8")
    plain.write_text(PLAIN, encoding="utf-8")
    locust = [sys.executable, "-P", "-m", "locust", "--headless", "-f"]
    scenario = ["--scenario", f"{suite}/short", "--results", str(folder)]
    users = ["-H", HOST, "-u", str(USERS), "-r", str(USERS), "-t", f"{LOAD_S:g}"]
    return {
        "genload run": [sys.executable, "-m", "genload", "run", f"{suite}/short", "--results", str(folder)],
        "locust -f, genload": [*locust, str(ROOT / "locustfiles" / "speech.py"), *scenario],
        "locust -f, plain": [*locust, str(plain), *users],
    }


def asked(path: str) -> dict[str, float]:
    with urllib.request.urlopen(HOST + path, timeout=5) as answer:  # noqa: S310  loopback
        told: dict[str, float] = json.load(answer)
        return told


def measure(command: list[str]) -> tuple[float, float, float, float, float]:
    """(seconds to the first request, from the last one to the exit, CPU seconds, RSS, PSS in bytes)."""
    asked("/reset")
    began_s = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not asked("/")["count"]:
        time.sleep(0.02)
        assert process.poll() is None, command
    time.sleep(LOAD_S / 2)
    rss_bytes, pss_bytes = memory(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    ended_s, told = time.monotonic(), asked("/")
    assert os.waitstatus_to_exitcode(status) == 0, command
    to_first_s, to_exit_s = told["first_s"] - began_s, ended_s - told["last_s"]
    return to_first_s, to_exit_s, usage.ru_utime + usage.ru_stime, rss_bytes, pss_bytes


def memory(pid: int) -> tuple[float, float]:
    """RSS and PSS of a process and its children."""
    own = psutil.Process(pid)
    held = [each.memory_full_info() for each in (own, *own.children(recursive=True))]
    return float(sum(each.rss for each in held)), float(sum(each.pss for each in held))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load == SERVER:
        serve()
        return
    core = sorted(os.sched_getaffinity(0))[-1]
    with tempfile.TemporaryDirectory() as folder, server(core):
        found: dict[str, list[tuple[float, ...]]] = {}
        for _ in range(options.rounds):
            for name, command in commands(Path(folder)).items():
                found.setdefault(name, []).append(measure(command))
    print(f"{'':22}{'first':>8}{'exit':>8}{'CPU':>8}{'RSS':>8}{'PSS':>8}")
    for name, rounds in found.items():
        first, end, cpu, rss, pss = zip(*rounds, strict=True)
        print(
            f"{name:22}{min(first):6.2f} s{min(end):6.2f} s{median(cpu):6.2f} s"
            f"{median(rss) / 1e6:5.0f} MB{median(pss) / 1e6:5.0f} MB{wanted(name)}"
        )


def wanted(name: str) -> str:
    if name not in WANTED:
        return ""
    first_s, exit_s, memory_bytes = WANTED[name]
    memory = "" if memory_bytes is None else f", {memory_bytes / 1e6:.0f} MB"
    return f"   (wanted {first_s} s, {exit_s} s{memory})"


if __name__ == "__main__":
    main()
