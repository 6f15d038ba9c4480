"""Monitors of a suite by names of its own, several of one kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload.errors import ConfigError
from genload.settings.suite import Suite
from genload.settings.wing_models import WingModels

from .conftest import Page

Write = Callable[..., Path]
Load = Callable[..., Suite]

REST = """\
service: {api: jobs}
locustfile: generation3d
scenarios:
  calm: {shape: {kind: steady}}
"""
TWO = "monitors: {llm: {kind: page, interval: 2s}, page: {timeout: 3s}}\n" + REST


def kinds(suite: Suite) -> dict[str, str]:
    return {name: monitor.kind for name, monitor in suite.monitors.items()}


def test_a_name_is_its_kind_unless_another_is_said(write: Write, load: Load) -> None:
    suite = load(write(TWO.replace("3s}}", "3s}, host: }")))
    assert list(kinds(suite).items()) == [("llm", "page"), ("page", "page"), ("host", "host")]
    assert isinstance(suite.monitors["llm"], Page) and isinstance(suite.monitors["page"], Page)
    assert (suite.monitors["llm"].interval_s, suite.monitors["page"].timeout_s) == (2.0, 3.0)


def test_kinds_survive_a_dump_and_older_ones_are_read(write: Write, load: Load, wings: WingModels) -> None:
    suite = load(write(TWO))
    written = suite.model_dump(mode="json")
    assert Suite.model_validate(written, context={"wings": wings}) == suite
    kept = Suite.model_validate(written)
    assert kept.model_dump(mode="json") == written and kinds(kept) == {"llm": "page", "page": "page"}
    for monitor in written["monitors"].values():
        del monitor["kind"]
    assert kinds(Suite.model_validate(written)) == {"llm": "llm", "page": "page"}


@pytest.mark.parametrize(
    ("over", "monitors"),
    [
        ("{llm: {interval: 9s}}", {"llm": ("page", 9.0), "page": ("page", 1.0)}),
        ("{llm: null}", {"page": ("page", 1.0)}),
        ("{page: {kind: page, interval: 4s}}", {"llm": ("page", 2.0), "page": ("page", 4.0)}),
        ("{third: {kind: host}}", {"llm": ("page", 2.0), "page": ("page", 1.0), "third": ("host", 1.0)}),
    ],
)
def test_a_layer_changes_removes_and_adds(
    write: Write, load: Load, over: str, monitors: dict[str, tuple[str, float]]
) -> None:
    write(TWO, name="base.yaml")
    suite = load(write(f"extends: base\nmonitors: {over}\n"))
    found = {name: (monitor.kind, monitor.interval_s) for name, monitor in suite.monitors.items()}
    assert found == monitors
    assert list(found) == list(monitors)


@pytest.mark.parametrize("name", ["llm", "page"])
def test_another_kind_replaces_the_whole_monitor(write: Write, load: Load, name: str) -> None:
    """`page` says no kind below, and has one all the same."""
    write(TWO, name="base.yaml")
    suite = load(write(f"extends: base\nmonitors: {{{name}: {{kind: host}}}}\n"))
    assert suite.monitors[name].model_dump() == {"kind": "host", "interval": "1s"}


def test_overrides_reach_a_monitor_by_its_name(write: Write, load: Load) -> None:
    path = write(TWO)
    suite = load(path, "monitors.llm.timeout=7s", "monitors.new={kind: page}", "monitors.page=null")
    assert kinds(suite) == {"llm": "page", "new": "page"}
    assert isinstance(suite.monitors["llm"], Page) and suite.monitors["llm"].timeout_s == 7.0
    assert kinds(load(path, "monitors.llm.kind=host"))["llm"] == "host"
    with pytest.raises(ConfigError) as caught:
        load(path, "monitors.llm.timout=7s")
    assert (caught.value.key, "did you mean 'timeout'" in caught.value.remedy) == (
        "monitors.llm.timout",
        True,
    )


@pytest.mark.parametrize(
    ("monitors", "key", "message", "remedy"),
    [
        ("{llm: {kind: pgae}}", "monitors.llm.kind", "no 'pgae' in monitors/", "use one of: page, host"),
        ("{llm: {}}", "monitors.llm", "no 'llm' in monitors/", "or say which of them it is, as kind:"),
        ("{llm: {kind: 5}}", "monitors.llm.kind", "valid string", "write a text"),
        ("{llm: {kind: page, intervl: 1s}}", "monitors.llm.intervl", "unknown key", "'interval'"),
        ("{a.b: {kind: page}}", "monitors.a.b", "cannot be a name here", "letters"),
    ],
)
def test_errors_name_the_monitor(
    write: Write, load: Load, monitors: str, key: str, message: str, remedy: str
) -> None:
    path = write(f"monitors:\n  {monitors}\n{REST}")
    with pytest.raises(ConfigError) as caught:
        load(path)
    error = caught.value
    assert (error.file, error.key) == (str(path), key), error.render()
    assert message in error.message and remedy in error.remedy, error.render()
