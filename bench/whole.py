"""What a whole user costs: real `locust -f … --scenario …` processes, looked at from outside.

A server on one core (`parts/answers.c`, built in place) answers speech with whole 48 kB WAV files, other
bytes each time, and ORFEAS' calls at once with a mesh. The load generators run on the other core, one after
the other in each round, so that a machine that slows down slows them all:

whole speech user   `locustfiles/speech.py`: gate, texts, client, listening, record, live totals; with nothing
                    decoded, a sample of 10 %, and everything decoded and judged
… on N workers      nothing decoded; the master has a side of its own
whole job user      `locustfiles/generation3d.py`: image, upload, order, polls, download, a look at the mesh;
                    also on two workers, each with an inspector of its own
FastHttpUser        Locust's own, which looks at nothing: what the others are compared with
… on N workers      what several processes on one core cost any load generator
wrk, hey            where they are installed: what C and Go need
genai-bench         where it is installed (its command on the PATH, or named by GENAI_BENCH)

Printed are medians: requests a second by the server's count; µs of CPU a request, of the process itself and
of those that it has started (the inspector); how many times as much FastHttpUser takes in the same round;
memory. Of workers it is also said how many times the CPU of one process they take. The CPU is what means
something on a machine with other work.

With --together all of them run at the same time on one core, each with a server of its own on the other:
who shares a core with others finds less in its caches, master and workers as much as one process, and so
only what shares it in the same seconds can be compared. With --spread the load generators have all cores, the
server's among them: what workers take that have a core each, or nearly. With --waiting, users who only wait:
for speech that is never answered, and for jobs that are polled every 2 s; beside as many who poll with the
least code.

    python bench/whole.py [--rounds N] [--seconds S] [--users N] [--only NAME,…]
                          [--spread] [--together | --waiting N]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from parts import genai_bench
from parts.answers import Server, answers, compiler
from parts.genload_commands import LOCUST, jobs, on_workers, speech
from parts.outside import Round, look, started, wait_for
from parts.rounds import ROOT, allow_many_connections, two_cores
from parts.wav_server import SERVER, serve

PEER = "fast"
WORKERS = 1, 2, 4
WARM = 20
"""So many answers of each user come before the look."""

Commands = Callable[[str, Path, int], list[list[str]]]


@dataclass(frozen=True, slots=True)
class Load:
    """One load generator.

    Attributes:
        commands: its processes, the master's or only one first; given the server's address, a folder of its
            own and the number of users.
    """

    label: str
    commands: Commands


def plain(workers: int, host: str, folder: Path, users: int) -> list[list[str]]:
    file = ["-f", str(ROOT / "bench" / "parts" / "fast_http_user.py")]
    run = [*LOCUST, *file, "-H", host, "-u", str(users), "-r", str(users), "--only-summary"]
    return on_workers(run, file, workers)


def wrk(host: str, folder: Path, users: int) -> list[list[str]]:
    return [["wrk", "-t1", f"-c{users}", "-d600", f"{host}/v1/audio/speech"]]


def genai(host: str, folder: Path, users: int) -> list[list[str]]:
    return [genai_bench.command(host, folder, users)]


def hey(host: str, folder: Path, users: int) -> list[list[str]]:
    return [["hey", "-cpus", "1", "-c", str(users), "-z", "600s", f"{host}/v1/audio/speech"]]


LOADS = {
    PEER: Load("FastHttpUser", partial(plain, 0)),
    "off": Load("whole speech user, validate: off", partial(speech, "off", 0)),
    "sample": Load("whole speech user, sample 10%", partial(speech, "sample 10%", 0)),
    "all": Load("whole speech user, all", partial(speech, "all", 0)),
    **{
        f"workers{count}": Load(f"… validate: off, {count} workers", partial(speech, "off", count))
        for count in WORKERS
    },
    **{f"{PEER}{count}": Load(f"FastHttpUser, {count} workers", partial(plain, count)) for count in WORKERS},
    "job": Load("whole job user", partial(jobs, "1ms", 0)),
    "job2": Load("… 2 workers", partial(jobs, "1ms", 2)),
    "wrk": Load("wrk", wrk),
    "hey": Load("hey", hey),
    "genai": Load("genai-bench, text to speech", genai),
}
ONE_PROCESS = {f"workers{count}": "off" for count in WORKERS} | {f"{PEER}{count}": PEER for count in WORKERS}
ONE_PROCESS["job2"] = "job"
"""What workers are compared with."""
WANTED = {"off": 2.0, "sample": 1.6, "all": 1.2}
"""Times FastHttpUser's CPU, at least."""


def main() -> None:
    arguments = _arguments()
    if arguments.load == SERVER:
        serve()
    allow_many_connections()
    core, other_core = two_cores()
    os.sched_setaffinity(0, {other_core})
    cores = ",".join(str(each) for each in range(core, other_core + arguments.spread))
    with tempfile.TemporaryDirectory() as folder, answers(other_core, Path(folder)) as server:
        if arguments.waiting:
            report_waiting(arguments, cores, server)
        elif arguments.together:
            report_together(arguments, cores, other_core)
        else:
            report(arguments, cores, server)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="looked at in each round")
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument(
        "--only", type=lambda text: text.split(","), default=list(LOADS), help=", ".join(LOADS)
    )
    parser.add_argument("--together", action="store_true", help="all at the same time")
    parser.add_argument("--spread", action="store_true", help="on all cores, the server's among them")
    parser.add_argument("--waiting", type=int, default=0, help="measure so many users who only wait")
    parser.add_argument("--load", choices=[SERVER], help=argparse.SUPPRESS)
    return parser.parse_args()


def report(arguments: argparse.Namespace, cores: str, server: Server) -> None:
    names = names_of(arguments)
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(arguments.rounds):
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                commands = LOADS[name].commands(server.host, Path(folder), arguments.users)
                rounds[name].append(one_round(commands, cores, Path(folder), server, arguments))
    if compiler() is None:
        print("no C compiler: the server is in Python, and may be what the rate tells of")
    print(f"{arguments.users} users, medians of {arguments.rounds} rounds of {arguments.seconds:g} s")
    print_loads(rounds)


def names_of(arguments: argparse.Namespace) -> list[str]:
    """The loads that are asked for and can run here, the one that they are compared with first."""
    return [PEER, *(name for name in arguments.only if name != PEER and _is_there(name))]


def report_together(arguments: argparse.Namespace, cores: str, server_core: int) -> None:
    names = names_of(arguments)
    rounds: dict[str, list[Round]] = {name: [] for name in names}
    with ExitStack() as stack:
        running = []
        for name in names:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(answers(server_core, folder))
            commands = LOADS[name].commands(server.host, folder, arguments.users)
            running.append((stack.enter_context(started(commands, cores, folder)), server))
        for processes, server in running:
            wait_for(partial(has_answered, server, WARM * arguments.users), processes[0])
        pool = stack.enter_context(ThreadPoolExecutor(len(names)))
        for _ in range(arguments.rounds):
            seen = list(pool.map(lambda one: look(*one, arguments.seconds), running))
            if not all(one.us for one in seen):
                continue  # a busy machine has held one of them up all the time: nothing to compare
            for name, one in zip(names, seen, strict=True):
                rounds[name].append(one)
    if not rounds[PEER]:
        sys.exit("in none of the looks did all of them run: look for longer (--seconds)")
    print(f"{arguments.users} users each, at the same time, medians of {len(rounds[PEER])} looks")
    print_loads(rounds)


def has_answered(server: Server, requests: int) -> bool:
    return server.counted()[0] > requests


def _is_there(name: str) -> bool:
    if name in ("wrk", "hey"):
        return shutil.which(name) is not None
    if name == "genai":
        return genai_bench.is_there()
    return name not in ("job", "job2") or compiler() is not None


def one_round(
    commands: Sequence[Sequence[str]], cores: str, folder: Path, server: Server, arguments: argparse.Namespace
) -> Round:
    before = server.counted()[0]
    with started(commands, cores, folder) as processes:
        wait_for(partial(has_answered, server, before + WARM * arguments.users), processes[0])
        seen = look(processes, server, arguments.seconds)
    records = folder / "run" / "load" / "requests.jsonl"
    if records.exists() and b"error_class" in records.read_bytes():
        sys.exit(f"requests failed: {records.read_text().partition('error_class')[2][:300]}")
    return seen


def print_loads(rounds: dict[str, list[Round]]) -> None:
    for name, own in rounds.items():
        print_load(name, own, rounds[PEER])
        if (alone := ONE_PROCESS.get(name)) in rounds:
            pairs = zip(own, rounds[alone], strict=True)
            times = median(one.workers.us / other.us for one, other in pairs)
            wanted = "" if alone == PEER else " (wanted 1.1)"
            print(f"{'':34} the workers alone {times:.2f} × one process{wanted}")


def print_load(name: str, rounds: list[Round], peer: list[Round]) -> None:
    rate = median(one.rate for one in rounds)
    sides = [
        side for side in ("master", "workers") if side == "master" or getattr(rounds[0], side).memory_bytes
    ]
    costs = []
    for side in sides:
        own, helpers = (
            median(getattr(getattr(one, side), field) for one in rounds) for field in ("own_us", "helpers_us")
        )
        costs.append(f"{own:.0f} + {helpers:.0f} µs" + (f" {side}" if len(sides) > 1 else ""))
    times = median(other.us / one.us for one, other in zip(rounds, peer, strict=True))
    fast = median(one.rate / other.rate for one, other in zip(rounds, peer, strict=True))
    memory = median(one.master.memory_bytes + one.workers.memory_bytes for one in rounds) / 1e6
    wanted = f" (wanted {WANTED[name]})" if name in WANTED else ""
    each = " ".join(f"{one.us:.0f}" for one in rounds)
    server = median(one.server for one in rounds)
    costs_told = f"CPU {', '.join(costs)} × {times:.2f}{wanted}"
    print(
        f"{LOADS[name].label:34} {rate:8,.0f}/s × {fast:.2f}   {costs_told}   {memory:.0f} MB   "
        f"(µs of each round: {each}; server {server:.0%})",
        flush=True,
    )


# --- users who only wait


def bare(host: str, folder: Path, users: int) -> list[list[str]]:
    file = str(ROOT / "bench" / "parts" / "bare_polls.py")
    polls = [*LOCUST, "-f", file, "-H", host, "-u", str(users), "-r", str(users), "--only-summary"]
    return [["env", f"POLLS_HOST={host}", *polls]]


SPEECH_ASKED, POLLS = 2, 1
"""Of what the server counts."""
WAITING: dict[str, tuple[Commands, int, str]] = {
    "speech that is never answered": (partial(speech, "off", 0), SPEECH_ASKED, "18 kB, 0.015 of a core"),
    "jobs, polled every 2 s": (partial(jobs, "2s", 0), POLLS, "45 kB, 65 µs a poll"),
    "… by a bare loop": (bare, POLLS, ""),
}
"""Commands, what of them is counted, and what is wanted: the memory at 10,000, the rest at 5,000."""


def report_waiting(arguments: argparse.Namespace, cores: str, server: Server) -> None:
    """Of the many, and of a tenth of them: what is there without them drops out of the difference."""
    if compiler() is None:
        sys.exit("users who wait need the server in C")
    many = arguments.waiting
    counts = (many, many // 10)
    rounds: dict[str, dict[int, list[Round]]] = {label: {users: [] for users in counts} for label in WAITING}
    for _ in range(arguments.rounds):
        for label, (commands, what, _wanted) in WAITING.items():
            for users, found in rounds[label].items():
                found.append(waiting_round(commands, users, what, cores, server, arguments.seconds))
    for label, (_, what, wanted) in WAITING.items():
        print_waiting(label, rounds[label], many, wanted, polls=what == POLLS)


def waiting_round(
    commands: Commands, users: int, what: int, cores: str, server: Server, seconds: float
) -> Round:
    with tempfile.TemporaryDirectory() as name:
        folder, before, each = Path(name), server.counted()[what], 3 if what == POLLS else 1
        with started(commands(f"{server.host}/waiting", folder, users), cores, folder) as processes:
            wait_for(lambda: server.counted()[what] - before >= each * users, processes[0])
            return look(processes, server, max(seconds, 4.0), what)


def print_waiting(label: str, rounds: dict[int, list[Round]], many: int, wanted: str, *, polls: bool) -> None:
    few = many // 10
    sizes = [
        (more.master.memory_bytes - less.master.memory_bytes) / (many - few) / 1e3
        for more, less in zip(rounds[many], rounds[few], strict=True)
    ]
    shares = [one.share for one in rounds[many]]
    costs = f", {median(one.us for one in rounds[many]):.0f} µs of CPU a poll" if polls else ""
    print(
        f"{many:,} users, {label}: {median(sizes):.1f} kB each, {median(shares):.3f} of a core{costs}"
        + (f" (wanted {wanted})" if wanted else ""),
        flush=True,
    )


if __name__ == "__main__":
    main()
