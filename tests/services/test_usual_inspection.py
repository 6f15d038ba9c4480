"""What looks at a job's output: the client's own inspection, or the usual one."""

from __future__ import annotations

from typing import ClassVar

import pytest
import trimesh

from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.usual import check_inspection, inspection_of
from genload.errors import ConfigError
from genload.service import Artifact, NotInspectedError, ServiceError

from ..clock import Clock
from ..drivers.scripted_job import SERVICE, Scripted, job_of

SPHERE = Artifact(trimesh.creation.icosphere(subdivisions=1).export(file_type="stl"), "a.stl", "")
PAGE = Artifact(b"<html>Welcome</html>", "a.stl", "text/html")


class Own(Scripted):
    """With an inspection of its own, whatever it says of others."""

    inspection: ClassVar[str] = "none"

    def inspect(self, artifact: Artifact) -> dict[str, float]:
        return {}


class Blind(Scripted):
    inspection: ClassVar[str] = "none"


class Odd(Scripted):
    inspection: ClassVar[str] = "picture"


@pytest.mark.processes
def test_a_client_without_an_inspection_has_its_outputs_read_as_meshes() -> None:
    inspect = inspection_of(Scripted(SERVICE, Clock()))

    assert inspect(SPHERE)["faces"] == 80
    with pytest.raises(ServiceError) as caught:
        inspect(PAGE)
    assert caught.value.error_class == "not_a_mesh"


def test_its_own_inspection_comes_first() -> None:
    assert inspection_of(Own(SERVICE, Clock()))(PAGE) == {}


def test_who_wants_none_has_outputs_that_were_not_inspected() -> None:
    with pytest.raises(NotInspectedError, match='inspection = "none"'):
        inspection_of(Blind(SERVICE, Clock()))(PAGE)


def test_they_are_successes_without_a_number_of_any_inspection() -> None:
    client = Blind(SERVICE, Clock())
    result = job_of(client, inspect=inspection_of(client)).run()

    assert result.outcome == "ok" and 'inspection = "none"' in result.remark
    assert not {"valid", "cannot_inspect"} & set(result.numbers)


def test_that_one_is_as_another_makes_them_no_inspected_ones() -> None:
    registry = OutputRegistry()
    registry.admit("another.png", PAGE.content)
    client = Blind(SERVICE, Clock(), fetch=[PAGE])
    result = job_of(client, inspect=inspection_of(client), registry=registry).run()

    assert result.error_class == "duplicate_output" and "valid" not in result.numbers


def test_an_inspection_that_there_is_none_of_is_refused_with_those_there_are() -> None:
    for client_class in (Scripted, Own, Blind):
        check_inspection(client_class)
    with pytest.raises(ConfigError, match="'picture'") as refused:
        check_inspection(Odd)
    assert "'mesh', 'splats', 'image', 'bytes', 'none'" in refused.value.remedy
