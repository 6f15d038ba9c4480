"""YAML with places: its scalars, its bounds, and that no bytes crash it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genload.errors import ConfigError
from genload.settings.yaml_tree import MAX_BYTES, read_tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("no", "no"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("'5'", "5"),
        ("90s", "90s"),
        ("9" * 400, float("inf")),
        (".5", 0.5),
        ("[1, null, a]", [1, None, "a"]),
        ("{a: null, b: , c: ~, d: x}", {"b": None, "d": "x"}),
        ("a{phase=x} < 5%", "a{phase=x} < 5%"),
    ],
)
def test_reads_scalars_as_yaml_1_2(text: str, value: Any) -> None:
    assert read_tree(f"k: {text}\n", "x.yaml").data() == {"k": value}


def test_knows_where_each_part_was_written() -> None:
    tree = read_tree("a:\n  b: 1\n  c:\n    - x\n    - y\n", "x.yaml")
    lines = {
        path: tree.nearest(path).line for path in [("a",), ("a", "b"), ("a", "c", 1), ("a", "gone", "x")]
    }
    assert lines == {("a",): 1, ("a", "b"): 2, ("a", "c", 1): 5, ("a", "gone", "x"): 1}


def nested_by_aliases(levels: int, width: int) -> bytes:
    """Anchors of which each holds the one before `width` times."""
    lines = ["a: &x0 [1]"]
    lines += [f"a{i}: &x{i} [{','.join([f'*x{i - 1}'] * width)}]" for i in range(1, levels)]
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\xff", "not UTF-8"),
        (b"a: \x00\n", "special characters"),
        (b"[" * 2000, "nested more than"),
        (b"- " * 2000, "nested more than"),
        (b"a" * (MAX_BYTES + 1), "larger than"),
        (nested_by_aliases(99, 1), "deep by aliases"),
        (nested_by_aliases(9, 9), "aliases spelt out"),
    ],
    ids=["binary", "control character", "flow", "block", "size", "alias chain", "alias bomb"],
)
def test_no_file_exhausts_the_reader(content: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_tree(content, "x.yaml")
    assert caught.value.file == "x.yaml" and caught.value.remedy


ALPHABET = "-:[]{},&*!|>'\"#%@` \n\tax1<?~"


@given(content=st.binary(max_size=60) | st.text(ALPHABET, max_size=40).map(str.encode))
@example(b"!!int x")
@example(b"!!float ''")
@example(b"? ")
@example(b"&a : *a")
@example(b"<<: <<")
@example(b"{<<: [{a: 1}, *b]}")
def test_any_bytes_are_a_tree_or_a_config_error(content: bytes) -> None:
    try:
        tree = read_tree(content, "x.yaml")
    except ConfigError as error:
        assert error.file == "x.yaml" and error.remedy
    else:
        assert tree.place.file == "x.yaml"
        tree.data()
