"""Every trap of ORFEAS in one run: one user, one job for each trap, a real Locust process.

The service's words are those of docs/traps.md; what a naive load test would have made of each job stands
beside it there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from genload.runlog.records import RequestRecord
from genload.service import correlation_headers
from testbed.images import check_image

from ..busy_machine import VALIDITY
from ..scripted_server import Call
from .locust_process import Finished, finished, locust
from .scripted_orfeas import ScriptedOrfeas, Server, output

pytestmark = pytest.mark.processes

# trap → what must be recorded: error class, "" for a success
TRAPS = {
    "ok": "",
    "same_again": "duplicate_output",
    "cube": "placeholder",
    "other_format": "",
    "lying_name": "",
    "full": "no_capacity",
    "fails_later": "job_failed",
    "early_404": "",
    "proxy_503": "",
    "rate_limit": "",
    "truncated_chunks": "truncated",
    "page": "not_a_mesh",
    "silent": "receive_timeout",
}
SCRIPT = tuple(TRAPS)
SUITE = f"""
name: traps
service:
  api: orfeas
  timeout: 20s
  receive_timeout: 1s
  poll: {{interval: 20ms}}
  retry: {{default_wait: 20ms}}
  request: {{format: stl}}
locustfile: generation3d
monitors:
  exposition:
    interval: 200ms
    series:
      prom.registered: http_request_duration_seconds_count
      prom.absent: http_request_errors_total
      prom.unmoved: orfeas_job_queue_size
      prom.success: orfeas_generations_total{{status="success"}}
reports: [results_json]
validity: {VALIDITY}
scenarios:
  all:
    shape: {{kind: baseline, users: 1, iterations: {len(SCRIPT)}}}
    failure_pause: 0s
    warmup: {{jobs: 0}}
    criteria:
      registered: {{must: false, holds: prom.registered.max >= 0}}
      absent: {{must: false, holds: prom.absent.max >= 0}}
      unmoved: {{must: false, holds: prom.unmoved.max <= 5}}
      counters: {{must: false, holds: prom.success.max >= 1}}
"""


@dataclass(frozen=True)
class Run:
    """The one run: its service, its process, its jobs by trap."""

    service: ScriptedOrfeas
    finished: Finished
    jobs: dict[str, RequestRecord]

    def calls(self, trap: str) -> list[Call]:
        request_id = self.jobs[trap].request_id
        return [call for call in self.service.calls if call.headers.get("x-request-id") == request_id]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("traps")
    (folder / "traps.yaml").write_text(SUITE)
    server = Server(*SCRIPT)
    scenario = ("--scenario", "traps.yaml/all", "--seed", "7", "-H", server.service.url)
    try:
        ended = finished(locust(folder, "--headless", *scenario), folder)
    finally:
        server.end()
    jobs = ended.jobs()
    assert len(jobs) == len(SCRIPT), ended.words
    yield Run(server.service, ended, dict(zip(SCRIPT, jobs, strict=True)))


@pytest.mark.parametrize("trap", SCRIPT)
def test_each_trap_is_recorded_as_what_it_is(run: Run, trap: str) -> None:
    job = run.jobs[trap]
    assert (job.outcome, job.error_class) == ("failed" if TRAPS[trap] else "ok", TRAPS[trap]), job.error


def test_an_accepted_order_is_no_success(run: Run) -> None:
    accepted = [record for record in run.finished.log.requests() if record.name == "submit"]
    assert Counter(record.status for record in accepted) == {200: len(SCRIPT), 503: 1}
    failed = sum(1 for error_class in TRAPS.values() if error_class)
    assert run.finished.result["failed_requests"] == failed > 0


def test_the_counters_of_the_service_are_not_believed(run: Run) -> None:
    # The service counts each of these jobs as a success.
    said = [sample.values.get("prom.success", 0.0) for sample in run.finished.log.samples()]
    good = sum(1 for error_class in TRAPS.values() if not error_class)
    assert run.finished.result["successful_requests"] == good < max(said)


def test_a_format_that_was_not_honoured_is_told(run: Run) -> None:
    honoured = {trap: job.numbers.get("format_honoured") for trap, job in run.jobs.items()}
    assert {trap for trap, number in honoured.items() if number == 0.0} == {"other_format", "lying_name"}
    assert honoured["ok"] == 1.0
    inspected = sum(number is not None for number in honoured.values())
    [finding] = [text for text in run.finished.result["notices"] if "generate.format_honoured" in text]
    assert finding.startswith(f"2 of {inspected} outputs came in another format than was ordered")


def test_what_was_not_yet_known_is_waited_for(run: Run) -> None:
    polls = [call.path for call in run.calls("early_404") if "job-status" in call.path]
    assert len(polls) == run.jobs["early_404"].numbers["polls"] == 4


@pytest.mark.parametrize("trap", ["proxy_503", "rate_limit"])
def test_a_refusal_is_counted_and_tried_again(run: Run, trap: str) -> None:
    numbers = run.jobs[trap].numbers
    assert (numbers["rejections"], numbers["attempts"]) == (1.0, 2.0)


def test_every_image_is_another_one_and_acceptable(run: Run) -> None:
    images = run.service.images
    # The refused upload is sent again: the same bytes of the same job.
    assert len(images) == len(SCRIPT) + 1 and len(set(images)) == len(SCRIPT)
    for image in set(images):
        check_image(image, "image.png")


def test_failing_outputs_are_kept(run: Run) -> None:
    kept = {
        str(path.relative_to(run.finished.log.folder / "failures")): path.read_bytes()
        for path in run.finished.log.folder.glob("failures/*/*")
    }
    truncated = output("truncated_chunks", SCRIPT.index("truncated_chunks"))
    expected = {
        "same_again": output("ok", 0),
        "cube": output("cube", 0),
        "truncated_chunks": truncated[: len(truncated) // 2],
    }
    for trap, content in expected.items():
        assert kept.pop(f"{TRAPS[trap]}/1-{run.jobs[trap].request_id}.stl") == content
    (page,) = kept.values()
    assert b"Service Unavailable" in page


def test_every_request_carries_its_record_s_id_and_trace(run: Run) -> None:
    by_id = {record.request_id for record in run.finished.log.requests()}
    calls = [call for call in run.service.calls if call.path != "/metrics"]
    for call in calls:
        expected = correlation_headers(call.headers["x-request-id"])
        assert call.headers["traceparent"] == expected["traceparent"]
    of_jobs = {call.headers["x-request-id"] for call in calls if call.path.startswith("/api/")}
    assert of_jobs == by_id and len(by_id) == len(SCRIPT)


def test_states_of_a_metric_are_not_confused(run: Run) -> None:
    verdicts = {row["name"]: row for row in run.finished.result["verdict"]["criteria"]}
    assert {name: (row["result"], row["evidence"]) for name, row in verdicts.items()} == {
        "registered": ("inconclusive", None),
        "absent": ("inconclusive", None),
        "unmoved": ("pass", "unproven"),
        "counters": ("pass", "exact"),
    }
