"""The service under test and how to talk to it: ``service`` of a suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    Field,
    SerializeAsAny,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from genload.settings.model import Settings
from genload.settings.secrets import Headers, is_secret_header, refuse_secret_in_url
from genload.settings.units import Bytes, Ratio, RealSeconds, Seconds, TransportSeconds
from genload.settings.wing_models import KeptRequest, RequestSettings, declared, found, wing_models

_ORIGIN = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?/?")


class Poll(Settings):
    """How often a job's state is asked for: the first time soon, and the less often the older it is."""

    interval_s: Seconds = 2.0
    """The longest pause."""
    adaptive: bool = True
    """False: every pause is `interval`."""
    first_s: Seconds = 0.2
    """The first poll comes about so long after the order."""
    age_share: Annotated[Ratio, Field(lt=1)] = 0.12
    """A poll comes after the one before by `first` and this share of the age that the job then has: so the
    polls of a job that took D see its end at most about `first` + share × D late."""
    jitter: Ratio = 0.2
    """Each pause is drawn from its length × (1 ± jitter), so that users do not poll in step."""

    def pause_s(self, age_s: float) -> float:
        """Of adaptive polls the pause, before jitter, after which a job is asked for that is so old."""
        return min(self.interval_s, (self.first_s + self.age_share * age_s) / (1 - self.age_share))


class Retry(Settings):
    """What to do when the service refuses a call for now (429, 503), or a poll gets no answer."""

    max_retries: Annotated[int, Field(ge=0)] = 3
    """Of each call of a request: its upload, its order, every poll, its download."""
    default_wait_s: Seconds = 5.0
    """The pause when the service names none (`retry_after` or the Retry-After header)."""
    max_wait_s: Seconds = 60.0
    """The longest pause that a service may ask for."""


class Tls(Settings):
    """How a TLS service is verified, and with what the client shows itself."""

    ca_file: str | None = None
    """Certificates to trust, in the place of the system's."""
    client_certificate: str | None = None
    """A file with the certificate that the client shows."""
    client_key: str | None = None
    """A file with its key."""
    verify: bool = True
    """False: any certificate is taken."""


_Asked = TypeVar("_Asked", bound=Settings)


def asked_alike(settings: _Asked, service: Service) -> _Asked:
    """A monitor's settings with the service's own headers and TLS, where they say none themselves."""
    own = {"headers": service.headers, "tls": service.tls}
    return settings.model_copy(update={k: v for k, v in own.items() if k not in settings.model_fields_set})


_Path = Annotated[str, StringConstraints(pattern=r"^/", max_length=2000)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
UNKNOWN_FACT = "unknown"
"""What a report says of a fact that could not be read; the first lines have every fact that a suite names."""
_WAYS = "endpoint with field, header, env or monitor"


class IdentitySource(Settings):
    """Where one fact stands; exactly one of `endpoint` with `field`, `header`, `env` and `monitor`."""

    endpoint: _Path | None = None
    """A path of the service, read once before the load; of a `header` it is / unless set."""
    field: _Name | None = None
    """Where in the endpoint's JSON: keys, and numbers of a list, with dots between (data.0.id); or which of
    the monitor's facts (gpu.driver), of which there are all unless set."""
    header: _Name | None = None
    """A header of the endpoint's answer, whatever its status."""
    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """An environment variable of the process that runs the scenario. Its value is reported: no secret."""
    monitor: _Name | None = None
    """A monitor that knows what it measures, as gpu knows GPU and driver."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.env, self.monitor, self.header or self.endpoint]
        fits = sum(way is not None for way in ways) == 1
        if self.header is None and self.endpoint is not None:
            fits = fits and self.field is not None
        elif self.monitor is None:
            fits = fits and self.field is None
        if not fits:
            raise PydanticCustomError(
                "identity",
                "it must say in one way where it is read",
                {"remedy": f"name one of: {_WAYS}; as in {{endpoint: /v1/models, field: data.0.id}}"},
            )
        for secret in (self.env, self.header):
            if secret is not None and is_secret_header(secret):
                raise PydanticCustomError(
                    "identity",
                    "'{name}' is the name of a secret, and what was tested stands in every report",
                    {"name": secret, "remedy": "name something else"},
                )
        return self


FactName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=80)]
Identity = Annotated[dict[FactName, IdentitySource], Field(max_length=40)]
"""By the name under which reports say it: ``model``, ``image``, ``precision``."""


class Service(Settings):
    """The service under test and how to talk to it."""

    api: str
    """Name of a file in services/."""
    host: str = "http://127.0.0.1:5000"
    """Its address, with the scheme; `--host` takes its place."""
    timeout_s: Seconds = 300.0
    """The most that one job may take, from before its upload to the last byte of its download."""
    ready_timeout_s: RealSeconds = 120.0
    """How long to wait for readiness before the load; afterwards the run ends with exit code 4."""
    connect_timeout_s: TransportSeconds = 10.0
    """How long to wait for a connection."""
    receive_timeout_s: TransportSeconds = 60.0
    """The longest silence on a connection that owes an answer."""
    max_answer_bytes: Bytes = float(256 * 2**20)
    """The largest answer that is taken; a larger one is a failure."""
    max_large_answers_bytes: Bytes = float(4 * 2**30)
    """What a process holds at once of the answers of a described service that are larger than 1 MB."""
    follow_redirects: Annotated[int, Field(ge=0, le=20)] = 0
    """How many redirects of one request are followed, on the service's own scheme, host and port and those of
    `allow_origins`. Its time is theirs together."""
    allow_origins: tuple[str, ...] = ()
    """Other origins that results may be fetched from, such as https://bucket.s3.amazonaws.com: without
    `headers`, and without the client's certificate."""
    identity: Identity = {}
    """Where it stands what is tested, for the first lines of every report."""
    headers: Headers = {}
    """Sent with every request; secrets as ${env:NAME}, ${file:PATH} or
    ${command:WORDS}."""
    tls: Tls = Tls()
    poll: Poll = Poll()
    retry: Retry = Retry()
    images: str | None = None
    """A folder of the user's own input images; None: made and screened by genload."""
    # Validated though it is a default: the service's own model has the defaults that count.
    request: SerializeAsAny[RequestSettings] = Field(default=RequestSettings(), validate_default=True)
    """What is asked for: keys of the service's own file."""

    @field_validator("host")
    @classmethod
    def _is_url(cls, host: str) -> str:
        refuse_secret_in_url(host)
        if not host.startswith(("http://", "https://", "${")):
            remedy = "write it as in http://127.0.0.1:5000"
            raise PydanticCustomError("host", "the host needs its scheme", {"remedy": remedy})
        return host

    @field_validator("allow_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                remedy = "write scheme, host and port alone, as in https://bucket.s3.amazonaws.com"
                raise PydanticCustomError(
                    "origin", "'{origin}' is no origin", {"origin": origin, "remedy": remedy}
                )
        return origins

    @field_validator("request", mode="before")
    @classmethod
    def _declared_request(cls, value: Any, info: ValidationInfo) -> Any:
        wings = wing_models(info)
        if type(value) is RequestSettings:
            value = {}
        if not isinstance(value, Mapping) or "api" not in info.data:
            return value
        model = KeptRequest if wings is None else found(wings.request, info.data["api"])
        return declared(model, value, info)
