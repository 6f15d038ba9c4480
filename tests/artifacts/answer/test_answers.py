"""What the inspector finds in answers: values at paths, base64 of any length, members of zips."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.answer import encoded as module
from genload.artifacts.answer.archive import unpack
from genload.artifacts.answer.encoded import decoded, parted
from genload.artifacts.answer.facts import AnswerError
from genload.artifacts.answer.paths import found
from genload.artifacts.answer.reader import read_answer

from ...services.scripted_description import zipped

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
PATHS = ["a", "a.b", "b[0]", "length(@)", "c", "a.b.c"]


@given(JSON)
def test_what_is_found_is_what_would_be_found_here(tree: Any) -> None:
    written: list[bytes] = []
    facts = read_answer(json.dumps(tree).encode(), PATHS, "", written.append)

    assert facts.values == {path: found(path, tree) for path in PATHS}
    assert not written and facts.decoded_bytes is None and not facts.long


def test_what_is_large_is_named_and_not_handed_back() -> None:
    tree = {"a": "x" * (2 << 20), "status": "done", "output": base64.b64encode(b"mesh").decode()}
    written: list[bytes] = []
    facts = read_answer(json.dumps(tree).encode(), ["a", "status", "output"], "output", written.append)

    assert facts.values == {"status": "done"} and facts.long == ["a", "output"]
    assert (b"".join(written), facts.decoded_bytes, facts.media_type) == (b"mesh", 4, "")


def test_an_answer_that_is_no_json_or_has_no_base64_is_told() -> None:
    with pytest.raises(AnswerError, match="bad_answer"):
        read_answer(b"<html>", ["a"], "", len)
    with pytest.raises(AnswerError, match="bad_answer"):
        read_answer(b"[" * 100_000, ["a"], "", len)
    assert read_answer(b'{"a": "%%%"}', ["a"], "a", len).bad_base64
    assert read_answer(b'{"a": 7}', ["a"], "a", len).values == {"a": 7}
    assert read_answer(b'{"a": NaN, "b": 1}', ["b"], "", len).values == {"b": 1}


@given(st.binary(max_size=200), st.integers(1, 40), st.data())
def test_base64_is_the_same_in_pieces_of_any_length_with_blanks_anywhere(
    content: bytes, piece: int, data: st.DataObject
) -> None:
    text = base64.b64encode(content).decode()
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(text)))
        text = text[:place] + data.draw(st.sampled_from([" ", "\n", "\r\n", "\t"])) + text[place:]
    uri = data.draw(st.sampled_from(["", "data:model/stl;base64,", "data:;base64,"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIECE_CHARACTERS", piece)
        media_type, begin = parted(uri + text)
        assert b"".join(decoded(uri + text, begin)) == content
    assert media_type == ("model/stl" if "model" in uri else "")


@given(st.text(st.sampled_from("AQg=%é"), max_size=30), st.integers(1, 12))
def test_what_is_no_base64_as_a_whole_is_none_in_pieces(text: str, piece: int) -> None:
    try:
        whole = base64.b64decode(text, validate=True)
    except ValueError:
        whole = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_PIECE_CHARACTERS", piece)
        if whole is None:
            with pytest.raises(ValueError, match=r".+"):
                b"".join(decoded(text))
        else:
            assert b"".join(decoded(text)) == whole


def test_a_member_of_a_zip_is_written_and_a_bomb_is_not() -> None:
    packed = zipped(**{"readme.txt": b"x", "out/model.obj": bytes(3 << 20)})
    written: list[bytes] = []
    member = unpack(packed, "*.obj", 3 << 20, written.append)
    assert (member.name, member.size_bytes, b"".join(written)) == ("model.obj", 3 << 20, bytes(3 << 20))

    bomb = zipped(bomb=bytes(64 << 20))
    tracemalloc.start()
    with pytest.raises(AnswerError, match=r"too_large: 'bomb' unpacks to more than 1,048,576 bytes"):
        unpack(bomb, "*", 1 << 20, len)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20


@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_damaged_zip_is_a_bad_zip_whatever_the_damage(rubbish: bytes, place: int) -> None:
    packed = zipped(**{"a.obj": b"v 0 0 0\n" * 50})
    damaged = packed[:place] + rubbish + packed[place + len(rubbish) :]
    try:
        unpack(damaged, "*.obj", 1 << 20, len)
    except AnswerError as error:
        assert error.error_class in ("bad_zip", "too_large")
