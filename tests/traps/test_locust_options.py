"""What of Locust's options and numbers would go wrong without a word: wire, form, table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from locust.argument_parser import get_empty_argument_parser
from locust.rpc.protocol import Message
from locust.stats import bucket_response_time

from genload.analysis.judge import judge
from genload.errors import UsageError
from genload.harness.options import LOOPBACK, WEB_FORM_FIELDS, add_options, request_from
from genload.harness.plan import RunPlan, make_plan
from genload.runlog.records import FORMAT_VERSION, LoadEnded, LoadStarted, RequestRecord, RunEnded, RunHeader
from genload.runlog.writer import RunWriter
from genload.targets import RunRequest


def our_options() -> Any:
    parser = get_empty_argument_parser(default_config_files=[])
    add_options(parser, web_scenario=None)
    return parser


def test_every_option_can_be_sent_to_a_worker() -> None:
    # A default that msgpack does not know (a Path) means: no users, exit code 0.
    options = vars(our_options().parse_args([]))
    assert options["results"] == "results"
    sent = Message("spawn", {"parsed_options": options}, "worker").serialize()
    assert Message.unserialize(sent).data["parsed_options"] == options


def test_options_of_the_form_are_on_the_parser_itself() -> None:
    # Locust's form leaves out what is in an argument group.
    parser = our_options()
    here = {action.dest for action in parser._optionals._group_actions}
    assert {name for name in WEB_FORM_FIELDS if name != "host"} <= here


def test_master_and_web_page_listen_on_loopback_unless_told() -> None:
    # Locust adds its own options first.
    parser = get_empty_argument_parser(default_config_files=[])
    parser.add_argument("--web-host", default="")
    parser.add_argument("--master-bind-host", default="*")
    add_options(parser, web_scenario=None)
    options = parser.parse_args([])
    assert (options.web_host, options.master_bind_host) == (LOOPBACK, LOOPBACK)


@pytest.mark.parametrize("option", ["num_users", "spawn_rate", "run_time"])
def test_what_a_scenario_decides_is_refused_on_the_command_line(option: str) -> None:
    options = our_options().parse_args(["--scenario", "orfeas/spike"])
    options.host = None
    assert request_from(options).targets == ("orfeas/spike",)
    setattr(options, option, 5)
    with pytest.raises(UsageError, match="contradict each other"):
        request_from(options)


def test_a_worker_is_told_where_a_secret_is_and_not_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAPS_TOKEN", "5ecret-token")
    suite = tmp_path / "secret.yaml"
    suite.write_text(
        "name: secret\nservice: {api: orfeas, headers: {Authorization: '${env:TRAPS_TOKEN}'}}\n"
        "locustfile: generation3d\nscenarios:\n  one: {shape: {kind: baseline}}\n"
    )
    plan = make_plan(RunRequest((f"{suite}/one",)))
    sent = Message("genload_prepare", plan.to_message(), "worker").serialize()
    assert b"5ecret-token" not in sent
    received = RunPlan.from_message(Message.unserialize(sent).data)
    assert received.service.headers == {"Authorization": "${env:TRAPS_TOKEN}"}
    assert received.suite == plan.suite


def test_a_suite_alone_is_answered_with_the_scenarios_of_all_that_it_runs() -> None:
    with pytest.raises(UsageError, match="'demo' names a suite, not a scenario") as caught:
        make_plan(RunRequest(("demo",)))
    assert {"demo/baseline", "demo_speech/light"} <= set(re.findall(r"[\w/]+", caught.value.remedy))


def test_percentiles_are_not_rounded_to_two_digits(tmp_path: Path) -> None:
    durations_s = [82.5] * 10
    plan = make_plan(RunRequest(("orfeas/baseline",), seed=1))
    writer = RunWriter(tmp_path / "run")
    writer.header(
        RunHeader(
            format=FORMAT_VERSION,
            suite=plan.suite.model_dump(mode="json"),
            requested=plan.requested.model_dump(mode="json"),
            scenario="baseline",
            phases=[
                {"name": "steady", "duration_s": 9e9, "users": 1, "users_from": None, "iterations": None}
            ],
            operation="generate",
            stages=[],
        )
    )
    writer.event(LoadStarted(t_s=0.0))
    for n, duration_s in enumerate(durations_s):
        fields = {"name": "generate", "operation": "generate", "phase": "steady"}
        ended = RequestRecord(source="local", n=n, start_s=n * 83.0, duration_s=duration_s, **fields)
        writer.requests([ended])
    writer.event(LoadEnded(t_s=900.0))
    writer.event(RunEnded(t_s=900.0, records={"local": len(durations_s)}))
    writer.close()
    overall = judge(tmp_path / "run").overall
    assert bucket_response_time(82_500) == 82_000  # what Locust's own table would be made from
    assert (overall.p50_duration, overall.p95_duration) == (82.5, 82.5)
