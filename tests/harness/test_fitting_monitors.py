"""What a scenario's criteria and the suite's service ask of its monitors."""

from __future__ import annotations

from typing import Any

import pytest

from genload.harness.plan import make_plan
from genload.targets import RunRequest


@pytest.fixture(autouse=True)
def no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key and the certificate that the service wants are not there: only a client would need them."""
    monkeypatch.setattr("genload.targets.check_beginning", lambda *args, **options: None)


GPU = "monitors.gpu={interval: 1s}"


def monitors(criterion: str, *overrides: str) -> dict[str, Any]:
    """Their settings in force, and below `requested` those that were asked for."""
    asked = f'scenarios.light.criteria.it="{criterion}"'
    plan = make_plan(RunRequest(("litetts/light",), overrides=(GPU, *overrides, asked)))
    return {name: settings.model_dump() for name, settings in plan.suite.monitors.items()} | {
        "requested": {name: settings.model_dump() for name, settings in plan.requested.monitors.items()}
    }


@pytest.mark.parametrize(
    ("criterion", "gpu", "replica"),
    [
        ("each(gpu): gpu.memory_used.max < 22GiB", True, None),
        ("gpu.memory_used.max{gpu=0} < 22GiB", True, None),
        ("gpu.power.max <= 90% of gpu.power.max{gpu=0}", True, None),
        ("each(replica): server.up.min == 1 and server.memory.growth < 5%", None, True),
        ("gpu.memory_used.max < 22GiB", None, None),
    ],
)
def test_labels_that_criteria_name_are_told_apart_and_the_request_stands(
    criterion: str, gpu: bool | None, replica: bool | None
) -> None:
    found = monitors(criterion)
    assert (found["gpu"]["per_gpu"], found["exposition"]["per_replica"]) == (gpu, replica)
    asked = found["requested"]
    assert (asked["gpu"]["per_gpu"], asked["exposition"]["per_replica"]) == (None, None)


def test_what_the_suite_says_of_series_stands() -> None:
    found = monitors("each(gpu): gpu.memory_used.max < 22GiB", "monitors.gpu.per_gpu=false")
    assert found["gpu"]["per_gpu"] is False


KEY = {"X-Api-Key": "${env:GENLOAD_TEST_KEY}"}
OWN = {"X-Api-Key": "${env:GENLOAD_TEST_OTHER}"}


def asked_with(*overrides: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers of exposition and readiness, of a service that wants a key and a certificate."""
    service = ('service.headers={X-Api-Key: "${env:GENLOAD_TEST_KEY}"}', "service.tls={ca_file: ca.pem}")
    suite = make_plan(RunRequest(("orfeas/peak",), overrides=(*service, *overrides))).suite
    exposition, readiness = (suite.monitors[name].model_dump() for name in ("exposition", "readiness"))
    for found in (exposition, readiness):
        assert found["tls"]["ca_file"] == ("ca.pem" if found["headers"] in (KEY, OWN) else None)
    return exposition["headers"], readiness["headers"]


def test_a_page_and_a_probe_of_the_service_are_asked_for_as_its_clients_ask() -> None:
    assert asked_with() == (KEY, KEY)


def test_what_a_monitor_says_itself_stands() -> None:
    own = 'monitors.{}.headers={{X-Api-Key: "${{env:GENLOAD_TEST_OTHER}}"}}'
    assert asked_with(own.format("exposition"), own.format("readiness")) == (OWN, OWN)


def test_somebody_elses_page_is_not_given_the_services_secrets() -> None:
    elsewhere = (
        "monitors.exposition.url=http://gpu1:9835/metrics",
        "monitors.readiness.path=http://lb:80/up",
    )
    assert asked_with(*elsewhere) == ({}, {})
