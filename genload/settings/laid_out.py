"""A suite's scenarios as they are written, with what each takes from the suite put in its place: the rest of
a request that it says in part, and for each of its populations the service, the locustfile and the shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from genload.settings.service import Service
from genload.settings.wing_models import (
    KeptRequest,
    RequestSettings,
    ShapeSettings,
    declared,
    found,
    wing_models,
    within,
)

Path = tuple[str, ...]


class LaidOut:
    """Lays out the scenarios of one suite.

    Args:
        info: of the validation of the suite's scenarios; its data has the suite's own settings.
        service: the suite's.

    Attributes:
        problems: what is wrong with what was put in place, by its place below ``scenarios``.
    """

    def __init__(self, info: ValidationInfo, service: Service) -> None:
        self._info, self._service = info, service
        self.problems: list[InitErrorDetails] = []

    def scenarios(self, written: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._scenario((name,), own) if isinstance(own, Mapping) else own
            for name, own in written.items()
        }

    def _scenario(self, path: Path, own: Mapping[str, Any]) -> Mapping[str, Any]:
        populations = own.get("populations")
        if not isinstance(populations, Mapping) or not populations:
            return self._with_request(path, own, self._service)
        shape = self._shape(own.get("shape"))
        laid = {
            name: self._population((*path, "populations", name), each, shape)
            for name, each in populations.items()
            if each is None or isinstance(each, Mapping)
        }
        return {**own, "populations": {**populations, **laid}}

    def _population(
        self, path: Path, own: Mapping[str, Any] | None, shape: ShapeSettings | None
    ) -> Mapping[str, Any]:
        laid = dict(own or {})
        laid.setdefault("locustfile", self._info.data.get("locustfile", ""))
        service: Any = laid.get("service", self._service)
        if isinstance(service, Mapping):
            try:
                service = declared(Service, {"host": self._service.host, **service}, self._info)
            except ValidationError as error:
                self.problems += within((*path, "service"), error)
                service = self._service
        laid["service"] = service
        if "shape" not in laid:
            laid["shape"] = self._counted(path, shape)
        return self._with_request(path, laid, service) if isinstance(service, Service) else laid

    def _counted(self, path: Path, shape: ShapeSettings | None) -> ShapeSettings | None:
        """The scenario's shape as it is for one population."""
        if shape is None:
            return ShapeSettings(kind="")  # the scenario's own is wrong, and that is said
        own = shape.of_population(path[-1])
        if own is not None:
            return own
        self.problems += within(
            path,
            PydanticCustomError(
                "population",
                "the scenario's shape does not count the users of {name}",
                {
                    "name": path[-1],
                    "remedy": f"name it in the users of each phase of a shape of kind phases, as in "
                    f"users: {{{path[-1]}: 4}}; or give it a shape of its own",
                },
            ),
        )
        return shape

    def _shape(self, written: Any) -> ShapeSettings | None:
        """None: it is wrong, which its own validation says."""
        wings = wing_models(self._info)
        if isinstance(written, ShapeSettings) or wings is None:
            return written if isinstance(written, ShapeSettings) else None
        try:
            return declared(found(wings.shape, written["kind"]), written, self._info)
        except (ValidationError, PydanticCustomError, TypeError, KeyError):
            return None

    def _with_request(self, path: Path, own: Mapping[str, Any], service: Service) -> Mapping[str, Any]:
        """With a request that says in part what it asks for made whole."""
        request = own.get("request")
        if not isinstance(request, Mapping):
            return own
        try:
            whole: RequestSettings | None = self._request(service, request)
        except (ValidationError, PydanticCustomError) as error:
            self.problems += within((*path, "request"), error)
            whole = None
        return {**own, "request": whole}

    def _request(self, service: Service, own: Mapping[str, Any]) -> RequestSettings:
        """The service's `request` with its own keys laid on it."""
        wings = wing_models(self._info)
        model = KeptRequest if wings is None else found(wings.request, service.api)
        base = service.request.model_dump(mode="json", exclude_unset=True)
        return declared(model, model.laid_on(base, own), self._info)
