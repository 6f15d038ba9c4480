"""docs/criteria.md and docs/suites.md: their examples are valid, their names exist."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from genload import extensions
from genload.runlog.error_classes import UNANSWERED
from genload.settings.loader import load_suite
from genload.settings.metrics.machines import MACHINE_METRICS
from genload.settings.metrics.metric import SERIES_STATS, SUMMARY_STATS
from genload.settings.suite import Suite

from .key_table import keys, with_table
from .metric_tables import with_tables

DOCS = Path(__file__).parents[2] / "docs"
SUITES = extensions.builtin_folder("config") / "suites"


def blocks(name: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("text", blocks("suites.md"))
def test_every_suite_in_the_docs_loads(tmp_path: Path, text: str) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(text, encoding="utf-8")
    loaded = load_suite(str(path), folders=[SUITES], wings=extensions.Wings())
    assert "peak" in loaded.suite.scenarios


def test_every_override_in_the_docs_applies() -> None:
    text = (DOCS / "suites.md").read_text(encoding="utf-8")
    overrides = [a or b for a, b in re.findall(r"--set (?:'([^']+)'|([^\s`]+=[^\s`]+))", text)]
    suite = load_suite("orfeas", folders=[SUITES], overrides=overrides, wings=extensions.Wings()).suite
    assert (len(overrides), suite.reports, suite.service.timeout_s) == (5, ("junit",), 120.0)


def test_every_criterion_in_the_docs_fits_a_scenario(tmp_path: Path) -> None:
    (block,) = blocks("criteria.md")
    scenario: dict[str, Any] = yaml.safe_load(block)
    scenario["shape"] = {"before": "10min"}
    path = tmp_path / "example.yaml"
    with_gpu = {"extends": "orfeas", "monitors": {"gpu": {}}, "scenarios": {"spike": scenario}}
    path.write_text(yaml.safe_dump(with_gpu), encoding="utf-8")
    suite = load_suite(str(path), folders=[SUITES], wings=extensions.Wings()).suite
    assert scenario["criteria"].keys() <= suite.scenarios["spike"].criteria.keys()


def test_the_tables_of_metrics_are_current() -> None:
    """After a change to a metric, run this with GENLOAD_WRITE_DOCS=1 set: it writes the tables anew."""
    path = DOCS / "criteria.md"
    written = path.read_text(encoding="utf-8")
    current = with_tables(written)
    if os.environ.get("GENLOAD_WRITE_DOCS"):
        path.write_text(current, encoding="utf-8")
    elif written != current:
        pytest.fail("GENLOAD_WRITE_DOCS=1 writes the tables anew")


def test_the_table_of_keys_is_current() -> None:
    """After a change to a suite's model, run this with GENLOAD_WRITE_DOCS=1 set: it writes the table anew."""
    path = DOCS / "suites.md"
    written = path.read_text(encoding="utf-8")
    current = with_table(written)
    if os.environ.get("GENLOAD_WRITE_DOCS"):
        path.write_text(current, encoding="utf-8")
    elif written != current:
        pytest.fail("GENLOAD_WRITE_DOCS=1 writes the table anew")


def test_every_key_of_the_schema_is_in_the_table_and_says_what_it_is() -> None:
    schema = json.loads((SUITES.parent / "schema" / "suite.schema.json").read_text(encoding="utf-8"))
    told = {key.split(".")[-1] for key, _, _ in keys(Suite)}
    inner = {"service": "Service", "poll": "Poll", "retry": "Retry", "tls": "Tls", "validity": "Validity"}
    inner |= {"settle": "Settle", "give_up": "GiveUp", "scenarios": "Scenario", "warmup": "Warmup"}
    inner |= {"leave": "Leave", "step": "LevelStep"}
    parents = {*inner, "capacity", "checklist", "think", "after", "reconcile", "gpu_hour_cost"}
    in_schema = set(schema["properties"]) - {"extends"}
    for name in inner.values():
        in_schema |= set(schema["$defs"][name]["properties"])
    assert in_schema - parents <= told
    assert [key for key, _, text in keys(Suite) if not text] == []
    text = (DOCS / "suites.md").read_text(encoding="utf-8")
    assert all(f"| `{key}` |" in text for key, _, _ in keys(Suite))


def test_every_metric_and_statistic_is_in_the_docs() -> None:
    text = (DOCS / "criteria.md").read_text(encoding="utf-8")
    wings = extensions.Wings()
    names = {m.name.partition(".")[2] for m in (*MACHINE_METRICS, *wings.request_metrics("orfeas"))}
    words = set(re.findall(r"[a-z_0-9]+", text))
    wanted = {part for name in names for part in name.split(".")}
    assert wanted | set(SUMMARY_STATS) | set(SERIES_STATS) <= words | {"p"}


def test_the_error_classes_of_a_connection_error_are_in_the_docs() -> None:
    text = (DOCS / "criteria.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"`connection_errors` have the error classes `([a-z_\s]+)`", text)
    assert set(told.split()) == UNANSWERED
