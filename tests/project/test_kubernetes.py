"""The manifests for Kubernetes: rendered by kubectl, as its schemas want them, and true to genload."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from genload import extensions
from genload.harness.run import DRAIN_GRACE_S
from genload.settings.loader import load_suite

from ..conftest import system_program

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
REPORTS_S = 30.0  # what judging and reports may take, at most, of a large run
TEXT, LABELS = {"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}


def closed(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


# A definition of the operator's own; of its version v1 those fields that may stand in ours.
DURATION = {"type": "string", "pattern": r"^(0|(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$"}
ENDPOINT = closed((), port=TEXT, path=TEXT, interval=DURATION, scrapeTimeout=DURATION)
SERVICE_MONITOR = closed(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "monitoring.coreos.com/v1"},
    kind={"const": "ServiceMonitor"},
    metadata=closed(("name",), name=TEXT, labels=LABELS),
    spec=closed(
        ("selector", "endpoints"),
        selector=closed((), matchLabels=LABELS),
        endpoints={"type": "array", "items": ENDPOINT},
    ),
)


@pytest.fixture(scope="module")
def manifests() -> dict[str, dict[str, Any]]:
    """What kubectl would apply, by kind and name."""
    kubectl = system_program("kubectl")
    command = [kubectl, "kustomize", str(ROOT / "config" / "kubernetes")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    found = [each for each in yaml.safe_load_all(done.stdout) if each]
    return {f"{each['kind']}/{each['metadata']['name']}": each for each in found}


def pod(manifest: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return found


def words(manifest: dict[str, Any]) -> list[str]:
    [container] = pod(manifest)["containers"]
    return [*container["command"], *container["args"]]


@pytest.fixture
def master(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return manifests["Job/genload-master"]


@pytest.fixture
def workers(manifests: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return manifests["Job/genload-worker"]


@pytest.fixture
def settings(manifests: dict[str, dict[str, Any]]) -> dict[str, str]:
    [found] = [each["data"] for name, each in manifests.items() if name.startswith("ConfigMap/genload-")]
    return dict(found)


def test_kubernetes_own_schemas_know_everything_in_them(manifests: dict[str, dict[str, Any]]) -> None:
    kinds = sorted(name.partition("/")[0] for name in manifests)
    assert kinds == [
        *("ConfigMap", "Job", "Job", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceMonitor"),
    ]
    latest = kubernetes_validate.latest_version()
    for manifest in manifests.values():
        if manifest["kind"] == "ServiceMonitor":
            jsonschema.validate(manifest, SERVICE_MONITOR)
        else:
            kubernetes_validate.validate(manifest, latest, strict=True)


def test_a_misspelt_field_is_noticed(master: dict[str, Any]) -> None:
    spelt = {**master, "spec": {**master["spec"], "backofLimit": 0}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spelt, kubernetes_validate.latest_version(), strict=True)


def test_the_master_is_run_once_and_has_the_time_that_its_last_job_may_need(
    master: dict[str, Any], workers: dict[str, Any], settings: dict[str, str]
) -> None:
    assert master["spec"]["backoffLimit"] == 0 and pod(master)["restartPolicy"] == "Never"
    suites = extensions.builtin_folder("config") / "suites"
    suite = load_suite(
        settings["SCENARIO"].partition("/")[0], folders=[suites], wings=extensions.Wings()
    ).suite
    needed_s = suite.service.timeout_s + DRAIN_GRACE_S + REPORTS_S
    assert pod(master)["terminationGracePeriodSeconds"] >= needed_s
    assert pod(workers)["terminationGracePeriodSeconds"] >= needed_s


def test_there_are_as_many_workers_as_the_master_waits_for(
    workers: dict[str, Any], settings: dict[str, str]
) -> None:
    spec = workers["spec"]
    assert str(spec["completions"]) == str(spec["parallelism"]) == settings["WORKERS"]


def test_results_go_to_the_volume(master: dict[str, Any], manifests: dict[str, dict[str, Any]]) -> None:
    [container], [volume] = pod(master)["containers"], pod(master)["volumes"]
    [mount] = container["volumeMounts"]
    assert f"--results={mount['mountPath']}" in words(master)
    assert mount["name"] == volume["name"]
    assert f"PersistentVolumeClaim/{volume['persistentVolumeClaim']['claimName']}" in manifests


def test_who_is_asked_is_who_listens(
    master: dict[str, Any], workers: dict[str, Any], manifests: dict[str, dict[str, Any]]
) -> None:
    service, monitor = manifests["Service/genload-master"], manifests["ServiceMonitor/genload"]
    assert f"--master-host={service['metadata']['name']}" in words(workers)
    labels = master["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= service["spec"]["selector"].items()
    assert service["metadata"]["labels"].items() >= monitor["spec"]["selector"]["matchLabels"].items()
    [container] = pod(master)["containers"]
    listens = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == listens
    assert [endpoint["port"] for endpoint in monitor["spec"]["endpoints"]] == ["metrics"]
    assert f"--metrics-port={listens['metrics']}" in words(master)
    policy = manifests["NetworkPolicy/genload-master"]["spec"]
    assert labels.items() >= policy["podSelector"]["matchLabels"].items()
    [[sender], to_all] = policy["ingress"][0]["from"], policy["ingress"][1]
    allowed = sender["podSelector"]["matchLabels"].items()
    assert workers["spec"]["template"]["metadata"]["labels"].items() >= allowed
    assert [rule["port"] for rule in to_all["ports"]] == [listens["metrics"]]


def test_commands_use_options_and_variables_that_exist(
    master: dict[str, Any],
    workers: dict[str, Any],
    settings: dict[str, str],
    options_of: Callable[..., set[str]],
) -> None:
    known = options_of("locust", words(master)[2])
    for manifest in (master, workers):
        assert {word.partition("=")[0] for word in words(manifest) if word.startswith("--")} <= known
    assert set(re.findall(r"\$\((\w+)\)", " ".join(words(master)))) == settings.keys()
