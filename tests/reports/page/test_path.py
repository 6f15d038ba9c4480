"""Points as paths: what an SVG reader finds in them are the points."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genload.reporting.page import path

Point = tuple[int, int]
POINTS = st.lists(st.tuples(st.integers(-1000, 11_000), st.integers(-100, 1100)), max_size=30)


def read(drawn: str) -> list[list[Point]]:
    """The subpaths, as the SVG specification reads these commands."""
    found: list[list[Point]] = []
    x = y = 0
    for move, text in re.findall(r"([MmlhvzH])([^MmlhvzH]*)", drawn):
        numbers = [int(number) for number in re.findall(r"-?\d+", text)]
        if move == "z":
            continue
        if move == "M":
            x, y = numbers
        elif move == "h":
            x += numbers[0]
        elif move == "v":
            y += numbers[0]
        else:
            x, y = x + numbers[0], y + numbers[1]
        if move in "Mm":
            found.append([])
        found[-1].append((x, y))
    return found


def columns(points: list[Point]) -> tuple[path.Steps, path.Steps]:
    table = np.array(points, dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@given(POINTS)
def test_dots_are_lines_of_no_length(points: list[Point]) -> None:
    assert read(path.dots(*columns(points))) == [[point, point] for point in points]


@given(POINTS)
def test_a_line_goes_through_its_points(points: list[Point]) -> None:
    expected = [points] if len(points) > 1 else [[point, point] for point in points]
    assert read(path.line(*columns(points))) == expected


@given(POINTS, st.data())
def test_a_line_is_interrupted_at_its_holes_and_a_point_alone_is_a_dot(
    points: list[Point], data: st.DataObject
) -> None:
    holes = data.draw(st.lists(st.booleans(), min_size=len(points), max_size=len(points)))
    pieces: list[list[Point]] = []
    for point, hole in zip(points, holes, strict=True):
        if hole or not pieces:
            pieces.append([])
        pieces[-1].append(point)
    expected = [piece * 2 if len(piece) == 1 else piece for piece in pieces]
    assert read(path.line(*columns(points), np.array(holes, dtype=np.bool_))) == expected


@given(POINTS)
def test_stairs_stay_until_the_next_point_comes(points: list[Point]) -> None:
    expected = points[:1]
    for (_, y), (x, then) in pairwise(points):
        expected += [(x, y), (x, then)]
    assert read(path.stairs(*columns(points))) == ([expected] if points else [])


def test_an_area_goes_there_on_its_upper_edge_and_back_on_its_lower() -> None:
    x, upper = columns([(0, 10), (5, 20)])
    assert read(path.area(x, upper, np.array([30, 40]))) == [[(0, 10), (5, 20), (5, 40), (0, 30)]]
    assert path.area(x[:0], upper[:0], upper[:0]) == ""


def test_what_lies_beyond_the_axis_is_drawn_a_little_past_its_end() -> None:
    assert path.steps_across([0.0, 5.0, 10.0, 1e300, -1e300], 0.0, 10.0).tolist() == [
        0,
        5000,
        10_000,
        11_000,
        -1000,
    ]
    assert path.steps_down([0.0, 10.0, 1e300], 0.0, 10.0).tolist() == [1000, 0, -100]
    assert path.steps_across([3.0], 3.0, 3.0).tolist() == [0]


@pytest.mark.parametrize("count", [1000])
def test_a_point_takes_about_eight_bytes(count: int) -> None:
    x = np.linspace(0, path.WIDTH, count).astype(np.int64)
    y = (500 + 400 * np.sin(np.arange(count))).astype(np.int64)
    assert len(path.line(x, y)) < 9 * count
