"""Every mistake through every door: one clear line with its remedy, the exit code, no traceback, and nothing
half-written.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from genload.cli import main
from genload.commands.run import ahead
from genload.runlog.layout import is_run_directory

from ..listening import listening_port
from ..scripted_server import served
from .odd_servers import Orfeas, a_web_page

pytestmark = pytest.mark.processes

LOCUSTFILE = Path(__file__).resolve().parents[2] / "locustfiles" / "generation3d.py"
QUICKLY = ("--set", "service.ready_timeout=1s")


@dataclass(frozen=True)
class Mistake:
    """Options that are wrong somewhere.

    Attributes:
        said, remedy: what the message and the line below it hold.
        scenario: what is asked for.
        tried: whether `genload try` has the option.
    """

    said: str
    remedy: str
    scenario: str = "orfeas/spike"
    options: tuple[str, ...] = ()
    code: int = 2
    tried: bool = True


MISTAKES = {
    "unknown scenario": Mistake(
        "there is no scenario 'nope' in suite orfeas", "spike", scenario="orfeas/nope"
    ),
    "bad unit": Mistake(
        "service.timeout: unknown unit 'bananas'",
        "a quantity such as 90s",
        options=("--set", "service.timeout=5 bananas"),
    ),
    "unknown metric": Mistake(
        "scenarios.spike.criteria.fast: unknown metric 'generate.duratoin'",
        "did you mean 'generate.duration'?",
        options=("--set", "scenarios.spike.criteria.fast=generate.duratoin.p95 < 5s"),
    ),
    "unknown key": Mistake(
        "service.timeot: unknown key 'timeot'",
        "did you mean 'timeout'?",
        options=("--set", "service.timeot=5s"),
    ),
    "missing image folder": Mistake(
        "service.images: 'nowhere' is no folder",
        "name a folder of PNG or JPEG files",
        options=("--set", "service.images=nowhere"),
    ),
    "no usable image": Mistake(
        "service.images: 'empty' holds no usable image",
        "name a folder of PNG or JPEG files",
        options=("--set", "service.images=empty"),
    ),
    "unreadable suite": Mistake(
        "folder.yaml: the suite cannot be read: Is a directory",
        "check the path",
        scenario="folder.yaml/spike",
    ),
    "broken encoding": Mistake(
        "latin.yaml: the file is not UTF-8 text (byte 13)", "save it as UTF-8", scenario="latin.yaml/spike"
    ),
    "binary suite": Mistake("binary.yaml", "→", scenario="binary.yaml/spike"),
    "a tag that makes an object": Mistake(
        "object.yaml:1: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
        "write plain values",
        scenario="object.yaml/spike",
    ),
    "a bomb of aliases": Mistake("bomb.yaml", "use fewer aliases", scenario="bomb.yaml/spike"),
    "a file where the results should be": Mistake(
        "--results taken", "name a folder", options=("--results", "taken"), tried=False
    ),
    "negative time scale": Mistake(
        "--time-scale -1 is not in 0..1",
        "use a factor such as 0.02",
        options=("--time-scale", "-1"),
        tried=False,
    ),
    "callers who never come": Mistake(
        "a rate of 0 is no load",
        "change the shape's settings",
        scenario="open.yaml/open",
        options=("--set", "scenarios.open.shape.rate=0/s"),
    ),
    "more callers than any load": Mistake(
        "1000000000/s is more than any load",
        "change the shape's settings",
        scenario="open.yaml/open",
        options=("--set", "scenarios.open.shape.rate=1e9/s"),
    ),
    "a trace out of order": Mistake(
        "back.jsonl:2: 4.5 s comes before the arrival above it",
        "in the order of time",
        scenario="open.yaml/open",
        options=("--set", "scenarios.open.shape={kind: replay, file: back.jsonl}"),
    ),
    "a trace with a gap of a day": Mistake(
        "day.jsonl:2: nothing comes for 24 h before it",
        "write one JSON object a line",
        scenario="open.yaml/open",
        options=("--set", "scenarios.open.shape={kind: replay, file: day.jsonl}"),
    ),
    "a trace with a wrong column": Mistake(
        "column.jsonl:1: not a row: Object contains unknown field `colour`",
        "write one JSON object a line",
        scenario="open.yaml/open",
        options=("--set", "scenarios.open.shape={kind: replay, file: column.jsonl}"),
    ),
    "host without scheme": Mistake("the host needs its scheme", "http://", options=("-H", "gpu1:5000")),
    "unset secret": Mistake(
        "the environment variable GENLOAD_NOT_SET is not set",
        "export GENLOAD_NOT_SET=…",
        options=("--set", "service.headers.Authorization=${env:GENLOAD_NOT_SET}"),
    ),
    "secret in clear": Mistake(
        "header 'Authorization' holds a secret in clear",
        "${env:NAME}",
        options=("--set", "service.headers.Authorization=hunter2hunter2"),
    ),
}

OPEN = b"""service: {api: orfeas}
locustfile: generation3d
scenarios:
  open:
    shape: {kind: arrivals, rate: 1/s, duration: 10s, max_in_flight: 5}
    criteria: {ok: generate.failed == 0}
"""

DOORS = {
    "run": lambda mistake: ["-m", "genload", "run", mistake.scenario, *mistake.options],
    "try": lambda mistake: ["-m", "genload", "try", mistake.scenario, *mistake.options],
    "locust": lambda mistake: [
        *("-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--scenario", mistake.scenario),
        *mistake.options,
    ],
}


# `python -m locust` with each of several lists of arguments; what each ended with, and what it said.
EACH_IN_TURN = """
import json, os, sys, tempfile
import locust.main
import genload.artifacts.inputs.views, genload.harness.job_user, genload.harness.locust_runs
from genload.targets import RunRequest, checked
checked(RunRequest(("orfeas/spike",)))  # what all of them import
told = {}
for name, words in json.loads(sys.argv[1]).items():
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            sys.argv = ["locust", *words]
            locust.main.main()
            sys.exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        output.seek(0)
        told[name] = code, output.read()
print(json.dumps(told))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with files that are no suites, and a file that is no folder."""
    levels = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    levels += [
        f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)
    ]
    files = {
        "latin.yaml": b'purpose: "caf\xe9"\n',
        "binary.yaml": bytes(range(256)) * 4,
        "object.yaml": b"purpose: !!python/object/apply:os.system ['touch written-by-yaml']\n",
        "bomb.yaml": "\n".join(levels).encode(),
        "taken": b"mine",
        "open.yaml": OPEN,
        "back.jsonl": b'{"at": 5}\n{"at": 4.5}\n',
        "day.jsonl": b'{"at": 0}\n{"at": 86400}\n',
        "column.jsonl": b'{"at": 0, "colour": "red"}\n',
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "empty").mkdir()
    return tmp_path


def call(words: list[str], folder: Path, timeout_s: float = 120) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout_s,
    )
    return done.returncode, done.stdout


def own_words(output: str) -> list[str]:
    """The lines of the message: Locust's own log lines are not ours."""
    return [line for line in output.splitlines() if line and "INFO/locust" not in line]


def check(mistake: Mistake, code: int, output: str) -> None:
    lines = own_words(output)
    assert code == mistake.code, output
    assert "Traceback" not in output and "hunter2" not in output, output
    assert len(lines) == 2 and mistake.said in lines[0], output
    assert lines[1].startswith("  → ") and mistake.remedy in lines[1], output


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("command", ["run", "try"])
@pytest.mark.parametrize("name", MISTAKES)
def test_genload_says_what_is_wrong(
    command: str,
    name: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mistake = MISTAKES[name]
    if command == "try" and not mistake.tried:
        mistake = Mistake("No such option", "", options=mistake.options)
        assert main(["try", mistake.scenario, *mistake.options]) == 2
        return
    monkeypatch.chdir(folder)
    monkeypatch.setattr(ahead.Ahead, "begin", lambda ahead: None)  # none of these comes to its load
    before = names_in(folder)
    code = main([command, mistake.scenario, *mistake.options])
    output = capsys.readouterr()
    check(mistake, code, output.err)
    assert output.out == ""
    assert names_in(folder) == before


def test_plain_locust_says_what_is_wrong(folder: Path) -> None:
    """As one test, with one process that imports Locust and becomes each of those that are refused."""
    before = names_in(folder)
    asked = {name: DOORS["locust"](mistake)[2:] for name, mistake in MISTAKES.items()}
    code, output = call(["-c", EACH_IN_TURN, json.dumps(asked)], folder, timeout_s=240)
    assert code == 0, output
    told = json.loads(output.splitlines()[-1])
    for name, mistake in MISTAKES.items():
        check(mistake, *told[name])
    assert names_in(folder) == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("what", ["nobody there", "a web page"])
def test_a_service_that_is_none_ends_the_run_with_4(
    door: str, what: str, folder: Path, dead_port: int
) -> None:
    with served(a_web_page) as page:
        # With a path, as behind a proxy: told as it was asked.
        host = f"{page if what == 'a web page' else f'http://127.0.0.1:{dead_port}'}/gpu/1"
        mistake = Mistake("", "", options=("-H", host, *QUICKLY))
        code, output = call(DOORS[door](mistake), folder)
    said = "Connection refused" if what == "nobody there" else "not a JSON object but text/html"
    messages = [line for line in own_words(output) if said in line and host in line]
    remedies = [line for line in own_words(output) if line.startswith("  → ") and "correct --host" in line]
    assert code == 4 and "Traceback" not in output, output
    assert messages and remedies, output
    # What there is of a run is whole: its report says that the service was not ready.
    runs = [path for path in folder.glob("results/*/*") if path.is_dir()]
    assert len(runs) == (0 if door == "try" else 1)
    for run in runs:
        assert is_run_directory(run) and (run.parent / "results_spike.json").is_file()
        assert "NOT READY" in (run.parent / "summary.md").read_text()


def test_a_worker_without_the_secret_says_so_and_the_run_is_over(folder: Path) -> None:
    """Each machine reads secrets for itself: the master has this one, its only worker has not."""
    locust = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE)]
    known = {**os.environ, "GENLOAD_ON_ONE": "s3cret-of-one"}
    options = ["--scenario", "orfeas/spike", "--set", "service.headers.Authorization=${env:GENLOAD_ON_ONE}"]
    options += ["--master", "--headless", "--expect-workers", "1", "--master-bind-port", "0"]
    with served(Orfeas()) as url:
        master = subprocess.Popen(
            [*locust, *options, "-H", url],
            cwd=folder,
            env=known,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        code, output = call([*locust[1:], "--worker", "--master-port", str(listening_port(master))], folder)
        said, _ = master.communicate(timeout=200)
    lines = own_words(output)
    assert code == 2
    assert lines[0] == "the environment variable GENLOAD_ON_ONE is not set" and len(lines) == 2, output
    assert master.returncode != 0 and "Traceback" not in said, said
    assert "s3cret" not in said + output
