"""Texts with names, JSON paths and JSON Pointers, without any service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.artifacts.answer.paths import found, there_is
from genload.described.pointer import put
from genload.described.template import Template
from genload.described.values import Values
from genload.service import JobInput

VALUES = Values(JobInput("a.png", b"x", "image/png"), "r1")
VALUES.captured = {"id": 7, "name": "n", "many": [1, 2]}


@given(st.text())
def test_any_text_whose_braces_are_written_twice_is_itself(text: str) -> None:
    template = Template(text.replace("$", "").replace("{", "{{").replace("}", "}}"))

    assert template.text(VALUES) == text.replace("$", "") and not template.names


@given(st.text())
def test_any_text_is_a_template_or_refused_with_what_is_wrong(text: str) -> None:
    try:
        assert all(name for name in Template(text).names)
    except ValueError as error:
        assert str(error).endswith("is no name")


def test_a_text_that_is_one_name_is_its_value_and_any_other_a_text() -> None:
    assert Template("{id}").value(VALUES) == 7
    assert Template("{many}").value(VALUES) == [1, 2]
    assert Template("{id}-{name}").value(VALUES) == "7-n"
    assert Template("{{id}}").value(VALUES) == "{id}"
    assert Template("/a/{id}/{image.name}").names == ("id", "image.name")


def test_the_same_input_has_the_same_seed_and_another_one_another() -> None:
    again = Values(JobInput("a.png", b"y", "image/png"), "r2")
    other = Values(JobInput("b.png", b"x", "image/png"), "r3")

    assert VALUES["seed"] == again["seed"] != other["seed"]
    assert other.number == again.number + 1 and again["uuid"] == "r2"


KEYS = st.text(min_size=1)
TREES = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(KEYS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=3), st.data())
def test_a_pointer_replaces_the_one_place_that_it_leads_to(tree: dict[str, Any], data: st.DataObject) -> None:
    at: Any = tree
    pointer, way = "", []
    while isinstance(at, dict | list) and (not way or data.draw(st.booleans())):
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        way.append(data.draw(st.sampled_from(keys)))
        pointer += "/" + str(way[-1]).replace("~", "~0").replace("/", "~1")
        at = at[way[-1]]
    before = json.loads(json.dumps(tree))
    put(tree, pointer, "new")

    for key in way[:-1]:
        tree, before = tree[key], before[key]
    assert tree[way[-1]] == "new"
    before[way[-1]] = "new"
    assert tree == before


@pytest.mark.parametrize("pointer", ["/x", "/a/b", "/a/7", "/a/0/b", "/a/-"])
def test_a_pointer_to_nothing_says_how_far_it_got(pointer: str) -> None:
    with pytest.raises(ValueError, match="there is no"):
        put({"a": [1, 2]}, pointer, 3)


@pytest.mark.parametrize(
    ("path", "tree", "value"),
    [
        ("a.b", {"a": {"b": 3}}, 3),
        ("a.b", {"a": [1]}, None),
        ("a[0]", {"a": "text"}, None),
        ("length(a)", {"a": None}, None),
        ("sum([length(a), length(b)])", {"a": [1], "b": [2, 3]}, 3),
        ("a", "no object", None),
        ("a[?b=='x'] | [0].c", {"a": [{"b": "y"}, {"b": "x", "c": 1}]}, 1),
    ],
)
def test_a_path_finds_its_value_or_nothing_whatever_the_answer_is(path: str, tree: Any, value: Any) -> None:
    assert found(path, tree) == value


@given(TREES)
def test_what_is_there_is_told_in_one_line_of_bounded_length(tree: Any) -> None:
    assert len(there_is(tree)) < 100_000 and there_is(tree)


def test_what_is_there_names_two_levels_of_keys() -> None:
    assert there_is({"a": {"b": 1, "c": 2}, "d": []}) == "it has a.b, a.c, d"
    assert there_is([{"a": 1}]) == "it is a list of 1; of the first: it has a"
    assert there_is({}) == "it is an empty object" and there_is("word") == "it is 'word'"
    assert there_is({f"k{n}": n for n in range(1000)}).count(",") == 20
