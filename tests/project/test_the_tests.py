"""What holds of every test: none waits for a time where it can wait for something to happen, and there is one
clock and one scripted server.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
LONGEST_S = 0.2
FOR_EVER_S = 30.0
"""Who sleeps so long stands for one that hangs, and is ended by the test."""
_IN_A_PROGRAM = re.compile(r"\bsleep\(([\d.e_]+)\)")


def too_long(source: str) -> Iterator[str]:
    """The fixed sleeps of a module, and of the programs in its texts, that are longer than they may be."""
    tree = ast.parse(source)
    given = dict[str, list[ast.expr]]()
    for name, value in _given(tree):
        given.setdefault(name, []).append(value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (found[0] for found in _IN_A_PROGRAM.finditer(node.value) if _long(float(found[1])))
        elif _is_sleep(node) and isinstance(node, ast.Call):
            seconds = node.args[0]
            values = given.get(seconds.id, [seconds]) if isinstance(seconds, ast.Name) else [seconds]
            if any(map(_may_be_long, values)):
                yield f"line {node.lineno}: {ast.unparse(node)}"


def _given(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """What the module's constants, parameters and keywords are given, by their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args][::-1]
            yield from ((arg.arg, value) for arg, value in zip(named, node.defaults[::-1], strict=False))
            yield from (
                (arg.arg, value)
                for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
                if value is not None
            )
        elif isinstance(node, ast.keyword) and node.arg is not None:
            yield node.arg, node.value


def _may_be_long(seconds: ast.expr) -> bool:
    """What is no number cannot be seen to be short."""
    known = isinstance(seconds, ast.Constant) and isinstance(seconds.value, int | float)
    return not known or _long(ast.literal_eval(seconds))


def _is_sleep(node: ast.AST) -> bool:
    """``time.sleep``, ``gevent.sleep`` or a bare ``sleep``; not that of a clock, which waits for nothing."""
    if not isinstance(node, ast.Call) or len(node.args) != 1:
        return False
    called = node.func
    if isinstance(called, ast.Attribute):
        return called.attr == "sleep" and ast.unparse(called.value) in ("time", "gevent", "asyncio")
    return isinstance(called, ast.Name) and called.id == "sleep"


def _long(seconds: float) -> bool:
    return LONGEST_S < seconds < FOR_EVER_S


def modules() -> list[Path]:
    return sorted(path for path in TESTS.rglob("*.py"))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("time.sleep(0.2)", 0),
        ("time.sleep(0.3)", 1),
        ("import gevent\ngevent.sleep(3)", 1),
        ("sleep(1)", 1),
        ("PAUSE_S = 0.1\ntime.sleep(PAUSE_S)", 0),
        ("PAUSE_S = 2\ntime.sleep(PAUSE_S)", 1),
        ("time.sleep(2 * 0.1)", 1),
        ("def f(pause_s=0.0): time.sleep(pause_s)\nf(pause_s=0.1)", 0),
        ("def f(*, pause_s=0.0): time.sleep(pause_s)\nf(pause_s=0.5)", 1),
        ("def f(pause_s): time.sleep(pause_s)", 1),
        ("lambda: gevent.sleep(60)", 0),
        ("clock.sleep(5.0)", 0),
        ("PROGRAM = 'import time\\ntime.sleep(0.5)'", 1),
        ("PROGRAM = f'{x}; time.sleep(0.1); time.sleep(3600)'", 0),
    ],
)
def test_a_long_sleep_is_seen(source: str, found: int) -> None:
    assert len(list(too_long(source))) == found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_sleeps_longer_than_a_fifth_of_a_second(path: Path) -> None:
    if path != Path(__file__):
        assert list(too_long(path.read_text(encoding="utf-8"))) == []


def test_there_is_one_clock_and_one_scripted_server() -> None:
    makes_its_own = re.compile(
        r"^class \w*Clock\b|^import socketserver|^from (socketserver|http\.server) ", re.M
    )
    found = [
        str(path.relative_to(TESTS))
        for path in modules()
        if makes_its_own.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["clock.py"]
