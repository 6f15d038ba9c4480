"""Suites: layers, overrides, names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload.errors import ConfigError, UsageError
from genload.settings.loader import find_suite, load_suite, scenario_names, split_target
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels

Write = Callable[..., Path]
Load = Callable[..., Suite]


def shape_of(suite: Suite, scenario: str) -> dict[str, object]:
    return suite.scenarios[scenario].shape.model_dump()


def test_reads_a_suite(write: Write, load: Load) -> None:
    suite = load(write())
    assert suite.name == "mine"
    assert suite.service.timeout_s == 300.0
    assert suite.monitors["page"].interval_s == 5.0
    assert shape_of(suite, "calm") == {
        "kind": "steady",
        "users": 3,
        "duration": "600s",
        "ramp": "0s",
        "arrivals": None,
    }
    assert suite.scenarios["burst"].criteria["errors"].must


def test_resolved_suite_loads_again_with_and_without_wings(
    write: Write, load: Load, wings: WingModels
) -> None:
    suite = load(write())
    written = suite.model_dump(mode="json")
    assert Suite.model_validate(written, context={"wings": wings}) == suite
    assert Suite.model_validate(written).model_dump(mode="json") == written


def test_a_null_criterion_of_must_and_text_both_survive_a_dump(write: Write, load: Load) -> None:
    suite = load(write(), "scenarios.calm.criteria.soft={must: false, holds: server.up.last == 1}")
    dumped = suite.model_dump(mode="json")["scenarios"]["calm"]["criteria"]
    assert dumped == {
        "fast": "generate.duration.p95 < 120s",
        "soft": {"must": False, "holds": "server.up.last == 1"},
    }


# Layers.


def test_extends_merges_deeply_and_null_removes(write: Write, load: Load) -> None:
    write(name="base.yaml")
    child = write(
        "extends: base\n"
        "service: {timeout: 400s}\n"
        "monitors: {page: null, host: }\n"
        "scenarios:\n"
        "  calm: null\n"
        "  burst: {shape: {high: 5}, criteria: {errors: null, all: generate.completed >= 1}}\n"
    )
    suite = load(child)
    assert suite.name == "mine"
    assert (suite.service.api, suite.service.timeout_s) == ("jobs", 400.0)
    assert list(suite.monitors) == ["host"]
    assert list(suite.scenarios) == ["burst"]
    assert (shape_of(suite, "burst")["high"], shape_of(suite, "burst")["low"]) == (5, 2)
    assert list(suite.scenarios["burst"].criteria) == ["all"]


def test_another_kind_replaces_the_whole_shape(write: Write, load: Load) -> None:
    write(name="base.yaml")
    child = write("extends: base.yaml\nscenarios: {burst: {shape: {kind: counted}, criteria: null}}\n")
    assert shape_of(load(child), "burst") == {"kind": "counted", "users": 1, "iterations": 5}


def test_a_base_keeps_its_name_to_itself(write: Write, load: Load) -> None:
    write("name: called\n" + write().read_text(), name="base.yaml")
    assert load(write("extends: base\n")).name == "mine"
    assert load("base").name == "called"


def test_a_projects_own_suite_may_extend_the_builtin_one_of_its_name(
    write: Write, tmp_path: Path, wings: WingModels
) -> None:
    write(name="builtin/orfeas.yaml")
    own = write("extends: orfeas\nservice: {timeout: 1min}\n", name="own/orfeas.yaml")
    folders = [tmp_path / "own", tmp_path / "builtin"]
    loaded = load_suite("orfeas", folders=folders, wings=wings)
    assert loaded.suite.service.timeout_s == 60.0
    assert loaded.files == (own, tmp_path / "builtin" / "orfeas.yaml")


@pytest.mark.parametrize("others", [{"mine.yaml": "extends: mine.yaml\n"}, {"b.yaml": "extends: mine\n"}])
def test_a_circle_is_refused(write: Write, load: Load, others: dict[str, str]) -> None:
    mine = write(others.get("mine.yaml", "extends: b\n"))
    for name, text in others.items():
        write(text, name=name)
    with pytest.raises(ConfigError, match="circle") as caught:
        load(mine)
    assert caught.value.line == 1


def test_anchors_and_merge_keys(write: Write, load: Load) -> None:
    suite = load(
        write(
            "service: {api: jobs}\nlocustfile: generation3d\nscenarios:\n"
            "  one: &one\n    shape: {kind: steady}\n    purpose: first\n"
            "  two: {<<: *one, purpose: second}\n  three: *one\n"
        )
    )
    assert [s.purpose for s in suite.scenarios.values()] == ["first", "second", "first"]


# A scenario's own request.


def request_of(suite: Suite, scenario: str) -> dict[str, object]:
    return suite.service_of(scenario).request.model_dump()


OWN = """\
service: {api: jobs, request: {quality: 5, pauses: {a: 1s, b: 2s}, grades: [a, b]}}
locustfile: generation3d
scenarios:
  plain:
    shape: {kind: steady}
  own:
    shape: {kind: steady}
    request: {grades: [c], pauses: {b: 3s, c: 4s}}
    criteria: {third: "generate.failed{grade=c} == 0"}
"""


def test_a_scenarios_request_is_laid_on_the_services(write: Write, load: Load) -> None:
    suite = load(write(OWN))
    assert suite.scenarios["plain"].request is None
    assert request_of(suite, "plain") == {
        "quality": 5,
        "pauses": {"a": "1s", "b": "2s"},
        "grades": ("a", "b"),
    }
    assert request_of(suite, "own") == {
        "quality": 5,
        "pauses": {"a": "1s", "b": "3s", "c": "4s"},
        "grades": ("c",),
    }
    assert suite.service_of("own").api == "jobs"


def test_a_scenarios_request_survives_a_dump(write: Write, load: Load, wings: WingModels) -> None:
    suite = load(write(OWN))
    written = suite.model_dump(mode="json")
    again = Suite.model_validate(written, context={"wings": wings})
    assert again == suite
    kept = Suite.model_validate(written)
    assert kept.model_dump(mode="json") == written
    assert request_of(kept, "own")["grades"] == ["c"]


def test_layers_and_overrides_reach_a_scenarios_request(write: Write, load: Load) -> None:
    write(OWN, name="base.yaml")
    child = write(
        "extends: base\nservice: {request: {quality: 6}}\nscenarios: {own: {request: null, criteria: null}}\n"
    )
    assert request_of(load(child), "own")["grades"] == ("a", "b")
    assert request_of(load(child), "own")["quality"] == 6
    changed = load("base", "scenarios.plain.request.grades=[x]", "scenarios.plain.request.pauses.b=9s")
    assert request_of(changed, "plain")["grades"] == ("x",)
    assert request_of(changed, "plain")["pauses"] == {"a": "1s", "b": "9s"}


# Overrides.


def test_overrides_apply_in_order(write: Write, load: Load) -> None:
    suite = load(
        write(),
        "service.timeout=60s",
        "service.timeout=90s",
        "service.poll.jitter=10%",
        "reports=[junit]",
        "seed=7",
        "monitors.host={}",
        "scenarios.calm.shape.users=4",
        "scenarios.calm.criteria.fast=generate.duration.p95{phase=steady} < 2s",
        "scenarios.calm.criteria.each=each(phase): generate.attempted >= 1",
        "scenarios.burst=null",
    )
    assert suite.service.timeout_s == 90.0
    assert suite.service.poll.jitter == 0.1
    assert (suite.reports, suite.seed) == (("junit",), 7)
    assert list(suite.monitors) == ["page", "host"]
    assert shape_of(suite, "calm")["users"] == 4
    criteria = suite.scenarios["calm"].criteria
    assert criteria["fast"].holds.endswith("< 2s") and criteria["each"].holds.startswith("each(phase):")
    assert list(suite.scenarios) == ["calm"]


@pytest.mark.parametrize(
    ("override", "key", "remedy"),
    [
        ("service.timout=3s", "service.timout", "did you mean 'timeout'"),
        ("sevice.timeout=3s", "sevice.timeout", "did you mean 'service'"),
        ("scenarios.clam.shape.users=3", "scenarios.clam.shape.users", "did you mean 'calm'"),
        ("scenarios.calm.shape.user=3", "scenarios.calm.shape.user", "did you mean 'users'"),
        ("monitors.pge.interval=3s", "monitors.pge.interval", "did you mean 'page'"),
        ("monitors.page.intervall=3s", "monitors.page.intervall", "did you mean 'interval'"),
        ("service.request.qualty=3", "service.request.qualty", "did you mean 'quality'"),
        ("scenarios.calm.request.qualty=3", "scenarios.calm.request.qualty", "did you mean 'quality'"),
        ("service.timeout=3", "service.timeout", "90s"),
        ("scenarios.calm.criteria.fast=generate.duration.p95 < 3", "scenarios.calm.criteria.fast", "90s"),
    ],
)
def test_a_wrong_override_names_its_key_and_the_near_one(
    write: Write, load: Load, override: str, key: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(), override)
    error = caught.value
    assert (error.file, error.line, error.key) == ("--set", None, key)
    assert remedy in error.remedy


@pytest.mark.parametrize("override", ["", "=", "service", "=3", "a..b=3", ".=1"])
def test_an_override_without_key_or_value_is_bad_usage(write: Write, load: Load, override: str) -> None:
    with pytest.raises(UsageError, match="not of the form"):
        load(write(), override)


# Names.


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("orfeas", ("orfeas", None)),
        ("orfeas/spike", ("orfeas", "spike")),
        ("my/suite.yaml", ("my/suite.yaml", None)),
        ("my/suite.yaml/spike", ("my/suite.yaml", "spike")),
        ("/a.yaml/b.yml/spike", ("/a.yaml/b.yml", "spike")),
        ("suite.yml/spike", ("suite.yml", "spike")),
    ],
)
def test_splits_suite_and_scenario(text: str, parts: tuple[str, str | None]) -> None:
    assert split_target(text) == parts


@pytest.mark.parametrize("text", ["", "/", "/spike", "orfeas/", "a/b/c"])
def test_what_is_no_suite_is_bad_usage(text: str) -> None:
    with pytest.raises(UsageError, match="no suite"):
        split_target(text)


def test_an_unknown_suite_names_the_near_one(write: Write, tmp_path: Path) -> None:
    write(name="orfeas.yaml")
    with pytest.raises(ConfigError, match="no suite 'orfaes'") as caught:
        find_suite("orfaes", [tmp_path, tmp_path / "absent"])
    assert "did you mean 'orfeas'" in caught.value.remedy


def test_scenario_names_leave_out_what_cannot_be_read(write: Write, tmp_path: Path) -> None:
    write(name="good.yaml")
    write("scenarios: [", name="broken.yaml")
    write("extends: good\nscenarios: {calm: null}\n", name="small.yaml")
    assert scenario_names([tmp_path]) == ["good/calm", "good/burst", "small/burst"]
