"""The files of a run directory."""

from __future__ import annotations

HEADER = "run.json"
REQUESTS = "requests.jsonl"
EVENTS = "events.jsonl"
SAMPLES = "samples.jsonl"
FAILURES = "failures"  # a folder
