"""Secrets that expire: asked for again in time, by one at a time, and never shown."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from genload.errors import ConfigError
from genload.settings.secrets import hide, reveal
from genload.settings.token_commands import Printed, TokenCommand, understood

from ..clock import Clock


@pytest.mark.parametrize(
    ("output", "printed"),
    [
        ("abc\n", Printed("abc", 300.0)),
        ('{"access_token": "abc", "expires_in": 3600, "token_type": "Bearer"}', Printed("abc", 3600.0)),
        ('{"token": "abc"}', Printed("abc", 300.0)),
        (
            '{"status": {"token": "abc", "expirationTimestamp": "1970-01-01T01:00:00Z"}}',
            Printed("abc", 3000.0),
        ),
    ],
)
def test_a_secret_and_how_long_it_holds(output: str, printed: Printed) -> None:
    assert understood(output, wall_s=600.0) == printed


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (" \n", "nothing"),
        ('{"access_token": "abc"', "JSON that is none"),
        ('{"expires_in": 3}', "neither access_token nor token"),
        ('{"token": 7}', "neither access_token nor token"),
        ('{"token": "abc", "expirationTimestamp": "soon"}', "is no time"),
    ],
)
def test_what_is_no_secret_is_said_without_it(output: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        understood(output, wall_s=0.0)
    assert "abc" not in str(raised.value)


class Command:
    """Prints another secret each time, which holds for 100 s, and counts; or fails."""

    def __init__(self) -> None:
        self.clock, self.runs, self.fails = Clock(0.0), 0, False
        self.waiting: list[Callable[[], None]] = []
        self.token = TokenCommand(
            "give one", run=self._run, beside=self.waiting.append, clock=self.clock, wall=self.clock
        )

    def _run(self, words: str) -> str:
        assert words == "give one"
        self.runs += 1
        if self.fails:
            raise OSError(2, "No such file or directory")
        return f'{{"token": "secret {self.runs}", "expires_in": 100}}'

    def at(self, now_s: float) -> str:
        self.clock.now_s = now_s
        return self.token.secret()


def test_it_is_asked_for_again_beside_the_load_before_it_expires() -> None:
    command = Command()
    assert [command.at(0.0), command.at(79.0)] == ["secret 1", "secret 1"]
    assert [command.at(80.0), command.at(81.0)] == ["secret 1", "secret 1"], "nobody waits"
    (renew,) = command.waiting
    renew()
    assert [command.at(82.0), command.at(160.0)] == ["secret 2", "secret 2"]
    assert command.runs == 2


def test_a_command_that_fails_is_told_of_when_the_secret_has_expired() -> None:
    command = Command()
    command.at(0.0)
    command.fails = True
    for now_s in (80.0, 85.0, 91.0, 99.0):
        assert command.at(now_s) == "secret 1"
        while command.waiting:
            command.waiting.pop()()
    assert command.runs == 3, "tried again after ten seconds, not with each request"
    with pytest.raises(ConfigError, match=r"\(give one\) gave none: No such file"):
        command.at(100.0)
    command.fails = False
    assert command.at(101.0) == "secret 5"


@pytest.mark.processes
def test_a_real_command_is_no_matter_for_a_shell() -> None:
    words = f"{sys.executable} -c \"print('word-of-a-command; $HOME')\""
    assert reveal(f"Bearer ${{command:{words}}}") == "Bearer word-of-a-command; $HOME"
    assert hide("you sent word-of-a-command; $HOME") == f"you sent ${{command:{words}}}"


@pytest.mark.processes
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("no-such-program-here --token", "No such file"),
        (
            f"{sys.executable} -c \"import sys; print('half-a-secret'); sys.exit('log in first')\"",
            "code 1: log in",
        ),
        ("unbalanced 'quote", "No closing quotation"),
    ],
)
def test_a_command_that_does_not_work_is_a_mistake_of_the_suite(words: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        reveal(f"${{command:{words}}}")
    assert "half-a-secret" not in raised.value.render().replace(words, "")
