"""Who listens on a port: the kernel's tables as they are written, real sockets, systems without tables."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from genload.sampler import ports as listening
from genload.sampler.ports import Listeners, listeners

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000     0        0"


def row(number: int, local: str, state: str, inode: int) -> str:
    return f"{number:4}: {local} 00000000:0000 {state} {REST} {inode} 1 00000000ba04deaf 100 0 0 10 0\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """Processes 41 and 42 listen on 5000, over IPv4 and IPv6; what is open after them is not read."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(
        HEAD
        + row(0, "00000000:07E8", "0A", 100)
        + row(1, "0100007F:1388", "0A", 101)
        + row(2, "0100007F:1388", "01", 102)
        + "what is no row any more\n"
    )
    (tmp_path / "net" / "tcp6").write_text(HEAD + row(0, f"{'0' * 32}:1388", "0A", 103))
    for pid, inodes in {41: (7, 101), 42: (103,), 43: (102,)}.items():
        folder = tmp_path / str(pid) / "fd"
        folder.mkdir(parents=True)
        for number, inode in enumerate(inodes):
            (folder / str(number)).symlink_to(f"socket:[{inode}]")
    (tmp_path / "44").mkdir()  # one that we may not look into, or that has just ended
    (tmp_path / "self").mkdir()
    return tmp_path


def test_those_that_listen_are_found_in_both_tables(proc: Path) -> None:
    assert listeners(5000, proc) == Listeners(True, frozenset({41, 42}))
    assert listeners(5001, proc) == Listeners(False, frozenset())


def test_a_socket_of_a_process_that_may_not_be_known(proc: Path) -> None:
    assert listeners(2024, proc) == Listeners(True, frozenset())


def test_a_kernel_without_ipv6(proc: Path) -> None:
    (proc / "net" / "tcp6").unlink()
    assert listeners(5000, proc) == Listeners(True, frozenset({41}))


def test_a_real_socket_is_found_among_many_that_are_closed() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        port = server.getsockname()[1]
        for _ in range(32):  # each leaves an entry behind that no longer listens
            with socket.create_connection(("127.0.0.1", port)):
                server.accept()[0].close()
        assert os.getpid() in listeners(port).pids
    deadline_s = time.monotonic() + 10
    while listeners(port).any:
        assert time.monotonic() < deadline_s


@pytest.mark.parametrize("pid", [4711, None])
def test_without_tables_psutil_is_asked(
    pid: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = SimpleNamespace(status="LISTEN", laddr=SimpleNamespace(port=5000), pid=pid)
    other = SimpleNamespace(status="ESTABLISHED", laddr=SimpleNamespace(port=5000), pid=1)
    monkeypatch.setattr(listening.psutil, "net_connections", lambda kind: [there, other])
    assert listeners(5000, tmp_path) == Listeners(True, frozenset({pid} - {None}))
    assert listeners(5001, tmp_path) == Listeners(False, frozenset())
    assert psutil.CONN_LISTEN == "LISTEN"
