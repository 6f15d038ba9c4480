"""The service keeps a bounded number of jobs, on disk; its memory does not creep."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest


def test_memory_and_files_stay_bounded_over_many_jobs(
    serve, picture: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    service = serve(service_time="1s", slots=10)
    pictures = [picture(seed, size=(160, 160)) for seed in range(10)]
    process = psutil.Process(service.process.pid)

    def drive(number: int) -> str:
        job_id, status = service.job(pictures[number % 10])
        assert service.get(status["download_url"]).status == 200
        return job_id

    with ThreadPoolExecutor(3) as users:
        first = list(users.map(drive, range(50)))
        early_bytes = process.memory_info().rss
        list(users.map(drive, range(300)))
    late_bytes = process.memory_info().rss

    assert late_bytes < 1.05 * early_bytes
    for _ in range(220):  # uploads nobody orders are forgotten like everything else
        service.upload(pictures[0])
    kept = {path.name for path in tmp_path.glob("genload-testbed-*/*")}
    assert 500 <= len(kept) <= 2 * 500
    assert service.status(first[0]).status == 404
    assert not any(first[0] in name for name in kept)
    service.end()
    assert list(tmp_path.iterdir()) == []
