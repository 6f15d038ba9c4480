"""Many listeners over one inspector's process: batches, a child that dies, memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc

import gevent
import numpy as np
import pytest

from genload.artifacts.audio.facts import AudioError, RawSamples
from genload.artifacts.audio.listener import Heard
from genload.artifacts.duplicates import OutputRegistry
from genload.artifacts.inspector import handle
from genload.artifacts.inspector.inspector import Inspector
from genload.artifacts.inspector.messages import AudioTask
from genload.artifacts.mesh.facts import MeshError

from ..audio.listened import answered, asked, error_of, listener, what_is_heard
from ..audio.sounds import RATE_HZ, encoded, pcm16, spoken, tone, wav

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _asked_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short plain samples, which need no inspector, go there, too."""
    monkeypatch.setattr("genload.artifacts.audio.listener.AT_ONCE_BYTES", 0)


# --- many at a time ---------------------------------------------------------------------------------


def test_greenlets_get_their_own_answers_whatever_is_between_them(inspector: Inspector) -> None:
    lengths_s = [0.2 + 0.1 * (n % 7) for n in range(60)]
    one = listener(inspector)
    jobs = [
        gevent.spawn(one.listen, answered(spoken("wav", length_s)), asked(n))
        for n, length_s in enumerate(lengths_s)
    ]
    broken = [gevent.spawn(what_is_heard, one, answered(wav(pcm16(np.zeros(100)))), n) for n in range(20)]
    meshes = [gevent.spawn(_mesh_error, inspector) for _ in range(5)]
    gevent.joinall([*jobs, *broken, *meshes], raise_error=True)

    assert [job.value.numbers["audio_duration_s"] for job in jobs] == pytest.approx(lengths_s, abs=1e-4)
    assert {job.value for job in broken} == {"silent_audio"}
    assert {job.value for job in meshes} == {"not_a_mesh"}


def _mesh_error(inspector: Inspector) -> str:
    try:
        inspector.mesh(b"<html></html>")
    except MeshError as error:
        return error.error_class
    return ""


def test_what_waits_meanwhile_goes_together(
    own_inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    exchange = handle.InspectorProcess.exchange
    monkeypatch.setattr(
        handle.InspectorProcess,
        "exchange",
        lambda self, batch, files: sizes.append(len(batch.tasks)) or exchange(self, batch, files),
    )
    one = listener(own_inspector)
    jobs = [gevent.spawn(one.listen, answered(spoken("wav", 0.2)), asked(n)) for n in range(100)]
    gevent.joinall(jobs, raise_error=True)

    assert sum(sizes) == 100
    assert len(sizes) == 2  # 64 at a time


def test_an_answer_larger_than_the_shared_memory_goes_through(inspector: Inspector) -> None:
    content = wav(pcm16(tone(200.0)))
    text = "x" * 1000
    jobs = [gevent.spawn(listener(inspector).listen, answered(content), asked(n, text)) for n in range(3)]
    small = gevent.spawn(listener(inspector).listen, answered(spoken("wav")), asked())
    gevent.joinall([*jobs, small], raise_error=True)

    assert len(content) > 9_000_000
    assert {job.value.numbers["audio_duration_s"] for job in jobs} == {200.0}
    assert small.value.numbers["audio_duration_s"] == 1.0
    assert listener(inspector).listen(answered(spoken("wav")), asked()).numbers["valid"] == 1.0


# --- a child that dies ------------------------------------------------------------------------------

# Dies of a file that begins so, as libsndfile might of one with a bug for it; reads all others.
MORTAL = """
import os, sys
import genload.artifacts.inspector.child as child
real = child._audio
def mortal(task, content, output):
    if bytes(content[44:48]) == b"DIE!":
        os.abort()
    return real(task, content)
child.LOOKS[child.AudioTask] = mortal
child.main()
"""


def test_a_killed_child_is_replaced(own_inspector: Inspector) -> None:
    one = listener(own_inspector)
    one.listen(answered(spoken("wav")), asked())
    pid = own_inspector.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    jobs = [gevent.spawn(one.listen, answered(spoken("wav")), asked(n)) for n in range(5)]
    gevent.joinall(jobs, raise_error=True)

    assert own_inspector.pid != pid


def test_only_the_file_that_kills_the_child_is_given_up(
    own_inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = subprocess.Popen
    command = [sys.executable, "-c", MORTAL]
    monkeypatch.setattr(handle.subprocess, "Popen", lambda told, **how: real([*command, *told[4:]], **how))
    one = listener(own_inspector)
    deadly = wav(b"DIE!" + pcm16(tone(1.0)))
    contents = [spoken("wav"), deadly, spoken("wav", 0.7)]
    jobs = [gevent.spawn(what_is_heard, one, answered(content), n) for n, content in enumerate(contents)]
    gevent.joinall(jobs, raise_error=True)

    assert [job.value for job in jobs] == ["", "inspector", ""]


def test_closing_leaves_nobody_waiting(own_inspector: Inspector) -> None:
    own_inspector.start()
    one = listener(own_inspector)
    content = wav(pcm16(tone(8.0)))
    jobs = [gevent.spawn(what_is_heard, one, answered(content), n) for n in range(200)]
    gevent.sleep(0)
    gevent.sleep(0)
    own_inspector.close()
    gevent.joinall(jobs, timeout=200, raise_error=True)

    assert {job.value for job in jobs} <= {"", "inspector"}
    assert "inspector" in {job.value for job in jobs}
    assert one.listen(answered(spoken("wav")), asked()).numbers["valid"] == 1.0


def test_a_task_that_is_not_audio_is_refused_with_its_class(inspector: Inspector) -> None:
    task = AudioTask("flac", RawSamples(), True, False, 0.001, 10.0, [])
    with pytest.raises(AudioError) as caught:
        inspector.audio(task, b"fLaC")

    assert caught.value.error_class == "truncated"


# --- memory -----------------------------------------------------------------------------------------


def test_no_audio_is_kept_after_its_inspection(inspector: Inspector) -> None:
    one = listener(inspector, OutputRegistry())
    samples = np.frombuffer(pcm16(tone(1.0)), "<i2").copy()

    def listen(number: int) -> Heard:
        samples[number % 1000] += 1  # each another answer
        return one.listen(answered(wav(samples.tobytes())), asked(number, f"text number {number}"))

    gevent.joinall([gevent.spawn(listen, number) for number in range(100)], raise_error=True)
    tracemalloc.start()
    for start in range(100, 2100, 50):
        jobs = [gevent.spawn(listen, number) for number in range(start, start + 50)]
        gevent.joinall(jobs, raise_error=True)
    del jobs
    kept_bytes, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # 2,000 answers were 96 MB. What stays is the registry: some 300 bytes each.
    assert kept_bytes < 2_000_000
    assert peak_bytes < 12_000_000


def test_a_failure_holds_what_came_and_nothing_else_does(inspector: Inspector) -> None:
    one = listener(inspector, format="flac")
    content = encoded(np.zeros(RATE_HZ), "flac")
    error = error_of(one, answered(content))

    assert error.error_class == "silent_audio"
    assert error.output is not None
    assert error.output.content is content
    assert (error.output.name, error.output.media_type) == ("speech-1.flac", "audio/flac")
