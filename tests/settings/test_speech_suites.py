"""The speech suites: the specification's eight scenarios with their own rules, and what the document says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from genload import extensions
from genload.artifacts.inputs.texts import TextSource
from genload.described.speech.dialect import Dialect
from genload.described.speech.dialects import described, dialect_names
from genload.extensions import Wings
from genload.service import Utterance
from genload.settings.known_keys import known_keys
from genload.settings.loader import load_suite
from genload.settings.speech import SpeechRequest
from genload.settings.suite import Suite

SUITES = extensions.builtin_folder("config") / "suites"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "speech-services.md").read_text(encoding="utf-8")

# Scenario: requests, and the rules that the original tests assert.
ORIGINAL: dict[str, tuple[int, set[str]]] = {
    "light": (5, {"speech.success_rate >= 80%", "speech.connection_errors == 0"}),
    "medium": (10, {"speech.success_rate >= 60%"}),
    "heavy": (20, {"speech.success_rate >= 30%", "speech.connection_errors < 50% of speech.attempted"}),
    "rapid_fire": (15, {"speech.completed >= 5"}),
    "mixed_voices": (10, {"each(voice): speech.success_rate >= 1/3"}),
    "varying_lengths": (12, {"each(length): speech.success_rate >= 1/3"}),
    "sustained": (50, {"speech.success_rate >= 40%"}),
    "memory_pressure": (8, {"speech.success_rate >= 1/3"}),
}


def read(name: str) -> Suite:
    return load_suite(name, folders=[SUITES], wings=extensions.Wings()).suite


def spoken(suite: Suite, scenario: str, count: int) -> list[Utterance]:
    request = suite.service_of(scenario).request
    assert isinstance(request, SpeechRequest)
    texts = TextSource(request.texts, request.voices, seed=1, salt="salt")
    return [texts.utterance(number) for number in range(count)]


@pytest.mark.parametrize("scenario", ORIGINAL)
def test_each_scenario_has_its_load_and_its_rules(scenario: str) -> None:
    suite = read("litetts")
    count, rules = ORIGINAL[scenario]
    timeline = extensions.Wings().timeline(suite.scenarios[scenario].shape)
    assert (timeline.iterations or timeline.phases[0].arrivals) == count
    criteria = suite.scenarios[scenario].criteria.values()
    assert {criterion.holds for criterion in criteria if criterion.must} == rules
    # What they meant besides is reported: latency, first audio, real time, playback, and that it is audio.
    besides = " ".join(criterion.holds for criterion in criteria if not criterion.must)
    for metric in (
        "speech.duration.p95",
        "speech.ttfa.p95",
        "speech.rtf.p95",
        "speech.stalls",
        "speech.invalid == 0",
    ):
        assert metric in besides, metric


def test_the_scenarios_are_those_of_the_specification() -> None:
    for name in ("litetts", "kokoro", "demo_speech"):
        whole = [each for each, own in read(name).scenarios.items() if not own.on_demand]
        assert whole == list(ORIGINAL), name


def test_the_texts_are_those_of_the_specification() -> None:
    suite = read("litetts")
    for scenario, words in (
        ("light", "Light"),
        ("medium", "Medium"),
        ("heavy", "Heavy"),
        ("sustained", "Sustained"),
    ):
        assert spoken(suite, scenario, 4)[3].text.startswith(f"{words} load test 3 ")
    assert spoken(suite, "rapid_fire", 1)[0].text.startswith("Rapid fire test 0 ")
    voices = [one.voice for one in spoken(suite, "mixed_voices", 10)]
    assert (voices.count("af_heart"), voices.count("am_puck")) == (5, 5)
    lengths = [len(one.text) for one in spoken(suite, "varying_lengths", 12)]
    assert sorted(lengths) == sorted([5, 50, 246, 320] * 3)
    assert {len(one.text) for one in spoken(suite, "memory_pressure", 8)} == {2800}


def test_the_demo_takes_nothing_back_but_length() -> None:
    full, demo = read("litetts"), read("demo_speech")
    for name, scenario in full.scenarios.items():
        shown = demo.scenarios[name].criteria
        assert shown.keys() >= scenario.criteria.keys()  # and whose words are heard
        for criterion_name, criterion in scenario.criteria.items():
            if criterion.must:
                assert shown[criterion_name] == criterion


def test_a_stream_is_held_to_what_a_listener_notices() -> None:
    for name, scenario in read("kokoro").scenarios.items():
        must = " ".join(criterion.holds for criterion in scenario.criteria.values() if criterion.must)
        assert "speech.ttfa.p95" in must and "speech.invalid == 0" in must, name
        assert "speech.stalls.max == 0" in must or "speech.underrun.p95" in must, name


def test_the_documents_suite_is_one(tmp_path: Path) -> None:
    block, _ = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    path = tmp_path / "example.yaml"
    path.write_text(block, encoding="utf-8")
    suite = load_suite(str(path), folders=[SUITES], wings=extensions.Wings()).suite
    request = suite.service_of("crowd").request
    assert isinstance(request, SpeechRequest)
    assert (request.texts.template, request.texts.lengths) == ("Heavy load test {i}", None)
    assert request.voices == ("af_heart", "am_puck")


def rows(heading: str) -> dict[str, list[str]]:
    """The table under a heading by its first column, backticks left out."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert section
    lines = [line for line in section[1].splitlines() if line.startswith("|")]
    cells = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells if not row[0].startswith("---")}


def test_the_document_knows_every_key_of_the_request() -> None:
    model: Any = extensions.Wings().request("speech")
    names = {field.alias or name for name, field in model.model_fields.items()}
    assert set(rows("The request")) - {"key"} == names


def test_the_document_says_what_the_dialects_are() -> None:
    table = rows("Dialects")
    assert sorted(set(table) - {""}) == dialect_names()
    columns = table[""]
    for name in dialect_names():
        dialect, told = Dialect.model_validate(described(name)), dict(zip(columns, table[name], strict=True))
        ways = dialect.ways
        assert told["service"] == dialect.name
        assert told["formats"] == " ".join(dialect.formats)
        assert told["voice"] == (dialect.voice or "the service's")
        assert told["model"] == (dialect.model or "none")
        assert told["ready"] == dialect.ready.path
        assert told["events"] == ("no" if ways.sse is None else "sse")
        assert told["WebSocket"] == ("no" if ways.websocket is None else "websocket")
        if dialect.streams:
            assert told["streams"] == ("unless told not to" if name == "kokoro" else "always")
        elif ways.raw is None or not ways.raw.streams:
            assert told["streams"] == "never"
        else:
            assert told["streams"].startswith("when told to")
            assert told["streams"].removeprefix("when told to").strip(": ") == " ".join(
                ways.raw.formats or ()
            )


def test_litetts_is_scraped_seldom_and_held_to_its_own_page() -> None:
    suite = read("litetts")
    scrape: Any = suite.monitors["exposition"]
    assert (scrape.interval_s, scrape.timeout_s) == (60.0, 55.0), "a scrape stops it for a second"
    assert scrape.series == {
        "server.memory": "kokoro_memory_usage_bytes",
        "prom.spoken": "kokoro_requests_total",
    }
    assert len(scrape.expects) == 9
    assert all(family.startswith("kokoro_") for family in scrape.expects)
    assert suite.reconcile.completed == "prom.spoken"
    probe: Any = suite.monitors["readiness"]
    assert probe.path == "/v1/models"
    assert 50 < probe.timeout_s < probe.interval_s, "longer than the longest text takes, and a tick each"
    assert suite.service.identity["model"].endpoint == "/v1/models"


@pytest.mark.parametrize("name", ["kokoro", "demo_speech"])
def test_what_is_reconciled_is_scraped(name: str) -> None:
    suite = read(name)
    filled = suite.monitors["exposition"].model_dump()["series"] if "exposition" in suite.monitors else {}
    asked = [metric for metric in suite.reconcile.model_dump().values() if metric is not None]
    assert [metric for metric in asked if metric not in filled] == []


def test_a_key_that_has_another_name_in_code_is_told_by_its_own() -> None:
    suite = {"service": {"api": "speech"}}

    known = known_keys(suite, ("service", "request"), Wings())
    below = known_keys(suite, ("service", "request", "validate"), Wings())

    assert known is not None and "validate" in known and "check" not in known
    assert below is not None and "rate_hz" in below


def test_a_suite_with_the_former_name_of_the_service_file_goes_on_working(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(
        "extends: litetts\nservice: {api: openai_speech, request: {dialect: kokoro}}\n", encoding="utf-8"
    )
    suite = load_suite(str(path), folders=[SUITES], wings=extensions.Wings()).suite
    assert suite.service.retry.max_retries == 0, "what it extends is still of the same service"
    request: Any = suite.service.request
    assert (request.dialect.name, request.voices, request.is_streamed) == (
        "Kokoro-FastAPI",
        ("af_heart",),
        True,
    )
