"""`then`: which suites follow one, how they are found, and what is wrong with a list of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genload.errors import ConfigError
from genload.settings.loader import LoadedSuite, load_suite
from genload.settings.wing_models import WingModels

Write = Callable[..., Path]
Follow = Callable[..., tuple[str, ...]]


@pytest.fixture
def suites(write: Write, tmp_path: Path) -> Callable[..., None]:
    """Write suites that differ in what follows them: ``suites(one="[two]", two="[]")``."""

    def write_all(**then: str) -> None:
        whole = write().read_text()
        for name, names in then.items():
            write(f"then: {names}\n{whole}", name=f"{name}.yaml")

    return write_all


@pytest.fixture
def after(tmp_path: Path, wings: WingModels) -> Follow:
    """What follows a suite of the temporary folder."""

    def read(name: str, *overrides: str) -> tuple[str, ...]:
        loaded: LoadedSuite = load_suite(name, folders=[tmp_path], wings=wings, overrides=overrides)
        return loaded.then

    return read


def test_those_behind_a_follower_come_right_after_it_and_each_once(
    suites: Callable[..., None], after: Follow
) -> None:
    suites(one="[two, three]", two="[four, three]", three="[]", four="[]")
    assert after("one") == ("two", "four", "three")
    assert after("two") == ("four", "three")
    assert after("four") == ()


def test_the_command_line_may_leave_them_out_or_name_others(
    suites: Callable[..., None], after: Follow
) -> None:
    suites(one="[two]", two="[]", three="[]")
    assert after("one", "then=[]") == ()
    assert after("one", "then=[three]") == ("three",)


def test_a_path_is_from_the_file_that_names_it(
    write: Write, tmp_path: Path, wings: WingModels, suites: Callable[..., None], after: Follow
) -> None:
    suites(one="[below/two.yaml]")
    whole = write().read_text()
    below = write(f"then: [three, four.yaml]\n{whole}", name="below/two.yaml")
    three, four = write(name="below/three.yaml"), write(name="below/four.yaml")
    then = after("one")
    assert then == (str(below), str(three), str(four))
    # As the command line finds them again.
    for target in then:
        assert load_suite(target, folders=[tmp_path], wings=wings).path == Path(target)


def test_a_project_s_own_suite_comes_before_a_builtin_one(
    write: Write, tmp_path: Path, wings: WingModels
) -> None:
    whole = write().read_text()
    write(f"then: [two]\n{whole}", name="builtin/one.yaml")
    builtin = write(name="builtin/two.yaml")
    folders = [tmp_path / "own", tmp_path / "builtin"]
    assert load_suite("one", folders=folders, wings=wings).then == ("two",)
    write(name="own/two.yaml")
    assert load_suite("one", folders=folders, wings=wings).then == ("two",)
    assert load_suite("two", folders=folders, wings=wings).path != builtin


def test_what_follows_belongs_to_its_own_file(
    write: Write, suites: Callable[..., None], after: Follow
) -> None:
    suites(one="[two]", two="[]")
    write("extends: one\n", name="child.yaml")
    assert after("child") == ()
    write("extends: one\nthen: null\n", name="child.yaml")
    assert after("child") == ()


@pytest.mark.parametrize(
    ("then", "others", "file", "said", "remedy"),
    [
        ("[on]", {}, "one.yaml", "no suite 'on'", "'one'"),
        ("[gone.yaml]", {}, "one.yaml", "no file", "path"),
        ("[one]", {}, "one.yaml", "circle: one.yaml → one.yaml", "take one"),
        ("[two]", {"two": "[one.yaml]"}, "two.yaml", "circle: one.yaml → two.yaml → one.yaml", "take one"),
        ("[two]", {"two": "[nope]"}, "two.yaml", "no suite 'nope'", "one"),
        ("[two]", {"two": "[[one]]"}, "two.yaml", "takes names or paths", "then: [litetts]"),
        ("two", {"two": "[]"}, "one.yaml", "tuple", "[one, two]"),
        ("[{two: 1}]", {"two": "[]"}, "one.yaml", "string", "text"),
        ('["a\\0b"]', {}, "one.yaml", "takes names or paths", "then"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(
    suites: Callable[..., None],
    after: Follow,
    then: str,
    others: dict[str, str],
    file: str,
    said: str,
    remedy: str,
) -> None:
    suites(one=then, **others)
    with pytest.raises(ConfigError) as caught:
        after("one")
    error = caught.value
    assert (Path(error.file).name, error.line, error.key.partition(".")[0]) == (file, 1, "then")
    assert said in error.message and remedy in error.remedy
