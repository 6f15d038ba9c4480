"""The container files say what the rest of the project says; no engine is needed to see that."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def used(command: list[str]) -> set[str]:
    return {word.partition("=")[0] for word in command if word.startswith("--")}


@pytest.fixture
def services(docker_compose: str) -> dict[str, Any]:
    """The composition as docker-compose understands it."""
    done = subprocess.run(
        [docker_compose, "--profile", "stack", "-f", "docker-compose.yml", "config"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return found


@pytest.mark.processes
def test_composes_a_testbed_a_master_and_two_workers_in_one_network(services: dict[str, Any]) -> None:
    of_demo = {name for name, service in services.items() if "demo" in service["profiles"]}
    assert of_demo == {"testbed", "master", "worker"}
    assert set(services) - of_demo == {"prometheus", "password", "grafana"}
    assert services["worker"]["deploy"]["replicas"] == 2
    assert "--expect-workers=2" in services["master"]["command"]
    beside = ("master", "worker", "prometheus")
    assert {services[name]["network_mode"] for name in beside} == {"service:testbed"}
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:3000:3000/tcp"]
    assert not any("PASSWORD" in text and "FILE" not in text for text in services["grafana"]["environment"])


@pytest.mark.processes
def test_its_commands_use_options_that_exist(
    services: dict[str, Any], options_of: Callable[..., set[str]]
) -> None:
    locust = options_of("locust", services["master"]["entrypoint"][2])
    serve = options_of("genload", services["testbed"]["command"][0])

    assert used(services["master"]["command"]) <= locust
    assert used(services["worker"]["command"]) <= locust
    assert used(services["testbed"]["command"]) <= serve


def test_the_image_copies_what_exists_and_names_no_registry() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    sources = [word for line in lines if line.startswith("COPY") for word in line.split()[1:-1]]
    images = [line.split()[1] for line in lines if line.startswith("FROM")]

    assert sources and all((ROOT / source).exists() for source in sources)
    assert images and not any("/" in image for image in images)
