"""The base classes of the files in services/, each of which talks to one API.

There are two kinds of API. In one, the work is a job: the client submits it, polls it and fetches the output
(`JobClient`). In the other, the answer is audio that somebody listens to (`SpeechClient`).

A file in services/ defines one subclass of one of the two, named ``Client``. The client makes its own HTTP
connection, gives each of its calls a name with `step`, and raises `ServiceError` for every answer that is no
success. The client does not retry and does not wait: `genload.drivers` does both, in the same way for every
service.
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
