"""Whatever a client's own code raises becomes a failed request that says what and where."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import GreenletExit
from gevent.event import Event
from locust.exception import InterruptTaskSet, RescheduleTask, StopUser

from genload.artifacts.usual import inspection_of
from genload.code_errors import CodeError, CodeFailure, class_of, code_told, place_of
from genload.errors import ConfigError, ExitCode
from genload.orders import is_order, note_kill
from genload.service import Artifact, JobState

from ..clock import Clock
from ..drivers.scripted_job import DONE, SERVICE, Scripted, drive, job_of

HERE = Path(__file__).name
CALLS = ["upload", "submit", "poll", "fetch"]
RAISED = [
    IndexError("list index out of range"),
    StopUser(),
    RescheduleTask(),
    InterruptTaskSet(),
    GreenletExit(),
]


def caught(raising: Any) -> BaseException:
    try:
        raising()
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    "error", [*RAISED, SystemExit(2), gevent.Timeout(1.0)], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_a_call_raises_is_a_failure_of_the_clients_own_code(call: str, error: BaseException) -> None:
    result, client = drive(**{call: [(3.0, error)]})

    assert (result.outcome, result.error_class) == ("failed", "client_error")
    assert "scripted_job.py:" in result.error and type(error).__name__ in result.error
    assert result.duration_s >= 3.0
    assert client.calls[-1] == call  # the service is not asked again


def test_a_validator_that_raises_keeps_the_output_that_it_raised_at() -> None:
    def inspect(artifact: Artifact) -> dict[str, float]:
        raise KeyError("faces")

    result, _ = drive(inspect=inspect)

    assert (result.outcome, result.error_class) == ("failed", "client_error")
    assert HERE in result.error and "in inspect: KeyError: 'faces'" in result.error
    assert result.failed_output is not None and result.failed_output.content == b"mesh"


@pytest.mark.parametrize("found", [5, {"faces": "many"}, {"faces": None}, ["faces"]], ids=repr)
def test_a_validator_must_give_numbers(found: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "inspect", lambda self, artifact: found)
    client = Scripted(SERVICE, Clock())

    result = job_of(client, inspect=inspection_of(client)).run()

    assert (result.outcome, result.error_class) == ("failed", "client_error")
    assert HERE in result.error and "it must return numbers by name" in result.error


@pytest.mark.parametrize(("call", "wanted"), [("upload", "str"), ("fetch", "Artifact"), ("poll", "JobState")])
def test_a_call_that_gives_nothing_back_is_named(
    call: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scripted, call, lambda *_: None)

    result, _ = drive()

    assert (result.outcome, result.error_class) == ("failed", "client_error")
    assert HERE in result.error and f"must return a {wanted}, and returned None" in result.error


def test_a_cancel_that_raises_leaves_the_failure_its_reason() -> None:
    result, _ = drive(poll=[(200.0, DONE)], cancel=[IndexError("no such job")])

    assert (result.outcome, result.error_class) == ("failed", "timeout")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "client_limit"),
        (OSError(errno.EMFILE, "Too many open files"), "client_limit"),
        (OSError(errno.EADDRNOTAVAIL, "no ports"), "client_limit"),
        (OSError(errno.ECONNREFUSED, "no"), "client_error"),
        (IndexError(), "client_error"),
    ],
)
def test_a_limit_of_this_machine_is_no_mistake_in_the_code(error: Exception, expected: str) -> None:
    def wrapped() -> None:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("a library's own words") from cause

    assert class_of(error) == class_of(caught(wrapped)) == expected
    assert drive(upload=[error])[0].error_class == expected


def test_the_place_is_the_innermost_line_of_a_users() -> None:
    def poll() -> JobState:
        return JobState(int("x" * 3))  # type: ignore[arg-type]

    failure = CodeFailure.of(caught(poll))

    assert failure.place == f"tests/services/{HERE}:{poll.__code__.co_firstlineno + 1} in poll"
    assert failure.words == "ValueError: invalid literal for int() with base 10: 'xxx'"
    assert "Traceback" in failure.trace and failure.told == f"{failure.place}: {failure.words}"


def test_a_library_is_not_blamed_for_what_it_was_given() -> None:
    def asked() -> None:
        Path(3)  # type: ignore[arg-type]

    assert place_of(caught(asked)).endswith("in asked")


def test_words_that_cannot_be_had_are_no_further_failure() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert CodeFailure.of(BrokenError()).words == "BrokenError: (it cannot be printed)"


def raise_exit() -> None:
    raise GreenletExit


def test_a_kill_is_an_order_and_raising_the_same_is_a_mistake() -> None:
    assert not is_order(caught(raise_exit))
    assert is_order(killed(lambda: gevent.sleep(60)))
    assert is_order(killed(Event().wait))


def test_whoever_was_killed_may_raise_the_same_again() -> None:
    def clean_up() -> None:
        with suppress(GreenletExit):
            gevent.sleep(60)
        raise GreenletExit

    assert killed(clean_up, noted=True, judge=is_order)
    assert not killed(clean_up, judge=is_order)


def killed(waiting: Any, *, noted: bool = False, judge: Any = lambda error: error) -> Any:
    """What `judge` says, in its greenlet, of what a kill made of it."""
    greenlet = gevent.spawn(lambda: judge(caught(waiting)))
    gevent.sleep(0)
    if noted:
        note_kill(greenlet)
    greenlet.kill()
    return greenlet.value


def test_ctrl_c_is_an_order_to_the_main_greenlet_alone() -> None:
    assert is_order(KeyboardInterrupt())
    assert gevent.spawn(is_order, KeyboardInterrupt()).get() is False


def test_only_a_users_code_is_told_of() -> None:
    with pytest.raises(CodeError) as told, code_told():
        raise IndexError("mine")
    assert told.value.exit_code is ExitCode.USAGE
    assert "IndexError: mine" in told.value.render() and "→ mend that line" in told.value.render()

    with pytest.raises(ConfigError), code_told():
        raise ConfigError("as ever")
