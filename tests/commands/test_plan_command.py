"""`genload plan`: what it prints, its exit codes, and one clear line for what cannot be planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload.analysis.plan import simulation
from genload.cli import main


def test_it_shows_the_contradiction_of_the_specification(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "orfeas", "--service-time", "82s", "--slots", "20"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("assumed: 82 s for each request, 20 slots, first come first served")
    last = shown.rpartition("criteria that cannot hold")[2].split()
    rows = " ".join(last)
    assert "orfeas/normal 12.4 min 24 14.8 % –" in rows
    assert "orfeas/peak" in rows and "minimum_attempted" in rows and "minimum_successes" in rows
    assert "orfeas/spike" in rows and "recovered" not in rows
    assert "in all 97.5 min" in rows  # 498 + 747 + 415 + 415 + 3735 s, and four pauses of 10 s


def test_strict_is_about_what_must_hold_and_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    assumed = ["--service-time", "82s", "--slots", "20", "--strict"]
    assert main(["plan", "orfeas/peak", *assumed]) == 1
    assert main(["plan", "orfeas/normal", *assumed]) == 0  # what is not provable can hold
    reported_only = []
    for name in ("attempted", "successes"):
        rule = "{must: false, holds: generate.attempted >= 50}"
        reported_only += ["--set", f"scenarios.peak.criteria.minimum_{name}={rule}"]
    assert main(["plan", "orfeas/peak", *assumed, *reported_only]) == 0
    capsys.readouterr()


def test_a_search_is_planned_level_by_level(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "litetts/listeners", "--service-time", "2s", "--slots", "3"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    # 1.5 answers a second, each of which its listener hears for 3.25 s: 20 of them wait 20 ÷ 1.5 − 3.25 s.
    assert "holds 19 listeners; at 20 answered_soon does not hold" in shown
    assert "both are proven" in shown and "simulated searches" not in shown
    assert "will hold capacity 19" in shown
    step = "scenarios.listeners.capacity.step={settle: 2s, measure: 5s}"
    at_random = ["--set", step, "--set", "scenarios.listeners.think={min: 1s, max: 3s}"]
    assert main(["plan", "litetts/listeners", "--service-time", "2s", "--slots", "3", *at_random]) == 0
    assert "of 9 simulated searches the smallest holds" in " ".join(capsys.readouterr().out.split())
    assert main(["plan", "orfeas/capacity", "--service-time", "150s"]) == 0
    assert "all 9 simulated searches hold no level" in " ".join(capsys.readouterr().out.split())


def test_listeners_ask_less_often(capsys: pytest.CaptureFixture[str]) -> None:
    def requests(*options: str) -> int:
        shape = "scenarios.light.shape={kind: sustained, users: 1, duration: 60s}"
        texts = "service.request.texts={lengths: [medium]}"
        own = ["--set", shape, "--set", texts, "--set", "scenarios.light.request=null"]
        own += ["--set", "scenarios.light.criteria=null", "--service-time", "750ms"]
        assert main(["plan", "litetts/light", *own, *options]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if "completed" in line]
        return int(line.split()[0])

    assert requests() == 80
    assert requests("--set", "scenarios.light.pace=playback") == 15  # 50 characters are 3.25 s of speech


@pytest.mark.parametrize(
    ("target", "key", "said"),
    [
        ("orfeas/normal", "pace=playback", "nobody listens to the outputs of this service"),
        ("orfeas/normal", "leave={share: 10%, after: 1s}", "nobody listens to the outputs of this service"),
        ("orfeas/normal", "shape={kind: walkout}", "nobody listens to the outputs of this service"),
        ("litetts/sustained", "pace=playback", "nobody listens in between"),
        ("litetts/light", "leave={share: 110%, after: 1s}", "less than or equal to 1"),
        ("litetts/light", "leave={share: 10%, after: {min: 3s, max: 1s}}", "min is larger than max"),
    ],
)
def test_what_listeners_cannot_do_is_told_before_anything_is_sent(
    target: str, key: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = target.partition("/")[2]
    assert main(["plan", target, "--service-time", "1s", "--set", f"scenarios.{scenario}.{key}"]) == 2
    told = capsys.readouterr().err
    assert said in told and f"scenarios.{scenario}.{key.partition('=')[0]}" in told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "how long the service takes"),
        (["--service-time", "82s", "--from", "x"], "both say how long"),
        (["--service-time", "0s"], "--service-time 0s is no time"),
        (["--service-time", "-3s"], "--service-time -3s is no time"),
        (["--service-time", "82"], "--service-time 82 is no time"),
        (["--service-time", "1e9s"], "--service-time 1e9s is no time"),
        (["--service-time", "soon"], "'soon' is not a number with a unit"),
        (["--service-time", "82s", "--slots", "0"], "--slots 0 is not in 1..100000"),
        (["--service-time", "82s", "--slots", "1000000"], "--slots 1000000 is not in"),
        (["--from", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(
    options: list[str], said: str, in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "orfeas/baseline", *options]) == 2
    told = capsys.readouterr().err.splitlines()
    assert said in told[-2] and told[-1].startswith("  → ")


def test_a_load_too_large_to_simulate_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation, "MOST_REQUESTS", 5000)
    endless = ["--set", "scenarios.sustained.shape.duration=1000d", "--service-time", "1s", "--slots", "5"]
    assert main(["plan", "orfeas/sustained", *endless]) == 2
    assert "more than 5000 requests" in capsys.readouterr().err


def test_each_population_is_planned_by_its_own_service(capsys: pytest.CaptureFixture[str]) -> None:
    times = ["--service-time", "5s", "--service-time", "speech=1s", "--slots", "speech=4"]
    assert main(["plan", "tenants", *times]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "assumed of tenants/neighbours/generation3d, as if alone: 5 s for each request, 1 slot" in shown
    assert "assumed of tenants/neighbours/speech, as if alone: 1 s for each request, 4 slots" in shown
    # One slot for 40 s of two users: a job each 5 s, and the one that waits as the phase ends.
    assert "9 requests: 9 completed" in shown and "322 requests" in shown
    assert "will hold no_errors 0 generate.failed == 0" in shown
    assert "will hold no_errors 0 speech.failed == 0" in shown
    assert "in all 85.5 s" in shown  # at the same time, and not one after the other


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("tenants", ["5s"], "the service of tenants/neighbours/speech takes"),
        ("tenants", ["5s", "speech=1s", "nobody=1s"], "tenants has no population nobody"),
        ("tenants", ["speech=1s", "speech=2s"], "--service-time is said of speech twice"),
        ("orfeas/peak", ["peak=82s"], "orfeas has no population peak"),
    ],
)
def test_what_is_said_of_populations_is_of_those_that_are_there(
    target: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", target, *(word for text in options for word in ("--service-time", text))]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
