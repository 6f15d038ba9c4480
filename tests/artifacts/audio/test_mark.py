"""A mark is found wherever it lies: as `bytes.find` finds it, one place after the other."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genload.artifacts.audio.mark import Mark


def places_by_find(mark: bytes, content: bytes, first: int) -> list[int]:
    places, at = [], content.find(mark, first)
    while at >= 0:
        places.append(at)
        at = content.find(mark, at + 1)
    return places


@given(
    mark=st.binary(min_size=1, max_size=4).map(lambda half: half + half[::-1]),
    pieces=st.lists(st.one_of(st.binary(max_size=5), st.none()), max_size=8),
    first=st.integers(0, 12),
)
@example(mark=b"abba", pieces=[b"x", None, b"b", None, None], first=1)
@example(mark=b"\0\0", pieces=[bytes(5)], first=0)
def test_every_place_from_the_first_on_is_found(mark: bytes, pieces: list[bytes | None], first: int) -> None:
    content = b"".join(mark if piece is None else piece for piece in pieces)
    expected = places_by_find(mark, content, first)

    assert Mark(mark).places(content, first).tolist() == expected
    assert Mark(mark).places(memoryview(content), first, every=2).tolist() == [
        at for at in expected if (at - first) % 2 == 0
    ]


@pytest.mark.parametrize(("mark", "loudest"), [(b"WAVEfmt ", 28006), (b"\x01\x00\xff\x7f", 32767)])
def test_the_loudest_is_what_its_bytes_are_as_samples(mark: bytes, loudest: int) -> None:
    assert Mark(mark).loudest == loudest
