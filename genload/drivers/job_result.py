"""What became of a job."""

from __future__ import annotations

from genload.drivers.result import Result


class JobResult(Result, eq=False):
    """The result of a job.

    Attributes:
        job_id: the id that the service gave the job.
        stages: the seconds of each stage that the job has reached; their sum is ``end_s − start_s``.
        labels: those that the service's answers gave it.

    `numbers` also has ``polls``; ``lost_polls``, if polls got no answer; ``begin_bound_s``, if the job has
    begun; ``server_duration_s`` (from the accepted order to the answer "finished") and ``poll_bound_s`` (by
    how much this is too long at most), if the job has finished; and the numbers of the inspection. Where the
    service tells of its jobs itself: ``updates``, how often it did, and ``told_by_event``: 1 if it did of the
    end, 0 if a poll found that.
    """

    job_id: str = ""
    stages: dict[str, float] = {}
    labels: dict[str, str] = {}
