"""The files of Grafana and Prometheus: what their formats know, and queries that promtool reads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from ..conftest import system_program

ROOT = Path(__file__).resolve().parents[2]
GRAFANA, PROMETHEUS = ROOT / "config" / "grafana", ROOT / "config" / "prometheus"
DASHBOARD = GRAFANA / "dashboards" / "run.json"
# An annotation asks its data source, whose own fields the dashboard's format leaves open.
OF_THE_SOURCE = {"step", "titleFormat", "textFormat"}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def unknown(said: Any, known: Any, path: str = "") -> Iterator[str]:
    """What is in the first and not, or otherwise, in the second."""
    if isinstance(said, dict):
        for key, value in said.items():
            if isinstance(known, dict) and key in known:
                yield from unknown(value, known[key], f"{path}.{key}")
            elif not (path.startswith(".annotations.list") and key in OF_THE_SOURCE):
                yield f"{path}.{key}"
    elif isinstance(said, list):
        for number, value in enumerate(said):
            yield from unknown(value, known[number], f"{path}.{number}")
    elif said != known:
        yield path


def test_grafana_s_own_format_knows_everything_in_the_dashboard() -> None:
    register_default_plugins()
    said = dashboard()
    assert list(unknown(said, json.loads(JSONEncoder().encode(Dashboard.from_json(said))))) == []
    said["panels"][0]["fieldConfig"]["defaults"]["unti"] = "s"
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(said)))
    assert list(unknown(said, known)) == [".panels.0.fieldConfig.defaults.unti"]


def test_panels_have_their_own_place_and_number() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for at in (panel["gridPos"] for panel in panels)
    ]
    assert sum(map(len, places)) == len(set().union(*places))
    assert max(x for place in places for x, _ in place) < 24


def test_the_data_source_is_provisioned_that_every_panel_asks() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/run.yaml").read_text())["providers"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    said = dashboard()
    asked = [*said["panels"], *said["annotations"]["list"], *said["templating"]["list"]]
    asked += [target for panel in said["panels"] for target in panel["targets"]]
    assert {each["datasource"]["uid"] for each in asked} == {source["uid"]}
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    assert mounts["./config/grafana/dashboards"] == provider["options"]["path"]
    host, port = source["url"].removeprefix("http://").split(":")
    assert services["prometheus"]["network_mode"] == f"service:{host}"
    assert any(word.endswith(f":{port}") for word in services["prometheus"]["command"])


@pytest.mark.processes
def test_promtool_reads_every_query(tmp_path: Path) -> None:
    said = dashboard()
    queries = [target["expr"] for panel in said["panels"] for target in panel["targets"]]
    queries += [each["expr"] for each in said["annotations"]["list"]]
    rules = [
        {"record": f"query{number}", "expr": query.replace("$__rate_interval", "4s")}
        for number, query in enumerate(queries)
    ]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
    promtool = system_program("promtool")
    for words in (
        ["check", "config", str(PROMETHEUS / "stack.yml")],
        ["check", "config", str(PROMETHEUS / "prometheus.yml")],
        ["check", "rules", "--lint=all", "--lint-fatal", str(PROMETHEUS / "run.rules.yml")],
        ["check", "rules", str(tmp_path / "queries.yml")],
    ):
        done = subprocess.run([promtool, *words], capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(queries)} rules found" in done.stdout
