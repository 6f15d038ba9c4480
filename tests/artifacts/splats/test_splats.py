"""Gaussian splats: known answers of files written here, damage, claims of hostile headers."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from math import inf, log, nan
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.inspector import shared
from genload.artifacts.splats.check import SplatsCheck
from genload.artifacts.splats.facts import SplatsError, SplatsFacts
from genload.artifacts.splats.reader import read_splats
from genload.artifacts.usual import inspection_of
from genload.service import Artifact, CannotInspectError, ServiceError
from genload.settings.wing_models import RequestSettings

from ...clock import Clock
from ...drivers.scripted_job import SERVICE, Scripted

NAMES = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "f_rest_0", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)
FORMS = {"ascii": "", "binary_little_endian": "<f4", "binary_big_endian": ">f4"}


def rows(count: int = 3) -> np.ndarray:
    """Splats on a line from (0, 10, -1) by (1, 2, 0) each, which differ in their colour."""
    table = np.zeros((count, len(NAMES)))
    steps = np.arange(count)
    table[:, 0], table[:, 1], table[:, 2] = steps, 10 + 2 * steps, -1
    table[:, NAMES.index("f_dc_1")] = 0.25 * steps
    table[:, NAMES.index("opacity")] = 2.0
    table[:, NAMES.index("rot_0")] = 1.0
    return table


def ply(
    table: np.ndarray, form: str = "binary_little_endian", *, count: int | None = None, more: str = ""
) -> bytes:
    properties = "".join(f"property float {name}\n" for name in NAMES)
    declared = len(table) if count is None else count
    head = f"ply\nformat {form} 1.0\n{more}element vertex {declared}\n{properties}end_header\n".encode()
    if form == "ascii":
        return head + "".join(" ".join(map(str, row)) + "\n" for row in table).encode()
    return head + table.astype(FORMS[form]).tobytes()


def changed(name: str, value: float, of: int | slice = 1) -> bytes:
    table = rows()
    table[of, NAMES.index(name)] = value
    return ply(table)


def refusal(content: bytes, hint: str = "") -> SplatsError:
    with pytest.raises(SplatsError) as raised:
        read_splats(content, hint)
    return raised.value


@pytest.mark.parametrize("form", FORMS)
def test_splats_of_each_form_have_their_count_and_their_box(form: str) -> None:
    assert read_splats(ply(rows(), form)) == SplatsFacts(
        splats=3, low=(0.0, 10.0, -1.0), high=(2.0, 14.0, -1.0), is_placeholder=False
    )


def test_elements_before_and_behind_them_are_gone_over() -> None:
    head = "element extra 2\nproperty uchar a\nproperty double b\n"
    with_extra = ply(rows(), more=head).replace(b"end_header\n", b"end_header\n" + bytes(18), 1)

    assert read_splats(with_extra + b"behind").splats == 3


@pytest.mark.parametrize("name", ["x", "z", "f_dc_2", "rot_3", "scale_1", "opacity"])
def test_a_number_that_is_none_is_told(name: str) -> None:
    error = refusal(changed(name, nan))

    assert (error.error_class, error.message) == ("nan_splats", "1 of 3 splats are NaN or infinite")


@pytest.mark.parametrize(("name", "value"), [("y", inf), ("f_dc_0", -inf), ("rot_1", inf), ("scale_0", inf)])
def test_what_must_have_an_end_is_not_endless(name: str, value: float) -> None:
    assert refusal(changed(name, value)).error_class == "nan_splats"


@pytest.mark.parametrize(("name", "value"), [("opacity", inf), ("opacity", -inf), ("scale_2", -inf)])
def test_opaque_and_flat_splats_are_right(name: str, value: float) -> None:
    assert read_splats(changed(name, value)).splats == 3


def test_what_cannot_be_seen_is_nothing() -> None:
    everywhere = slice(None)
    assert refusal(changed("opacity", log(1 / 254) - 0.01, everywhere)).error_class == "empty_splats"
    assert read_splats(changed("opacity", log(1 / 254) + 0.01, everywhere)).splats == 3
    assert refusal(ply(rows(0))).error_class == refusal(b"").error_class == "empty_splats"


def test_splats_that_are_alike_or_at_one_point_are_a_placeholder() -> None:
    point = rows()
    point[:, :3] = 1.5

    assert read_splats(ply(point)).is_placeholder
    assert read_splats(changed("f_dc_1", 0.5, slice(None))).is_placeholder
    assert read_splats(ply(rows(1))).is_placeholder
    assert not read_splats(ply(rows(2))).is_placeholder


MESH = (
    b"ply\nformat ascii 1.0\nelement vertex 1\n"
    b"property float x\nproperty float y\nproperty float z\nend_header\n1 2 3\n"
)
LISTS = "element face 1\nproperty list uchar int a\n"


@pytest.mark.parametrize(
    ("content", "error_class", "words"),
    [
        (MESH, "not_splats", "a mesh or a cloud of points"),
        (ply(rows()).replace(b"rot_3", b"rot_9"), "not_splats", "no rot_3"),
        (ply(rows()).replace(b"float opacity", b"list uchar float opacity"), "not_splats", "have lists"),
        (ply(rows(), more=LISTS) + bytes(9), "not_splats", "lists before them"),
        (ply(rows()).replace(b"float x", b"flaot x"), "not_splats", "header cannot be read"),
        (b"ply\nformat ascii 1.0\nelement vertex 3\n", "truncated", "no end"),
        (ply(rows())[:-1], "truncated", "declares more"),
        (ply(rows(), "ascii")[:-40], "truncated", "declares more"),
        (ply(rows(), "ascii") .replace(b"0.25", b"much"), "not_splats", "no numbers"),
        (b"<html>busy</html>", "not_splats", "no PLY"),
    ],
)  # fmt: skip
def test_what_is_none_is_told(content: bytes, error_class: str, words: str) -> None:
    error = refusal(content)

    assert error.error_class == error_class and words in error.message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [2**31, 2**63, -1])
def test_a_header_that_claims_too_much_costs_neither_time_nor_memory(form: str, count: int) -> None:
    content = ply(rows(), form, count=count)
    tracemalloc.start()
    began_s = process_time()
    error = refusal(content)
    spent_s, (_, most_bytes) = process_time() - began_s, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert error.error_class == ("not_splats" if count < 0 else "truncated")
    assert spent_s < 0.5 and most_bytes < 1e6


def test_what_nothing_here_reads_is_no_failure_and_its_count_is_known() -> None:
    packed = "".join(f"property uint packed_{name}\n" for name in ("position", "rotation", "scale", "color"))
    head = f"ply\nformat binary_little_endian 1.0\nelement vertex 2\n{packed}end_header\n".encode()

    error = refusal(head + bytes(32))
    assert (error.error_class, error.numbers) == ("cannot_inspect", {"splats": 2.0})
    assert refusal(b"\x1f\x8b\x08\0\0", "spz").error_class == "cannot_inspect"
    assert refusal(b"<html>", "spz").error_class == "not_splats"


@given(st.data())
def test_damaged_splats_are_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    whole = ply(rows(), data.draw(st.sampled_from(list(FORMS))))
    at = data.draw(st.integers(0, len(whole) - 1))
    damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 8)) :]
    try:
        assert read_splats(damaged).splats > 0
    except SplatsError as error:
        assert error.message


def test_the_check_gives_the_numbers_of_the_record() -> None:
    check = SplatsCheck(read_splats)

    assert check(Artifact(ply(rows()), "a.ply", "")) == {
        "splats": 3.0,
        "low_x": 0.0,
        "low_y": 10.0,
        "low_z": -1.0,
        "high_x": 2.0,
        "high_y": 14.0,
        "high_z": -1.0,
        "extent_x": 2.0,
        "extent_y": 4.0,
        "extent_z": 0.0,
    }
    with pytest.raises(ServiceError, match=r"nan_splats: a\.ply: "):
        check(Artifact(changed("x", nan), "a.ply", ""))
    with pytest.raises(CannotInspectError):
        check(Artifact(b"\x1f\x8b\x08\0\0", "a.spz", ""))


def test_a_placeholder_fails_unless_it_is_allowed() -> None:
    one = Artifact(ply(rows(1)), "a.ply", "")

    with pytest.raises(ServiceError, match=r"placeholder: a\.ply has 1 splats"):
        SplatsCheck(read_splats)(one)
    assert SplatsCheck(read_splats, allow_placeholder=True)(one)["splats"] == 1


class Splatting(Scripted):
    inspection = "splats"


@pytest.fixture
def no_inspector_left() -> Iterator[None]:
    yield
    shared().close()


@pytest.mark.processes
def test_a_service_file_may_make_splats(no_inspector_left: None) -> None:
    inspect = inspection_of(Splatting(SERVICE, Clock()))
    numbers = inspect(Artifact(ply(rows()), "a.ply", ""))

    assert numbers["splats"] == 3
    assert set(numbers) == {metric.key for metric in Splatting.measures(RequestSettings())}
    with pytest.raises(ServiceError, match="not_splats"):
        inspect(Artifact(MESH, "a.ply", ""))
