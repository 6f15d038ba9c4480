"""The life of all jobs: uploaded, ordered, waiting, running, completed or failed, forgotten.

The GPU model says *when*; this says *what*: it has the mesh made while the modelled time runs, answers
polls and writes the truth. Everything here runs on the event loop but the making of the mesh.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from .board import Board
from .broadcast import Told
from .faults import Fault, Step, Strike
from .gpu import Change, Event, Gpu, ServiceTime
from .job import Job, Order, Upload, made_format
from .metrics import Metrics
from .options import Options
from .truth import Truth, TruthLog

# Ids whose files and status are kept once nothing happens under them: enough for any client that
# fetches what it ordered, and a bound on disk and memory.
RETAINED = 500
# How long the status of an accepted job is 404, as a share of the service time: 1 s of 82.
_HIDDEN_SHARE = 0.0125
# How long a truth line waits for the download: modelled seconds, and the least in real ones.
_FETCH_GRACE_S, _FETCH_GRACE_LEAST_S = 10.0, 1.0


@dataclass(slots=True)
class _Record:
    """What is known under one id."""

    upload: Upload | None = None
    job: Job | None = None
    rejections: int = 0  # since the last job
    refused_by: set[str] = field(default_factory=set)  # names of the faults that did it


class Jobs:
    """All jobs of one service.

    Args:
        folder: where images and meshes lie; on disk, so that the service's memory stays flat.
        pool: where meshes are made.
        on_ended: told of each job that has completed or failed.
        tell: takes the news of each job, and who is to know when they were told.
    """

    def __init__(
        self,
        options: Options,
        *,
        gpu: Gpu,
        metrics: Metrics,
        log: TruthLog,
        pool: Executor,
        folder: Path,
        board: Board | None = None,
        on_ended: Callable[[], None] = lambda: None,
        tell: Callable[[Mapping[str, Any], Told], None] = lambda news, told: told(None),
    ) -> None:
        self._board = board or Board(None)
        self._options, self._gpu, self._metrics, self._log, self._pool = options, gpu, metrics, log, pool
        self._folder, self._on_ended, self._tell = folder, on_ended, tell
        self._service_time = ServiceTime(options.scaled(options.service_time_s), options.spread, options.seed)
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self.active = 0  # accepted and not ended

    def add_upload(self, upload: Upload) -> None:
        self._record(upload.job_id).upload = upload

    def uploaded(self, filename: str) -> Upload | None:
        """The image that is stored under this name."""
        record = self._records.get(filename[:36])
        upload = record.upload if record is not None else None
        return upload if upload is not None and upload.filename == filename else None

    def is_running(self, job_id: str) -> bool:
        """Whether a job of this id is accepted and not ended."""
        job = self._job(job_id)
        return job is not None and not job.ended

    def is_known(self, job_id: str) -> bool:
        """Whether there is, or was lately, a job of this id."""
        return self._job(job_id) is not None

    def fault_at(self, job_id: str, step: Step) -> Fault | None:
        """The fault that befalls this call of the job."""
        record = self._records.get(job_id)
        if record is None:
            return None
        holder = record.job or record.upload
        strike = holder.strike if holder is not None else None
        return strike.fault if strike is not None and strike.step is step else None

    def reject(self, job_id: str, reason: str) -> None:
        """Count a submission that was refused, for now, before it became a job."""
        record = self._record(job_id)
        record.rejections += 1
        record.refused_by.add(reason)

    def turn_away(self, truth: Truth) -> None:
        """Note a job that is none, because a fault spoilt the answer that would have made it one."""
        truth.outcome = "not_accepted"
        if (record := self._records.get(truth.job_id)) is not None:
            truth.rejections, record.rejections = record.rejections, 0
        self._log.write(truth)

    def accept(
        self,
        order: Order,
        *,
        arrival_s: float,
        request_id: str,
        asked: Strike | None = None,
        traceparent: str = "",
    ) -> None:
        """Take an order: from here on it is a job, with one line in the truth log.

        Args:
            asked: what is to befall it, instead of what was drawn for its image.
        """
        record, now_s = self._record(order.job_id), monotonic()
        self._settle(record.job)  # an earlier one under the same id
        upload = record.upload
        strike = asked or (upload.strike if upload else None)
        truth = Truth(
            job_id=order.job_id,
            request_id=request_id or (upload.request_id if upload else ""),
            traceparent=traceparent,
            upload_s=upload.arrival_s if upload else None,
            arrival_s=arrival_s,
            accepted_s=now_s,
            format=order.file_format,
            service_s=self._service_time.draw_s(),
            rejections=record.rejections,
            faults=str(strike or ""),
        )
        job = record.job = Job(
            order,
            truth,
            visible_s=now_s + self._options.scaled(self._options.service_time_s) * _HIDDEN_SHARE,
            strike=strike,
            output=self._folder / f"model_{order.job_id}.{made_format(order, strike)}",
        )
        record.rejections = 0
        record.refused_by.clear()
        self.active += 1
        self._metrics.generation_begun()
        self._tell_of(job)
        if upload is None:
            self._fail(job, "No input image found", now_s)
        else:
            self._handle(self._gpu.offer(order.job_id, truth.service_s, now_s))

    def job(self, job_id: str) -> Job | None:
        """An accepted job as it is now."""
        self._handle(self._gpu.advance(monotonic()))
        return self._job(job_id)

    def status(self, job_id: str) -> dict[str, Any] | None:
        """The answer to a poll; None for a job that is unknown, or has not begun for all a client can see."""
        now_s = monotonic()
        self._handle(self._gpu.advance(now_s))
        job = self._job(job_id)
        if job is None or now_s < job.visible_s:
            return None
        return job.answer(share_done=self._gpu.share_done(job_id))

    def output(self, job_id: str, filename: str) -> Path | None:
        """A completed job's file."""
        job = self._job(job_id)
        return job.output if job is not None and job.completed and job.output.name == filename else None

    def served(self, job_id: str, served_bytes: int, *, whole: bool, start_s: float, end_s: float) -> None:
        """Note a download, or the part of it that the client took."""
        job = self._job(job_id)
        if job is None or job.logged:
            return
        truth = job.truth
        truth.bytes_served += served_bytes
        if whole:
            truth.downloads += 1
            truth.download_start_s, truth.download_end_s = start_s, end_s
            self._settle(job)

    def befall(self, strike: Strike, job_id: str | None = None) -> None:
        """Let the truth name a fault: that of one job, or of every job that is not fetched yet."""
        for job in [self._job(known) for known in ([job_id] if job_id else self._records)]:
            if job is not None and not job.logged:
                named = filter(None, job.truth.faults.split(","))
                job.truth.faults = ",".join(dict.fromkeys([*named, str(strike)]))

    def close(self) -> None:
        """Write the lines that are still open; jobs under way are ``unfinished``."""
        if self._timer is not None:
            self._timer.cancel()
        for job_id, record in self._records.items():
            self._settle_record(job_id, record)

    def _job(self, job_id: str) -> Job | None:
        record = self._records.get(job_id)
        return record.job if record is not None else None

    def _record(self, job_id: str) -> _Record:
        """The record of this id, made if need be; making one forgets the oldest that is done with."""
        record = self._records.setdefault(job_id, _Record())
        while len(self._records) - self.active > RETAINED:
            self._forget(next(known for known in self._records if not self.is_running(known)))
        return record

    def _forget(self, job_id: str) -> None:
        record = self._records.pop(job_id)
        self._settle_record(job_id, record)
        if record.upload is not None:
            record.upload.path.unlink(missing_ok=True)
        if record.job is not None:
            record.job.output.unlink(missing_ok=True)

    def _handle(self, events: list[Event]) -> None:
        """Carry out what the GPU model says, and wake up for its next change."""
        self._board.jobs = self._gpu.running
        for event in events:
            record = self._records[event.job_id]
            assert record.job is not None  # noqa: S101 - the GPU only knows jobs accepted here
            if event.change is Change.STARTED:
                self._start(record, record.job, event.at_s)
            elif event.change is Change.FINISHED:
                self._gpu_finished(record.job, event.at_s)
            else:
                self._fail(
                    record.job, f"Cannot allocate job {event.job_id}: insufficient resources", event.at_s
                )
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (next_s := self._gpu.next_change_s()) is not None:
            # A loop's clock is time.monotonic, but it may wake up early by its resolution.
            self._timer = asyncio.get_running_loop().call_at(next_s, self._wake, next_s)

    def _wake(self, due_s: float) -> None:
        self._handle(self._gpu.advance(max(due_s, monotonic())))

    def _start(self, record: _Record, job: Job, at_s: float) -> None:
        """Begin with the mesh at once: it has the whole modelled time to get made in."""
        assert record.upload is not None  # noqa: S101 - an order without an image never gets here
        job.truth.start_s = at_s
        job.making = asyncio.get_running_loop().run_in_executor(self._pool, job.make, record.upload.path)
        job.making.add_done_callback(lambda _: self._made(job))
        self._tell_of(job)
        asyncio.get_running_loop().call_later(job.truth.service_s / 2, self._half_done, job)

    def _half_done(self, job: Job) -> None:
        if not job.ended:
            self._tell_of(job)

    def _tell_of(self, job: Job, told: Told = lambda when_s: None) -> None:
        """Let whoever listens know how it is with a job now."""
        job_id = job.order.job_id
        self._tell({"job_id": job_id, **job.answer(share_done=self._gpu.share_done(job_id))}, told)

    def _gpu_finished(self, job: Job, at_s: float) -> None:
        job.gpu_end_s = at_s
        if job.making is not None and job.making.done():
            self._end(job, job.making, at_s)

    def _made(self, job: Job) -> None:
        """The mesh is there. Should that have taken longer than the modelled time, the job ends now."""
        if job.gpu_end_s is not None and not job.ended and job.making is not None:
            self._end(job, job.making, monotonic())

    def _end(self, job: Job, made: asyncio.Future[int], end_s: float) -> None:
        if made.cancelled():
            return  # the service is closing
        if (error := made.exception()) is not None:
            self._fail(job, str(error), end_s)
            return
        if job.strike is not None and job.strike.fault is Fault.FAIL:
            self._fail(job, "Generation failed", end_s)
            return
        job.truth.output_bytes = made.result()
        self._ended(job, "completed", end_s)
        self._tell_of(job, partial(setattr, job.truth, "told_s"))
        grace_s = max(self._options.scaled(_FETCH_GRACE_S), _FETCH_GRACE_LEAST_S)
        asyncio.get_running_loop().call_later(grace_s, self._settle, job)

    def _fail(self, job: Job, error: str, end_s: float) -> None:
        job.truth.error = error
        self._ended(job, "failed", end_s)

        def told(when_s: float | None) -> None:
            job.truth.told_s = when_s
            self._settle(job)

        self._tell_of(job, told)

    def _ended(self, job: Job, outcome: str, end_s: float) -> None:
        job.truth.outcome, job.truth.end_s = outcome, end_s
        job.over.set()
        self.active -= 1
        self._metrics.generation_ended(end_s - (job.truth.accepted_s or end_s))
        self._on_ended()

    def _settle_record(self, job_id: str, record: _Record) -> None:
        """Write what is open under an id: the job's line, or that of one that was only ever refused."""
        self._settle(record.job)
        if record.job is None and record.rejections:
            upload, reasons = record.upload, ",".join(sorted(record.refused_by))
            request_id, upload_s = (upload.request_id, upload.arrival_s) if upload else ("", None)
            truth = Truth(job_id, request_id, upload_s, rejections=record.rejections, faults=reasons)
            self.turn_away(truth)

    def _settle(self, job: Job | None) -> None:
        """Write a job's line, once."""
        if job is not None and not job.logged:
            job.logged = True
            self._log.write(job.truth)
