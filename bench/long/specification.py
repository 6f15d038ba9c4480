"""The specification's five scenarios in real time, 87 minutes: what the plan foretold, and what came.

Jobs of 82 s against the testbed with the slots that let them pass (the suite `demo`, without its speech).
Exit code 1 unless every scenario is valid, each criterion of which the plan says something comes out as it
said, as many jobs were completed as it expected, the records name every job that the testbed's log knows and
no other, and the load generator's memory stayed flat in the longest of them.

    python bench/long/specification.py [--keep DIR] [--scenario NAME …]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from memory_level import stayed_flat

from genload import extensions
from genload.analysis.plan import ScenarioPlan, constant, plan_scenario
from genload.analysis.plan.outlook import Outlook
from genload.commands.demo.testbed import running
from genload.runlog.reader import open_run
from genload.settings.loader import load_suite

SERVICE_S, SLOTS = 82.0, 20
SUITE = """
name: specification
extends: demo
then: []
"""
FORETOLD = {
    Outlook.CANNOT: "fail",
    Outlook.UNLIKELY: "fail",
    Outlook.UNPROVEN: "pass",
    Outlook.LIKELY: "pass",
}
SCENARIOS = ("baseline", "normal", "peak", "spike", "sustained")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the results stay")
    parser.add_argument("--scenario", action="append", help="not all five; repeatable")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = asked.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if _as_foretold(folder, asked.scenario or SCENARIOS) else 1


def _as_foretold(folder: Path, scenarios: Sequence[str]) -> bool:
    path, truth = folder / "specification.yaml", folder / "truth.jsonl"
    path.write_text(SUITE)
    suite = load_suite(str(path), folders=extensions.suite_folders(), wings=extensions.Wings()).suite
    service = constant(SERVICE_S, SLOTS)
    plans = {name: plan_scenario(suite, name, service) for name in scenarios}
    with running(["--slots", str(SLOTS), "--truth", str(truth)]) as url:
        targets = [f"{path}/{name}" for name in plans]
        run = [sys.executable, "-m", "genload", "run", *targets, "--host", url, "--results", str(folder)]
        print(f"genload run: exit code {subprocess.call(run)}", flush=True)
    (directory,) = folder.glob("specification-*")
    held = [_came(directory, plan) for plan in plans.values()]
    held.append(_nothing_lost(directory, list(plans), truth))
    if SCENARIOS[-1] in plans:
        held.append(stayed_flat(directory / SCENARIOS[-1], SCENARIOS[-1]))
    return all(held)


def _came(directory: Path, plan: ScenarioPlan) -> bool:
    """Print how a scenario's end differs from its plan; whether it does not."""
    result: dict[str, Any] = json.loads((directory / f"results_{plan.name}.json").read_text())
    verdict = result["verdict"]
    results = {criterion["name"]: criterion["result"] for criterion in verdict["criteria"]}
    foretold = {
        each.name: FORETOLD[each.outlook] for each in plan.criteria if each.outlook is not Outlook.SILENT
    }
    others = {name: results[name] for name, expected in foretold.items() if results[name] != expected}
    planned, completed = plan.figures.completed, result["successful_requests"]
    near = abs(planned - completed) <= max(1, 0.05 * completed)
    validity = "valid" if verdict["valid"] else "INVALID"
    print(
        f"{plan.name}: {verdict['result']}, {validity}; {completed} completed ({planned} planned), "
        f"mean {result['avg_duration']:.2f} s, p95 {result['p95_duration']:.2f} s; "
        f"{len(foretold)} criteria foretold, {len(others)} otherwise {others or ''}",
        flush=True,
    )
    return bool(verdict["valid"]) and not others and near


def _nothing_lost(directory: Path, scenarios: Sequence[str], truth: Path) -> bool:
    """Whether the records of all scenarios and the testbed's log name the same jobs."""
    recorded = {
        record.request_id
        for name in scenarios
        for record in open_run(directory / name).requests()
        if record.operation
    }
    known = {json.loads(line)["request_id"] for line in truth.read_text().splitlines()}
    lost, unknown = known - recorded, recorded - known
    print(
        f"jobs: {len(known)} in the testbed's log, {len(lost)} without a record; {len(unknown)} only recorded"
    )
    return not lost and not unknown


if __name__ == "__main__":
    sys.exit(main())
