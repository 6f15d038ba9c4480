"""What a described service costs beside the same service in Python: CPU a job of the load generator, ORFEAS
described in YAML against services/orfeas.py, in turn on the same testbed.

    python bench/described.py [--rounds 12]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping
from random import Random
from typing import Any

from genload import extensions
from genload.artifacts.inputs.images import ImageSource
from genload.commands.demo.testbed import running
from genload.drivers.job_driver import JobDriver
from genload.settings.service import Poll, Service

ALLOWED = 1.15
POLLS = 100
DESCRIBED: Mapping[str, Any] = {
    "before": {
        "upload": {
            "path": "/api/upload-image",
            "multipart": {"image": "{image}"},
            "capture": {"id": "job_id"},
        }
    },
    "path": "/api/generate-3d",
    "json": {"job_id": "{id}", "format": "stl", "quality": 7},
    "capture": {"id": "job_id"},
    "poll": {
        "path": "/api/job-status/{id}",
        "state": "status",
        "values": {
            "initializing": "pending",
            "processing": "running",
            "completed": "completed",
            "failed": "failed",
        },
        "words": "error",
        "missing_for": "30s",
    },
    "result": {"url": "download_url"},
    "ready": {"path": "/ready"},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    options = parser.parse_args()
    with running(["--service-time", "500ms", "--spread", "0"]) as url:
        kinds = {"described": service_of(url, "job", DESCRIBED), "python": service_of(url, "orfeas", {})}
        for service in kinds.values():
            cpu_s(service, 0)
        spent: dict[str, list[float]] = {name: [] for name in kinds}
        for n in range(1, options.rounds + 1):
            for name, service in kinds.items():
                spent[name].append(cpu_s(service, n))
    ratio = statistics.median(d / p for d, p in zip(spent["described"], spent["python"], strict=True))
    each = {name: statistics.median(values) * 1e3 for name, values in spent.items()}
    held = ratio <= ALLOWED
    print(
        f"CPU of a job with about {POLLS} polls: described {each['described']:.1f} ms, "
        f"python {each['python']:.1f} ms; ratio {ratio:.3f}, allowed {ALLOWED}: "
        f"{'held' if held else 'NOT HELD'}"
    )
    return 0 if held else 1


def service_of(url: str, api: str, request: Mapping[str, Any]) -> Service:
    data = {"api": api, "host": url, "request": request}
    service = Service.model_validate(data, context={"wings": extensions.Wings()})
    return service.model_copy(update={"poll": Poll(interval_s=0.5 / POLLS, adaptive=False, jitter=0)})


def cpu_s(service: Service, number: int) -> float:
    """CPU of this process for one whole job, without making its input and looking into its output."""
    client = extensions.attribute("services", service.api, "Client")(service)
    image = ImageSource(number).image(service.api, 0, number)
    job = JobDriver(client, image, service=service, inspect=lambda artifact: {}, rng=Random(number))
    began_s = time.process_time()
    result = job.run()
    spent_s = time.process_time() - began_s
    client.close()
    if result.outcome != "ok":
        raise SystemExit(f"{service.api}: {result.error_class}: {result.error}")
    return spent_s / result.numbers["polls"] * POLLS


if __name__ == "__main__":
    raise SystemExit(main())
