"""The inspector's child process: answers, dies, hangs, and is never in the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import gevent
import psutil
import pytest
import trimesh

from genload.artifacts.inspector import handle as module
from genload.artifacts.inspector.inspector import Inspector
from genload.artifacts.mesh.facts import MeshError
from genload.artifacts.mesh.reader import read_mesh

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
SPHERE: bytes = trimesh.creation.icosphere(subdivisions=2).export(file_type="stl")


@pytest.fixture(scope="module")
def shared_child() -> Iterator[Inspector]:
    inspector = Inspector()
    yield inspector
    inspector.close()


@pytest.fixture
def inspector() -> Iterator[Inspector]:
    inspector = Inspector()
    yield inspector
    inspector.close()


def test_the_child_finds_what_this_process_would(shared_child: Inspector) -> None:
    assert shared_child.mesh(SPHERE, "stl") == read_mesh(SPHERE, "stl")


def test_a_bad_mesh_is_an_error_and_the_child_lives_on(shared_child: Inspector) -> None:
    shared_child.start()
    pid = shared_child.pid
    with pytest.raises(MeshError) as caught:
        shared_child.mesh(b"<html>", "stl")

    assert caught.value.error_class == "not_a_mesh"
    assert shared_child.mesh(SPHERE).faces == 320
    assert shared_child.pid == pid


def test_a_mesh_larger_than_a_pipe_goes_through(shared_child: Inspector) -> None:
    big = trimesh.creation.icosphere(subdivisions=6).export(file_type="stl")

    assert len(big) > 4_000_000
    assert shared_child.mesh(big).faces == 81_920


def test_greenlets_get_their_own_answers(shared_child: Inspector) -> None:
    meshes = [trimesh.creation.icosphere(subdivisions=n).export(file_type="ply") for n in (0, 1, 2, 3)] * 4
    jobs = [gevent.spawn(shared_child.mesh, mesh, "ply") for mesh in meshes]
    gevent.joinall(jobs, raise_error=True)

    assert [job.value.faces for job in jobs] == [20, 80, 320, 1280] * 4


def test_other_greenlets_run_while_the_child_works(shared_child: Inspector) -> None:
    big = trimesh.creation.icosphere(subdivisions=6).export(file_type="stl_ascii").encode()
    job = gevent.spawn(shared_child.mesh, big)
    turns = 0
    while not job.ready():
        gevent.sleep(0.001)
        turns += 1

    assert job.value.faces == 81_920
    assert turns > 20


def test_a_killed_child_is_replaced(inspector: Inspector) -> None:
    inspector.start()
    pid = inspector.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    assert inspector.mesh(SPHERE).faces == 320
    assert inspector.pid != pid


def test_a_file_that_kills_every_child_is_an_error_with_its_last_words(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = [sys.executable, "-c", "import sys; sys.exit('out of luck')"]
    real = subprocess.Popen
    monkeypatch.setattr(module.subprocess, "Popen", lambda _, **how: real(dying, **how))

    with pytest.raises(MeshError, match=r"died twice.*out of luck") as caught:
        inspector.mesh(SPHERE)

    assert caught.value.error_class == "inspector"


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    real = subprocess.Popen
    monkeypatch.setattr(module.subprocess, "Popen", lambda _, **how: real(endless, **how))
    inspector = Inspector(timeout_s=0.1)

    with pytest.raises(MeshError, match=r"not read within 100 ms") as caught:
        inspector.mesh(SPHERE)

    assert caught.value.error_class == "inspector"
    assert inspector.pid is None


def test_a_greenlet_killed_half_way_leaves_no_answer_to_the_next(inspector: Inspector) -> None:
    inspector.mesh(SPHERE)
    big = trimesh.creation.icosphere(subdivisions=6).export(file_type="stl")
    job = gevent.spawn(inspector.mesh, big)
    gevent.sleep(0)
    job.kill()

    assert inspector.mesh(SPHERE).faces == 320


def test_another_time_limit_is_left_to_its_owner(inspector: Inspector) -> None:
    big = trimesh.creation.icosphere(subdivisions=6).export(file_type="stl")
    limit = gevent.Timeout(0.001)
    with pytest.raises(gevent.Timeout) as caught, limit:
        inspector.mesh(big)

    assert caught.value is limit


def test_the_child_loads_neither_gevent_nor_what_asks_it() -> None:
    script = "import genload.artifacts.inspector.child, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=200,
        check=True,
    ).stdout.split()

    assert "genload.artifacts.inspector.messages" in loaded
    assert not {"gevent", "genload.artifacts.inspector.inspector"} & set(loaded)


def test_close_ends_the_child(inspector: Inspector) -> None:
    inspector.start()
    pid = inspector.pid
    inspector.close()

    assert pid is not None and not psutil.pid_exists(pid)


PATCHED = """
import gevent.monkey; gevent.monkey.patch_all()
import sys, gevent
from genload.artifacts.inspector import shared
content = sys.stdin.buffer.read()
jobs = [gevent.spawn(shared().mesh, content) for _ in range(3)]
gevent.joinall(jobs, raise_error=True)
assert not {"trimesh", "numpy", "scipy"} & set(sys.modules)
print(shared().pid, *(job.value.faces for job in jobs))
"""


def test_it_works_in_a_patched_process_and_ends_with_it(tmp_path: Path) -> None:
    # A working directory with a trap in it: nothing there may be taken for a module of ours.
    (tmp_path / "numpy.py").write_text("raise SystemExit('trapped')")
    run = subprocess.run(
        [sys.executable, "-P", "-c", PATCHED],
        input=SPHERE,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=200,
    )
    assert run.returncode == 0, run.stderr.decode()
    pid, *faces = (int(word) for word in run.stdout.split())
    deadline_s = monotonic() + 60
    while psutil.pid_exists(pid) and monotonic() < deadline_s:
        gevent.sleep(0.02)

    assert faces == [320, 320, 320]
    assert not psutil.pid_exists(pid)


def test_a_mesh_that_needs_too_much_memory_is_refused_and_the_machine_lives(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = "import genload.artifacts.inspector.child as i; i._MEMORY_BYTES = 64 * 2**20; i.main()"
    real = subprocess.Popen
    command = [sys.executable, "-c", small]
    monkeypatch.setattr(module.subprocess, "Popen", lambda told, **how: real([*command, *told[4:]], **how))
    inspector.start("mesh")  # what reads it does not count
    corners = b"v 0 0 0\nv 1 0 0\nv 0 1 0\n"

    with pytest.raises(MeshError) as caught:
        inspector.mesh(corners + b"f 1 2 3\n" * 1_500_000)

    assert caught.value.error_class == "too_large"
