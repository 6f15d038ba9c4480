"""The seam of services/: how to talk to one API, whose work is a job (`JobClient`: submit, poll, fetch) or an
answer that is listened to (`SpeechClient`: speak).

A services/ file defines one subclass of either, named ``Client``. It makes its own HTTP client, names
its calls with `step`, and raises `ServiceError` for every answer that is no success. It neither
retries nor waits: `genload.drivers` does, the same way for every service.
"""

from genload.service.artifact import Artifact
from genload.service.client import ServiceClient
from genload.service.correlation import correlation_headers
from genload.service.errors import CannotInspectError, NotInspectedError, ServiceError
from genload.service.job_client import JOB_STAGES, ONE_CALL_STAGES, JobClient, JobInput, JobPhase, JobState
from genload.service.speech_client import Speech, SpeechClient, Utterance
from genload.service.step import Step

__all__ = [
    "JOB_STAGES",
    "ONE_CALL_STAGES",
    "Artifact",
    "CannotInspectError",
    "JobClient",
    "JobInput",
    "JobPhase",
    "JobState",
    "NotInspectedError",
    "ServiceClient",
    "ServiceError",
    "Speech",
    "SpeechClient",
    "Step",
    "Utterance",
    "correlation_headers",
]
