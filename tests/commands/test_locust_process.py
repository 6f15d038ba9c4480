"""One scenario's process: its command line, what its end means, which signals reach it and how often."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genload import cores
from genload.commands.run import ahead
from genload.commands.run.ahead import Ahead
from genload.commands.run.locust_process import Signals, arguments, outcome
from genload.errors import ExitCode
from genload.targets import RunRequest, SuiteTarget, checked

PATIENCE_S = 60.0

# A child that ends half a second after its first signal, and writes down every delivery. Python itself runs a
# handler once for two signals close together; the wakeup descriptor gets a byte for each.
CHILD = """
import json, os, signal, sys, time
[log] = json.loads(sys.stdin.readline())
log = open(log, "a", buffering=1)
read, write = os.pipe()
os.set_blocking(write, False)
signal.set_wakeup_fd(write)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: None)
log.write("ready\\n")
delivered = os.read(read, 1)
time.sleep(0.2)
os.set_blocking(read, False)
try:
    delivered += os.read(read, 100)
except BlockingIOError:
    pass
for number in delivered:
    log.write(signal.Signals(number).name + "\\n")
sys.exit(130)
"""

# What `genload run` does around a child. It passes a signal on late, so that one told twice cannot be taken
# for one: the kernel merges a signal with the same one still pending.
DRIVER = """
import subprocess, sys, time
from genload.commands.run import ahead
from genload.commands.run.locust_process import Signals
send_now = subprocess.Popen.send_signal
subprocess.Popen.send_signal = lambda child, number: (time.sleep(0.1), send_now(child, number))
ahead.WAITING = (sys.executable, "-c", sys.argv[1])
signals = Signals(ahead.Ahead())
with signals.handled():
    code = signals.run([sys.argv[2]])
print("ended", code, signals.first.name if signals.first else None, flush=True)
"""


# A child whose load ends, and which then stays until its starter has heard of it.
LOADED = """
import json, os, sys, time
from pathlib import Path
from genload.harness import starter
[log] = map(Path, json.loads(sys.stdin.readline()))
starter.hold(os.dup(0))
os.close(0)
log.write_text("load")
pid = os.fork()  # a worker, which holds nothing
if not pid:
    time.sleep(0.1)
    os._exit(0)
os.waitpid(pid, 0)
log.write_text("over")
starter.load_is_over()
starter.load_is_over()
end_s = time.monotonic() + 60
while log.read_text() != "heard" and time.monotonic() < end_s:
    time.sleep(0.01)
sys.exit(7 if log.read_text() == "heard" else 1)
"""


def target(**options: Any) -> SuiteTarget:
    [found] = checked(RunRequest(("orfeas/spike",)))
    return replace(found, request=replace(found.request, **options))


@pytest.mark.processes
def test_what_can_wait_for_the_end_of_the_load_is_done_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "WAITING", (sys.executable, "-c", LOADED))
    log, told = tmp_path / "log", list[str]()

    def meanwhile() -> None:
        told.append(log.read_text())
        log.write_text("heard")

    assert Signals(Ahead()).run([str(log)], meanwhile) == 7
    assert told == ["over"]


def test_the_command_line_says_what_was_asked_for(tmp_path: Path) -> None:
    words = arguments(target(), "spike", 7, tmp_path)
    locustfile = Path(words[words.index("-f") + 1])
    assert (locustfile.name, locustfile.is_file()) == ("generation3d.py", True)
    assert words[words.index("--headless") + 1 :] == [
        "--scenario",
        "orfeas/spike",
        "--suite-folder",
        str(tmp_path),
        "--asked-for",
        ",".join(target().scenarios),
        "--seed",
        "7",
    ]


def test_workers_meet_at_a_port_of_their_own(tmp_path: Path) -> None:
    words = arguments(target(), "spike", 7, tmp_path, workers=3)
    assert words[words.index("--processes") + 1] == "3"
    assert words[words.index("--master-port") + 1] == words[words.index("--master-bind-port") + 1]
    assert "--processes" not in arguments(target(), "spike", 7, tmp_path, workers=1)


@pytest.mark.parametrize(
    ("limit", "expected"), [("150000 100000", 1), ("max 100000", 2), ("900000 100000", 2), (None, 2)]
)
def test_a_container_may_have_fewer_cores_than_its_machine(
    limit: str | None, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpu.max"
    if limit is not None:
        told.write_text(f"{limit}\n")
    monkeypatch.setattr(cores, "_CPU_MAX", told)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert cores.cores_there() == expected


def test_every_option_reaches_the_process(tmp_path: Path) -> None:
    asked = target(
        host="http://127.0.0.1:5000",
        time_scale=0.02,
        rehearsal=True,
        overrides=("a.b=1", "c=d e"),
        strict=True,
        abort_on="hopeless",
        baseline="1.4",
    )
    words = arguments(asked, "spike", 7, tmp_path)
    assert words[words.index("7") + 1 :] == [
        "-H",
        "http://127.0.0.1:5000",
        "--time-scale",
        "0.02",
        "--set",
        "a.b=1",
        "--set",
        "c=d e",
        "--set",
        'baseline="1.4"',
        "--rehearsal",
        "--strict",
        "--abort-on",
        "hopeless",
    ]


@pytest.mark.parametrize("asked_for", [None, "DEBUG"])
def test_locust_is_quiet_unless_asked(
    asked_for: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOCUST_LOGLEVEL", raising=False)
    if asked_for:
        monkeypatch.setenv("LOCUST_LOGLEVEL", asked_for)
    words = arguments(target(), "spike", 7, tmp_path)
    assert ("--loglevel" in words) is (asked_for is None)


@pytest.mark.parametrize(
    ("code", "has_result", "counted_as", "said"),
    [
        (0, True, ExitCode.PASSED, ""),
        (1, True, ExitCode.FAILED, ""),
        (3, True, ExitCode.INVALID, ""),
        (2, False, ExitCode.USAGE, ""),
        (4, False, ExitCode.UNAVAILABLE, ""),
        (4, True, ExitCode.UNAVAILABLE, ""),
        (130, True, ExitCode.INTERRUPTED, ""),
        (-signal.SIGINT, False, ExitCode.INTERRUPTED, ""),
        (0, False, ExitCode.INVALID, "left no result"),
        (1, False, ExitCode.INVALID, "left no result"),
        (-signal.SIGKILL, True, ExitCode.INVALID, "SIGKILL"),
        (-signal.SIGSEGV, False, ExitCode.INVALID, "SIGSEGV"),
        (-63, False, ExitCode.INVALID, "63"),
        (77, True, ExitCode.INVALID, "no verdict"),
    ],
)
def test_what_an_end_counts_as(code: int, has_result: bool, counted_as: ExitCode, said: str) -> None:
    counted, problem = outcome(code, has_result=has_result)
    assert counted is counted_as
    assert (said in problem) if said else problem == ""


def test_a_signal_ends_a_pause() -> None:
    signals = Signals(Ahead())
    assert signals.pause(0.001) is False
    with signals.handled():
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.pause(PATIENCE_S) is True
    assert signals.first is signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        signals = Signals(Ahead())
        with signals.handled():
            signal.raise_signal(signal.SIGHUP)
        assert signals.first is None
    finally:
        signal.signal(signal.SIGHUP, before)


def wait_for(log: Path, line: str) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline_s:
        if log.exists() and line in log.read_text().splitlines():
            return
        time.sleep(0.02)
    pytest.fail(f"'{line}' never came")


def driver(log: Path) -> Sequence[str]:
    return [sys.executable, "-c", DRIVER, CHILD, str(log)]


def to_process(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)


def to_group(process: subprocess.Popen[str], number: int) -> None:
    os.killpg(process.pid, number)


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("send", [to_process, to_group])
def test_without_a_terminal_the_child_is_told_once(
    tmp_path: Path, number: signal.Signals, send: Callable[[subprocess.Popen[str], int], None]
) -> None:
    """As in CI, where some signal the process and others its whole group."""
    log = tmp_path / "log"
    with subprocess.Popen(
        driver(log), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        wait_for(log, "ready")
        send(process, number)
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert output == f"ended 130 {number.name}\n"
    assert log.read_text().splitlines() == ["ready", number.name]


@pytest.mark.processes
def test_ctrl_c_on_a_terminal_reaches_the_child_once(tmp_path: Path) -> None:
    """The terminal signals the whole foreground group; passing it on as well would cut the report short."""
    log = tmp_path / "log"
    process_id, terminal = pty.fork()
    if process_id == 0:
        os.execv(sys.executable, driver(log))  # noqa: S606  our own interpreter
    try:
        wait_for(log, "ready")
        os.write(terminal, b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]) == 0
        assert b"ended 130 SIGINT" in os.read(terminal, 4096)
    finally:
        os.close(terminal)
    assert log.read_text().splitlines() == ["ready", "SIGINT"]


# Says when it has been started, and what it was told.
WAITING = """
import os, sys
print(os.getpid(), flush=True)
print("told", sys.stdin.readline(), flush=True)
"""


@pytest.mark.processes
def test_a_process_waits_for_its_arguments_and_is_ended_when_there_are_none(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ahead, "WAITING", (sys.executable, "-c", WAITING))
    with Ahead() as processes:
        processes.begin()
        processes.begin()  # one is enough
        with processes.hand_over(["-f", "a b"]) as child:
            assert child.wait(PATIENCE_S) == 0
        processes.begin()
    processes.close()
    first, told, *later = capfd.readouterr().out.split("\n")
    assert (int(first), told) == (child.pid, 'told ["-f", "a b"]')
    assert not any(line.startswith("told") for line in later)


@pytest.mark.processes
def test_a_process_that_was_ended_while_it_waited_ends_the_run_as_its_signal_says() -> None:
    with Ahead() as processes:
        processes.begin()
        waiting = processes._process
        assert waiting is not None
        waiting.send_signal(signal.SIGINT)
        waiting.wait(PATIENCE_S)
        assert Signals(processes).run(["--version"]) == -signal.SIGINT


@pytest.mark.processes
def test_locust_that_waited_is_the_same_locust(capfd: pytest.CaptureFixture[str]) -> None:
    """The real one: told its arguments late, without its starter's stdin."""
    with Ahead() as processes:
        processes.begin()
        assert Signals(processes).run(["--version"]) == 0
        with processes.hand_over(["-f", "no-such-file.py"]) as child:
            assert child.wait(PATIENCE_S) == 1
    told = capfd.readouterr()
    assert told.out.startswith("locust 2.") and "no-such-file.py" in told.err
