"""A scenario's capacity: what it reads, what it refuses in one line, what a run records of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from genload import extensions
from genload.errors import ConfigError
from genload.settings.capacity import RateSearch, UserSearch
from genload.settings.loader import load_suite
from genload.settings.scaling import scale
from genload.settings.suite import Suite

USERS = (
    "{of: users, from: 2, to: 32, step: {settle: 30s, measure: 2min, at_least: 60 requests}, holds: [fast]}"
)
RATE = "{of: rate, from: 20/h, to: 200/h, step: {settle: 5min, measure: 20min}, holds: [fast], drain: true}"
HEAD = "extends: orfeas\nscenarios:\n  search:\n    capacity: "
TAIL = "\n    criteria:\n      fast: generate.duration.p95 < 100s\n"


def loaded(folder: Path, capacity: str, more: str = "") -> Suite:
    file = folder / "mine.yaml"
    file.write_text(HEAD + capacity + TAIL + more)
    return load_suite(str(file), folders=extensions.suite_folders(), wings=extensions.Wings()).suite


def test_it_stands_in_the_place_of_a_shape_and_has_a_criterion_of_its_own(tmp_path: Path) -> None:
    scenario = loaded(tmp_path, USERS).scenarios["search"]
    assert isinstance(scenario.capacity, UserSearch)
    assert (scenario.capacity.lowest, scenario.capacity.highest) == (2, 32)
    assert scenario.capacity.step.at_least == 60
    assert scenario.criteria["capacity"].holds == "capacity.users >= 2"
    timeline = extensions.Wings().timeline(scenario.shape)
    assert [(phase.name, phase.users) for phase in timeline.phases] == [
        ("level1_settling", 2),
        ("level1", 2),
        ("level1_ending", 2),
    ]
    assert timeline.max_users == 32  # whoever looks how many there may be


@pytest.mark.parametrize("capacity", [USERS, RATE])
def test_what_a_run_records_of_it_is_read_back(tmp_path: Path, capacity: str) -> None:
    suite = loaded(tmp_path, capacity)
    dumped = suite.model_dump(mode="json")
    for context in (None, {"wings": extensions.Wings()}):
        again = Suite.model_validate(dumped, context=context)
        assert again.scenarios["search"].capacity == suite.scenarios["search"].capacity
        assert again.model_dump(mode="json")["scenarios"]["search"] == dumped["scenarios"]["search"]


def test_time_is_scaled_in_the_capacity_and_in_its_shape_alike(tmp_path: Path) -> None:
    scaled = scale(loaded(tmp_path, RATE), 0.1, extensions.Wings()).scenarios["search"]
    assert isinstance(scaled.capacity, RateSearch)
    assert scaled.capacity.step.measure_s == pytest.approx(120)
    assert scaled.capacity.lowest == pytest.approx(200 / 3600)
    assert getattr(scaled.shape, "capacity") == scaled.capacity  # noqa: B009  a wing's own field


def test_an_extended_scenario_takes_its_shape_out_for_a_capacity(tmp_path: Path) -> None:
    suite = loaded(
        tmp_path, USERS, "  peak: {shape: null, capacity: " + USERS.replace("fast", "error_rate_ok") + "}\n"
    )
    assert suite.scenarios["peak"].capacity is not None


WRONG = {
    "from 8": ("from is larger than to", USERS.replace("from: 2", "from: 64"), ""),
    "criterion": ("no criterion 'quick'", USERS.replace("[fast]", "[quick]"), ""),
    "nothing to hold": ("holds names nothing", USERS.replace("[fast]", "[]"), ""),
    "kind": ("capacity of 'files'", USERS.replace("of: users", "of: files"), ""),
    "nothing measured": ("measured for no time", USERS.replace("measure: 2min", "measure: 0s"), ""),
    "shape too": ("a shape or a capacity", USERS, "    shape: {kind: peak}\n"),
    "too much": ("more than the highest level", USERS, "      eight: capacity.users >= 64\n"),
    "by phase": (
        "cannot be said of a level",
        USERS.replace("fast", "slow"),
        "      slow: generate.error_rate{phase=level1} < 1%\n",
    ),
    "by time": (
        "cannot be said of a level",
        USERS.replace("fast", "slow"),
        "      slow: generate.error_rate{last(1s)} < 1%\n",
    ),
    "of a machine": (
        "cannot be said of a level",
        USERS.replace("fast", "slow"),
        "      slow: server.cpu.mean < 90%\n",
    ),
    "of strata": (
        "cannot be said of a level",
        USERS.replace("fast", "slow"),
        '      slow: "each(phase): generate.error_rate < 1%"\n',
    ),
    "another's metric": (
        "unknown metric 'capacity.arrivals'",
        USERS,
        "      rate: capacity.arrivals >= 1/min\n",
    ),
    "no rate": ("has the wrong unit", RATE.replace("20/h", "20"), ""),
    "no rate at all": ("'from' is missing", RATE.replace("from: 20/h, ", ""), ""),
    "unknown key": ("unknown key 'form'", RATE.replace("from: 20/h", "from: 20/h, form: 3"), ""),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    message, capacity, more = WRONG[what]
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, capacity, more)
    assert message in refused.value.render().splitlines()[0]
    assert "→" in refused.value.render()
    assert len(refused.value.render().splitlines()) == 2


def test_populations_have_no_capacity(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "extends: orfeas\nscenarios:\n  two:\n"
        "    shape: {kind: phases, phases: [{name: a, duration: 1min, users: {x: 1}}]}\n"
        f"    populations:\n      x: {{capacity: {USERS}}}\n"
    )
    with pytest.raises(ConfigError, match="a capacity is that of one kind of users alone"):
        load_suite(str(file), folders=extensions.suite_folders(), wings=extensions.Wings())


def test_a_scenario_without_a_shape_and_a_capacity_lacks_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("extends: orfeas\nscenarios:\n  none: {purpose: nothing}\n")
    with pytest.raises(ConfigError, match="'shape' is missing"):
        load_suite(str(file), folders=extensions.suite_folders(), wings=extensions.Wings())
