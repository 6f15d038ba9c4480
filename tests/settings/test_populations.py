"""Several populations in one scenario: what each has from the suite, and what does not fit together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload import extensions
from genload.errors import ConfigError
from genload.settings.loader import load_suite
from genload.settings.parts import parts_of
from genload.settings.scaling import scale
from genload.settings.suite import Suite

WINGS = extensions.Wings()
TENANTS = """\
service: {api: orfeas, host: http://gpu1:5000, request: {quality: 5}}
locustfile: generation3d
reconcile: {completed: prom.jobs_done}
goodput: {duration: 90s}
monitors:
  exposition: {interval: 5s}
scenarios:
  neighbours:
    purpose: What do they do to each other?
    shape:
      kind: phases
      phases:
        - {name: alone, duration: 5min, users: {speech: 12}}
        - {name: together, duration: 10min, users: {generation3d: 4, speech: 12}}
    populations:
      generation3d:
        think: 20s
        criteria: {few_errors: generate.error_rate < 5%}
      speech:
        service: {api: speech, timeout: 30s, request: {dialect: openai}}
        locustfile: speech
        criteria:
          as_before: speech.ttfa.p95{phase=together} <= 150% of speech.ttfa.p95{phase=alone}
"""
Load = Callable[..., Suite]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str = TENANTS, *overrides: str, host: str | None = None) -> Suite:
        path = tmp_path / "tenants.yaml"
        path.write_text(text, encoding="utf-8")
        return load_suite(str(path), folders=[tmp_path], wings=WINGS, overrides=overrides, host=host).suite

    return load


def errors_of(load: Load, text: str) -> list[tuple[str, int | None, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load(text)
    each = getattr(caught.value, "errors", [caught.value])
    return [(error.key, error.line, error.message, error.remedy) for error in each]


def test_each_population_has_what_it_says_and_the_rest_from_the_suite(load: Load) -> None:
    jobs, speech = parts_of(load(), "neighbours")
    assert (jobs.population, speech.population) == ("generation3d", "speech")
    assert jobs.suite.service == load().service and jobs.suite.locustfile == "generation3d"
    assert (speech.suite.service.api, speech.suite.locustfile) == ("speech", "speech")
    assert speech.suite.service.host == "http://gpu1:5000"  # it says none
    assert speech.suite.service.timeout_s == 30
    assert jobs.load.think is not None and speech.load.think is None
    assert [*jobs.load.criteria, *speech.load.criteria] == ["few_errors", "as_before"]
    assert jobs.load.purpose == speech.load.purpose == "What do they do to each other?"
    assert not jobs.load.populations


def test_phases_are_common_and_the_counts_each_ones_own(load: Load) -> None:
    suite = load()
    jobs, speech = (WINGS.timeline(part.load.shape) for part in parts_of(suite, "neighbours"))
    both = WINGS.timeline(suite.scenarios["neighbours"].shape)
    assert [phase.users for phase in jobs.phases] == [0, 4]
    assert [phase.users for phase in speech.phases] == [12, 12]
    assert [phase.users for phase in both.phases] == [12, 16]
    for timeline in (jobs, speech, both):
        assert [(p.name, p.duration_s) for p in timeline.phases] == [("alone", 300), ("together", 600)]


def test_what_is_said_of_the_suites_service_is_not_said_of_another(load: Load) -> None:
    jobs, speech = parts_of(load(), "neighbours")
    assert jobs.suite.reconcile.completed and jobs.suite.goodput
    assert not speech.suite.reconcile.completed and not speech.suite.goodput


def test_a_request_in_part_is_laid_on_the_populations_own_service(load: Load) -> None:
    text = TENANTS.replace("think: 20s", "request: {format: obj}")
    suite = load(text, "scenarios.neighbours.populations.speech.request.format=mp3")
    jobs, speech = parts_of(suite, "neighbours")
    assert jobs.suite.service_of("neighbours").request.model_dump()["quality"] == 5
    assert jobs.suite.service_of("neighbours").request.model_dump()["format"] == "obj"
    assert speech.suite.service_of("neighbours").request.model_dump()["format"] == "mp3"


def test_a_resolved_suite_loads_again_with_and_without_wings(load: Load) -> None:
    suite = load()
    written = suite.model_dump(mode="json")
    assert Suite.model_validate(written, context={"wings": WINGS}) == suite
    again = Suite.model_validate(written)
    assert again.model_dump(mode="json") == written
    alone = again.narrowed("neighbours", "speech").model_dump(mode="json")
    assert alone == suite.narrowed("neighbours", "speech").model_dump(mode="json")
    assert Suite.model_validate(alone).model_dump(mode="json") == alone


def test_the_time_scale_is_for_every_population(load: Load) -> None:
    scaled = scale(load(), 0.1, WINGS)
    jobs, speech = parts_of(scaled, "neighbours")
    assert [WINGS.timeline(part.load.shape).duration_s for part in (jobs, speech)] == [90, 90]
    assert WINGS.timeline(scaled.scenarios["neighbours"].shape).duration_s == 90
    assert jobs.load.think is not None and jobs.load.think.max_s == 2
    assert speech.suite.service.timeout_s == 3


def test_an_open_population_beside_one_of_users(load: Load) -> None:
    stages = "[{name: alone, duration: 5min, rate: 0/min}, {name: together, duration: 10min, rate: 6/min}]"
    text = TENANTS.replace("think: 20s", f"shape: {{kind: arrivals, stages: {stages}}}")
    suite = load(text.replace("{generation3d: 4, speech: 12}", "{speech: 12}")).of_run("neighbours", 7)
    jobs, speech = (WINGS.timeline(part.load.shape) for part in parts_of(suite, "neighbours"))
    assert jobs.arrivals and jobs.phases[0].arrivals == 0
    assert speech.arrivals is None and [phase.users for phase in speech.phases] == [12, 12]


def test_the_address_of_the_command_line_is_for_populations_without_their_own(load: Load) -> None:
    suite = load(host="http://gpu2:5000")
    hosts = [part.suite.service.host for part in parts_of(suite, "neighbours")]
    assert hosts == ["http://gpu2:5000"] * 2


@pytest.mark.parametrize(
    ("old", "new", "key", "message", "remedy"),
    [
        (
            "    purpose: What",
            "    think: 5s\n    purpose: What",
            "scenarios.neighbours.think",
            "a scenario with populations has none of its own: each population has",
            "write it below populations.generation3d, and whichever others it is for",
        ),
        (
            "{speech: 12}}",
            "{speach: 12}}",
            "scenarios.neighbours.shape",
            "the scenario has no population 'speach'",
            "did you mean 'speech'",
        ),
        (
            "{generation3d: 4, speech: 12}",
            "{speech: 12}",
            "scenarios.neighbours.populations.generation3d",
            "the scenario's shape does not count the users of generation3d",
            "name it in the users of each phase of a shape of kind phases, as in users: {generation3d: 4}",
        ),
        (
            "{api: speech,",
            "{api: speach,",
            "scenarios.neighbours.populations.speech.service.request",
            "no 'speach' in services/",
            "speech",
        ),
        (
            "locustfile: speech",
            "locustfile: speach",
            "scenarios.neighbours.populations.speech.locustfile",
            "no 'speach' in locustfiles/",
            "speech",
        ),
        (
            "speech.ttfa.p95{phase=together} <=",
            "generate.duration.p95 <=",
            "scenarios.neighbours.populations.speech.criteria.as_before",
            "generate.duration",
            "",
        ),
        (
            "think: 20s",
            "shape: {kind: normal, users: 3, duration: 15min}",
            "scenarios.neighbours.populations.generation3d.shape",
            "its phases (steady 15 min) are not those of the scenario (alone 300 s, together 10 min)",
            "give both the same phases",
        ),
        (
            "think: 20s",
            "shape: {kind: baseline}",
            "scenarios.neighbours.populations.generation3d.shape",
            "a load that counts its requests has no time in common with another population's",
            "take a shape whose phases have a duration",
        ),
        (
            "think: 20s",
            "idle: 20s",
            "scenarios.neighbours.populations.generation3d.idle",
            "a cold start is of one service alone",
            "put it into a scenario of its own",
        ),
        (
            "think: 20s",
            "thinks: 20s",
            "scenarios.neighbours.populations.generation3d.thinks",
            "unknown key 'thinks'",
            "think",
        ),
        (
            "users: {speech: 12}}",
            "users: 12}",
            "scenarios.neighbours.shape",
            "some phases say how many users, and others of which population",
            "write users of each phase in the same way",
        ),
    ],
)
def test_errors_have_their_line_and_key(
    load: Load, old: str, new: str, key: str, message: str, remedy: str
) -> None:
    text = TENANTS.replace(old, new, 1)
    found = errors_of(load, text)
    assert len(found) == 1, found
    assert found[0][0] == key
    assert message in found[0][2]
    assert remedy in found[0][3]
    assert text.splitlines()[(found[0][1] or 1) - 1].strip()


def test_a_shape_of_phases_without_populations(load: Load) -> None:
    text = TENANTS[: TENANTS.index("scenarios:")] + "scenarios:\n  up:\n    observe: true\n    shape: "
    phases = "[{name: few, duration: 1min, users: 2}, {name: many, duration: 2min, users: 9}]"
    suite = load(text + f"{{kind: phases, phases: {phases}}}\n")
    [part] = parts_of(suite, "up")
    assert part.suite is suite and part.population == ""
    assert [phase.users for phase in WINGS.timeline(part.load.shape).phases] == [2, 9]


def test_where_the_suites_own_service_is_wrong_that_alone_is_said(load: Load) -> None:
    [error] = errors_of(load, TENANTS.replace("{api: orfeas", "{api: orfeis"))
    assert error[0] == "service.request" and "no 'orfeis' in services/" in error[2]
