"""Everything wrong with a suite: where it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genload.errors import CollectedConfigError, ConfigError
from genload.settings.loader import load_suite
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels

Write = Callable[..., Path]
Load = Callable[..., Suite]

HEAD = "service: {api: jobs}\nlocustfile: generation3d\nscenarios:\n"
CALM = "  calm:\n    shape: {kind: steady}\n"
SUITE = HEAD + CALM
TAIL = "locustfile: generation3d\nscenarios:\n" + CALM


def shape(settings: str) -> str:
    """A suite whose shape stands on line 5."""
    return f"{HEAD}  calm:\n    shape: {settings}\n"


def scenario(entry: str) -> str:
    """A suite with an entry of its scenario on line 6."""
    return f"{SUITE}    {entry}\n"


def criterion(entry: str) -> str:
    """A suite with a criterion on line 7."""
    return f"{SUITE}    criteria:\n      {entry}\n"


def monitor(entry: str) -> str:
    """A suite with an entry of a monitor on line 3."""
    return f"monitors:\n  page:\n    {entry}\n{SUITE}"


def service(entry: str) -> str:
    """A suite with an entry of its service on line 3."""
    return f"service:\n  api: jobs\n  {entry}\n{TAIL}"


# What, text, line, key, part of the message, part of the remedy.
C = "scenarios.calm"
X = "scenarios.calm.criteria.x"
WRONG: list[tuple[str, str, int, str, str, str]] = [
    ("key", SUITE + "servce: 1\n", 6, "servce", "unknown key", "'service'"),
    ("extend", SUITE + "extend: base\n", 6, "extend", "unknown key", "'extends'"),
    ("goodput", scenario("goodput: {duraton: 5s}"), 6, f"{C}.goodput", "has a 'duraton'", "that limit"),
    (
        "goodput's unit",
        scenario("goodput: {duration: 5%}"),
        6,
        f"{C}.goodput",
        "a time such as",
        "that limit",
    ),
    (
        "goodput's text",
        scenario("goodput: {duration: soon}"),
        6,
        f"{C}.goodput.duration",
        "'soon' is",
        "suites.md",
    ),
    (
        "goodput without limits",
        criterion("x: generate.goodput > 5%"),
        7,
        X,
        "goodput without a limit",
        "goodput: {duration: 5s}",
    ),
    ("shape's key", shape("{kind: steady, user: 3}"), 5, f"{C}.shape.user", "unknown key", "'users'"),
    (
        "name in code",
        scenario("failure_pause_s: 3s"),
        6,
        f"{C}.failure_pause_s",
        "unknown",
        "'failure_pause'",
    ),
    ("missing", "service: {api: jobs}\nscenarios:\n" + CALM, 1, "locustfile", "is missing", "add it"),
    ("no kind", shape("{users: 3}"), 5, f"{C}.shape.kind", "is missing", "add it"),
    ("no shape", HEAD + "  calm: {}\n", 4, f"{C}.shape", "is missing", "add it"),
    ("unknown kind", shape("{kind: stedy}"), 5, f"{C}.shape", "no 'stedy'", "steady"),
    ("unknown monitor", "monitors: {pge: {}}\n" + SUITE, 1, "monitors.pge", "no 'pge'", "page"),
    (
        "fact of no monitor",
        "monitors: {page: {}}\n" + service("identity: {gpu: {monitor: pgae}}"),
        4,
        "service.identity.gpu.monitor",
        "the suite has no monitor 'pgae'",
        "did you mean 'page'? known: page; or add it under monitors",
    ),
    ("monitor's key", monitor("intervl: 1s"), 3, "monitors.page.intervl", "unknown", "'interval'"),
    ("monitor's unit", monitor("interval: 1"), 3, "monitors.page.interval", "unit", "90s"),
    ("unknown report", "reports: [junit, htlm]\n" + SUITE, 1, "reports", "no 'htlm'", "junit"),
    ("no unit", scenario("think: 5"), 6, f"{C}.think", "wrong unit, or none", "90s"),
    ("wrong unit", scenario("failure_pause: 5MB"), 6, f"{C}.failure_pause", "wrong unit", "90s"),
    ("unknown unit", scenario("think: {min: 5m, max: 1h}"), 6, f"{C}.think.min", "unknown unit 'm'", "90s"),
    ("span", scenario("think: {min: 5s, max: 2s}"), 6, f"{C}.think", "min is larger", "docs"),
    ("no number", shape("{kind: steady, users: many}"), 5, f"{C}.shape.users", "integer", "whole"),
    ("too small", shape("{kind: steady, users: 0}"), 5, f"{C}.shape.users", "greater", "larger"),
    ("nothing below", HEAD, 3, "scenarios", "dict", "keys"),
    ("no scenario", HEAD.replace("scenarios:", "scenarios: {}"), 3, "scenarios", "at least 1", "see docs"),
    (
        "scenario's name",
        HEAD + "  a/b: {shape: {kind: steady}}\n",
        4,
        "scenarios.a/b",
        "cannot be",
        "letters",
    ),
    ("overall", criterion("overall: a < 1"), 7, f"{C}.criteria.overall", "the verdict's own", "another"),
    ("syntax", criterion("x: generate.attempted >"), 7, X, "column 21", "number"),
    ("no criterion", criterion("x: 5"), 7, X, "is a text", "holds"),
    ("holds", criterion("x: {must: false}"), 7, f"{X}.holds", "is missing", "add it"),
    ("must", criterion("x: {must: maybe, holds: a < 1}"), 7, f"{X}.must", "boolean", "true"),
    ("own request", scenario("request: {qualty: 5}"), 6, f"{C}.request.qualty", "unknown", "'quality'"),
    ("own request's value", scenario("request: {quality: x}"), 6, f"{C}.request.quality", "integer", "whole"),
    ("own request is none", scenario("request: 5"), 6, f"{C}.request", "dictionary", "keys"),
    ("label", criterion("x: 'generate.failed{grad=a} < 1'"), 7, X, "unknown label 'grad'", "'grade'"),
    ("label's value", criterion("x: 'generate.failed{grade=c} < 1'"), 7, X, "unknown grade 'c'", "a, b"),
    ("each label", criterion("x: 'each(grad): generate.failed < 1'"), 7, X, "unknown label", "'grade'"),
    ("metric", criterion("x: generate.duraton.p95 < 1s"), 7, X, "unknown metric", "'generate.duration'"),
    ("phase", criterion("x: generate.failed{phase=spike} < 1"), 7, X, "unknown phase 'spike'", "steady"),
    (
        "shape as a whole",
        shape("{kind: steady, ramp: 2h}"),
        5,
        f"{C}.shape",
        "no time at full load",
        "change",
    ),
    ("host", service("host: gpu1"), 3, "service.host", "scheme", "http://"),
    ("password", service("host: http://me:pw@gpu1"), 3, "service.host", "user's name", "header"),
    (
        "secret",
        service("headers: {X-API-Key: pw}"),
        3,
        "service.headers",
        "in clear",
        "X-API-Key: ${env:NAME}",
    ),
    (
        "reference",
        service("headers: {X: '${enw:N}'}"),
        3,
        "service.headers.X",
        "'${enw:N}' is no",
        "${env:NAME}",
    ),
    ("key twice", SUITE + "  calm: {}\n", 6, "calm", "twice, first on line 4", "one of them"),
    ("number as key", HEAD + "  5.5: {}\n", 4, "", "the key 5.5 is no text", "quotes"),
    ("list as key", HEAD + "  ? [a]\n  : 1\n", 4, "", "is no text", "quotes"),
    ("tag", HEAD + "  calm: !!python/object:os.system {}\n", 4, "", "tag", "plain"),
    ("needs quotes", criterion("x: each(phase): a < 1"), 7, "", "not valid YAML", "quotes"),
    ("brackets", SUITE + "reports: [junit\n", 7, "", "not valid YAML", "must stand in quotes"),
    ("tab", HEAD + "\tcalm: {}\n", 4, "", "not valid YAML", "spaces"),
    ("two documents", SUITE + "---\na: 1\n", 6, "", "not valid YAML", "one suite"),
    ("alias without anchor", HEAD + "  calm: *gone\n", 4, "", "undefined alias", "check"),
    ("alias in its anchor", "a: &a [*a]\n", 1, "", "alias to itself", "out"),
    ("merge of a text", "a: {<<: text}\n", 1, "", "takes a mapping", "<<: *anchor"),
    ("list", "- a\n", 1, "", "is no mapping", "orfeas.yaml"),
    ("text", "hello\n", 1, "", "is no mapping", "orfeas.yaml"),
    ("empty", "", 1, "", "is empty", "orfeas.yaml"),
    ("comment alone", "# nothing\n", 1, "", "is empty", "orfeas.yaml"),
    ("extends a list", "extends: [a]\n", 1, "extends", "a suite's name", "extends: orfeas"),
    ("extends no path", 'extends: "a\\0.yaml"\n', 1, "extends", "a suite's name", "extends: orfeas"),
    ("extends no name", f"extends: {'x' * 300}\n", 1, "extends", "no suite 'xx", "mine"),
    ("extends nothing", "extends: basis\n", 1, "extends", "no suite 'basis'", "mine"),
]


@pytest.mark.parametrize(
    ("what", "text", "line", "key", "message", "remedy"), WRONG, ids=[w[0] for w in WRONG]
)
def test_error_names_file_line_key_and_remedy(
    write: Write, load: Load, what: str, text: str, line: int, key: str, message: str, remedy: str
) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    error = caught.value
    assert (error.file, error.line, error.key) == (str(path), line, key), error.render()
    assert message in error.message and remedy in error.remedy, error.render()
    assert error.render().startswith(f"{path}:{line}")
    assert "pw" not in error.render().replace(str(path), "")


def test_an_absent_file_and_a_folder_are_named(load: Load, tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    for name in ("absent.yaml", "folder.yaml"):
        with pytest.raises(ConfigError, match="cannot be read") as caught:
            load(tmp_path / name)
        assert caught.value.file == str(tmp_path / name)


def test_all_errors_are_listed_first_line_first(write: Write, load: Load) -> None:
    path = write(
        "service: {api: jobs, timeout: 5}\nlocustfile: gone\nmonitors:\n  page: {intervl: 1s}\n  hst: {}\n"
        "scenarios:\n  calm:\n    shape: {kind: steady, users: x}\n    criteria: {a: 'b <', c: d}\n"
    )
    with pytest.raises(CollectedConfigError) as caught:
        load(path)
    errors = caught.value.errors
    assert [(e.line, e.key) for e in errors] == [
        (1, "service.timeout"),
        (2, "locustfile"),
        (4, "monitors.page.intervl"),
        (5, "monitors.hst"),
        (8, "scenarios.calm.shape.users"),
        (9, "scenarios.calm.criteria.a"),
        (9, "scenarios.calm.criteria.c"),
    ]
    assert caught.value.render().count("→") == 7
    assert (caught.value.line, caught.value.key) == (1, "service.timeout")


def test_a_wrong_request_of_one_scenario_hides_no_other_error(write: Write, load: Load) -> None:
    path = write(
        f"{HEAD}  calm:\n    request: {{qualty: 5}}\n    shape: {{kind: stedy}}\n    criteria: {{a: 'b <'}}\n"
    )
    with pytest.raises(CollectedConfigError) as caught:
        load(path)
    assert [(e.line, e.key) for e in caught.value.errors] == [
        (5, "scenarios.calm.request.qualty"),
        (6, "scenarios.calm.shape"),
        (7, "scenarios.calm.criteria.a"),
    ]


def test_a_wrong_request_of_the_service_is_told_once(write: Write, load: Load) -> None:
    text = SUITE.replace("{api: jobs}", "{api: jobs, request: {quality: x}}") + "    request: {grades: [c]}\n"
    with pytest.raises(ConfigError) as caught:
        load(write(text))
    assert not isinstance(caught.value, CollectedConfigError)
    assert (caught.value.line, caught.value.key) == (1, "service.request.quality")


def test_an_error_in_an_extended_suite_names_that_file(write: Write, load: Load) -> None:
    base = write(HEAD + CALM + "    think: 5\n", name="base.yaml")
    with pytest.raises(ConfigError) as caught:
        load(write("extends: base\npurpose: x\n"))
    assert (caught.value.file, caught.value.line) == (str(base), 6)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
keys = st.sampled_from(
    ["service", "locustfile", "monitors", "scenarios", "reports", "settle", "name", "extends"]
)


def test_a_file_whose_name_is_none_for_a_suite_says_so(write: Write, load: Load) -> None:
    path = write(SUITE, name="my suite.yaml")
    with pytest.raises(ConfigError, match="cannot name a folder") as caught:
        load(path)
    assert caught.value.file == str(path) and "write name:" in caught.value.remedy
    assert load(write(f"name: mine\n{SUITE}", name="my suite.yaml")).name == "mine"


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=st.dictionaries(keys, documents, max_size=6))
def test_any_mapping_is_a_suite_or_a_config_error(
    write: Write, tmp_path: Path, wings: WingModels, document: dict[str, Any]
) -> None:
    path = write(yaml.safe_dump(document, allow_unicode=True))
    with pytest.raises(ConfigError) as caught:
        load_suite(str(path), folders=[tmp_path], wings=wings)
    assert caught.value.render()
