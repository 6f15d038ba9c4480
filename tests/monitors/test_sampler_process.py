"""The sampler as a real process: from a plain parent and a patched one, with servers and parents that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from genload.errors import ConfigError, GenloadError
from genload.runlog.records import MonitorPlan, Sample
from genload.sampler import SamplerHandle, start_sampler

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]

Wait = Callable[..., list[Sample]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., SamplerHandle]]:
    """A factory of samplers on `tmp_path`; each ends with the test."""
    running: list[SamplerHandle] = []

    def make(monitors: dict[str, dict[str, Any]], **options: Any) -> SamplerHandle:
        host = options.pop("host", "http://127.0.0.1:1")
        running.append(start_sampler(tmp_path, time.monotonic(), host, monitors, **options))
        return running[-1]

    yield make
    for one in running:
        one.stop()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Make `tmp_path`/project the working directory and add monitors to it."""
    folder = tmp_path / "project"
    (folder / "monitors").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.delenv("PYTHONPATH", raising=False)  # a relative one would name the project

    def add(name: str, body: str) -> Path:
        text = f"""
import sys, time
from genload.monitor import Monitor as Base
class Monitor(Base):
    metrics = ("host.cpu",)
    ticks = 0
    def open(self): pass
{body}
"""
        (folder / "monitors" / f"{name}.py").write_text(text)
        return folder

    return add


def test_several_monitors_of_one_kind_write_under_their_own_names(
    pages: Callable[..., Any], start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    service, llm = pages("process_resident_memory_bytes 7\n"), pages("tokens_total 3\n")
    asked = {"kind": "exposition", "interval": "50ms"}
    handle = start(
        {
            "exposition": {"interval": "50ms"},
            "llm_page": asked | {"url": f"{llm.host}/metrics", "series": {"prom.tokens": "tokens_total"}},
        },
        host=service.host,
    )
    assert [(plan.name, plan.source) for plan in handle.plans] == [
        ("exposition", f"{service.host}/metrics"),
        ("llm_page", f"{llm.host}/metrics"),
    ]
    samples = wait_for_samples(lambda samples: {s.monitor for s in samples} == {"exposition", "llm_page"})
    values = {sample.monitor: sample.values for sample in samples}
    assert values["exposition"]["server.memory"] == 7.0 and values["llm_page"]["prom.tokens"] == 3.0


def test_it_says_what_it_promises_and_samples_by_the_runs_clock(
    tmp_path: Path, start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    before_s = time.monotonic()
    handle = start({"host": {"interval": "20ms"}})
    assert [(plan.name, plan.interval_s) for plan in handle.plans] == [("host", 0.02)]
    assert "host.cpu" in handle.plans[0].metrics
    samples = wait_for_samples(lambda samples: len(samples) >= 5)
    assert handle.running
    handle.stop()
    assert not handle.running
    passed_s = time.monotonic() - before_s
    times = [sample.t_s for sample in samples]
    assert 0 < times[0] < times[-1] < passed_s
    assert times == sorted(set(times))
    assert (tmp_path / "samples.jsonl").read_bytes().endswith(b"\n")


def test_a_service_that_goes_and_comes_back_is_seen(
    page: Any, start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    memory = "process_resident_memory_bytes 5e6\nprocess_start_time_seconds"
    page.body = f"{memory} {time.time() - 60}\n"
    start({"exposition": {"interval": "50ms"}}, host=page.host)
    up = wait_for_samples(lambda samples: len(samples) >= 2)
    assert up[-1].values["server.memory"] == 5e6
    page.stop()
    # The first one may have been cut off in the middle of its answer.
    down = wait_for_samples(lambda samples: "Connection refused" in samples[-1].error)
    assert down[-1].values["server.up"] == 0.0
    page.body = f"{memory} {time.time()}\n"  # one that began before the run did would be no restart
    page.start()
    back = wait_for_samples(lambda samples: samples[-1].values.get("server.up") == 1.0)
    assert back[-1].values["server.restarts"] == 1.0
    assert {sample.values["server.up"] for sample in back if sample.error} == {0.0}


def test_ticks_that_a_slow_sample_overran_are_holes(
    project: Callable[[str, str], Path], start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    project("slow", "    def sample(self):\n        time.sleep(0.15)\n        return {'host.cpu': 1.0}")
    start({"slow": {"interval": "100ms"}})
    samples = wait_for_samples(lambda samples: len(samples) >= 6)
    gaps = [later.t_s - earlier.t_s for earlier, later in pairwise(samples)]
    # The tick 0.1 s later is left out, so the next is 0.2 s later; one caught up with would be 0.15 s later.
    assert sum(gaps) > 0.2 * len(gaps) - 0.1


def test_a_broken_monitor_is_named_and_disturbs_no_other(
    project: Callable[[str, str], Path], start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    project("broken", "    def sample(self):\n        raise ValueError('no such sensor')")
    project("noisy", "    def sample(self):\n        print('x' * 100000)\n        return {'host.cpu': 1.0}")
    handle = start({"broken": {"interval": "20ms"}, "noisy": {"interval": "20ms"}, "host": {}})
    samples = wait_for_samples(
        lambda samples: (
            [s.monitor for s in samples].count("noisy") >= 5
            and {s.monitor for s in samples} == {"broken", "noisy", "host"}
        )
    )
    assert handle.running
    assert {s.error for s in samples if s.monitor == "broken"} == {"ValueError: no such sensor"}
    assert all(s.error == "" for s in samples if s.monitor != "broken")


def test_a_users_own_monitor_in_the_working_directory_comes_first(
    project: Callable[[str, str], Path], start: Callable[..., SamplerHandle], wait_for_samples: Wait
) -> None:
    folder = project(
        "host", "    def sample(self):\n        import helper\n        return {'host.cpu': helper.CPU}"
    )
    (folder / "helper.py").write_text("CPU = 0.125\n")
    (folder / "selectors.py").write_text("raise RuntimeError('a user file shadows a module')\n")
    handle = start({"host": {"interval": "20ms"}})
    assert handle.plans == [MonitorPlan(name="host", interval_s=0.02, metrics=["host.cpu"])]
    samples = wait_for_samples(lambda samples: len(samples) >= 2)
    assert [(s.values, s.error) for s in samples] == [({"host.cpu": 0.125}, "")] * len(samples)


def test_a_hanging_monitor_does_not_keep_the_process(
    tmp_path: Path,
    project: Callable[[str, str], Path],
    start: Callable[..., SamplerHandle],
    wait_for_samples: Wait,
) -> None:
    project("stuck", "    def sample(self):\n        time.sleep(3600)")
    handle = start({"stuck": {}, "host": {"interval": "20ms"}})
    wait_for_samples(lambda samples: len(samples) >= 1)
    handle.stop(timeout_s=30.0)
    assert not handle.running
    assert handle.exit_code == 0
    told = {(s.monitor, s.error.partition(":")[0]) for s in wait_for_samples(lambda samples: True)}
    assert told == {("stuck", "hangs"), ("host", "")}


@pytest.mark.parametrize(
    ("monitors", "words"),
    [
        ({"bad_import": {}}, "cannot be imported: ZeroDivisionError"),
        ({"bad_init": {}}, "cannot be made: ZeroDivisionError"),
        ({"patching": {}}, "patches the process with gevent"),
    ],
)
def test_what_cannot_be_sampled_is_refused_before_the_run(
    project: Callable[[str, str], Path],
    start: Callable[..., SamplerHandle],
    monitors: dict[str, dict[str, Any]],
    words: str,
) -> None:
    project("bad_import", "    1 / 0")
    project("bad_init", "    def __init__(self, settings, host): 1 / 0\n    def sample(self): pass")
    project("patching", "    def sample(self): pass\nfrom gevent import monkey; monkey.patch_all()")
    with pytest.raises(ConfigError) as raised:
        start(monitors)
    assert words in raised.value.render()
    assert raised.value.remedy


def test_a_run_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GenloadError, match=r"samples\.jsonl cannot be written"):
        start_sampler(tmp_path / "absent", 0.0, "http://127.0.0.1:1", {"host": {}})


@pytest.mark.parametrize(
    ("program", "words"),
    [("raise SystemExit(7)", "exit code 7"), ("import time; time.sleep(60)", "gave no sign within 400 ms")],
)
def test_a_process_that_does_not_come_up_is_told(tmp_path: Path, program: str, words: str) -> None:
    started = []

    def popen(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([command[0], "-c", program], **options))
        return started[-1]

    with pytest.raises(GenloadError, match=words):
        start_sampler(
            tmp_path, 0.0, "http://x", {}, popen=popen, start_timeout_s=0.4 if "sleep" in program else 30.0
        )
    assert started[0].poll() is not None


def test_no_setting_is_on_the_command_line(tmp_path: Path, start: Callable[..., SamplerHandle]) -> None:
    handle = start({"exposition": {"headers": {"X-Tenant": "acme-tenant"}}}, host="http://127.0.0.1:1")
    words = " ".join(psutil.Process(handle.pid).cmdline())
    assert "genload.sampler" in words
    assert "acme-tenant" not in words and "127.0.0.1" not in words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_the_parents_affair_and_sigterm_ends_it(
    start: Callable[..., SamplerHandle], wait_for_samples: Wait, number: signal.Signals
) -> None:
    handle = start({"host": {"interval": "20ms"}})
    os.kill(handle.pid, number)
    if number is signal.SIGTERM:
        psutil.Process(handle.pid).wait(30)
    else:
        count = len(wait_for_samples(lambda samples: len(samples) >= 1))
        wait_for_samples(lambda samples: len(samples) > count + 2)
        assert handle.running
    handle.stop()
    assert handle.exit_code == 0


PARENT = """
import json, sys, time
if sys.argv[1] == "patched":
    from gevent import monkey
    monkey.patch_all()
from pathlib import Path
from genload.sampler import start_sampler
handle = start_sampler(Path(sys.argv[2]), time.monotonic(), "http://x", {"host": {"interval": "20ms"}})
print(json.dumps([handle.pid, [plan.name for plan in handle.plans]]), flush=True)
if sys.argv[3] == "stop":
    turns = 0
    if sys.argv[1] == "patched":
        import gevent
        def turn():
            global turns
            while True:
                turns += 1
                gevent.sleep(0)
        gevent.spawn(turn)
    time.sleep(0.2)
    handle.stop()
    print(json.dumps([handle.exit_code, turns]), flush=True)
else:
    time.sleep(600)
"""


def parent(mode: str, folder: Path, then: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, mode, str(folder), then],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def ended(process: psutil.Process) -> bool:
    """Gone, or an orphan that nobody collects, as in a container whose first process does not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("mode", ["plain", "patched"])
def test_the_death_of_its_parent_ends_it(tmp_path: Path, mode: str, wait_for_samples: Wait) -> None:
    process = parent(mode, tmp_path, "sleep")
    assert process.stdout is not None
    pid, plans = json.loads(process.stdout.readline())
    sampler = psutil.Process(pid)
    try:
        assert plans == ["host"]
        wait_for_samples(lambda samples: len(samples) >= 2)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    deadline_s = time.monotonic() + 30.0
    while not ended(sampler):
        assert time.monotonic() < deadline_s, "it lives on without its parent"
        time.sleep(0.02)
    content = (tmp_path / "samples.jsonl").read_bytes()
    assert content.endswith(b"\n")


@pytest.mark.parametrize("mode", ["plain", "patched"])
def test_any_parent_can_start_and_stop_it(tmp_path: Path, mode: str, wait_for_samples: Wait) -> None:
    process = parent(mode, tmp_path, "stop")
    output, _ = process.communicate(timeout=200)
    (_, plans), (exit_code, turns) = map(json.loads, output.splitlines())
    assert (plans, exit_code) == (["host"], 0)
    assert (turns > 0) is (mode == "patched"), "other greenlets run while the parent waits"
    assert wait_for_samples(lambda samples: len(samples) >= 2)
