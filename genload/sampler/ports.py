"""Which processes listen on a TCP port of this machine.

`psutil.net_connections` reads every connection there is: 10 ms for each 1000 of them, and a load leaves
thousands behind it. Linux lists the sockets that listen first, so that the rest need not be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

PROC = Path("/proc")
_LISTENS = "0A"  # net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who listens on a port.

    Attributes:
        any: whether anybody does.
        pids: of those whose sockets we may know.
    """

    any: bool
    pids: frozenset[int]


def listeners(port: int, proc: Path = PROC) -> Listeners:
    """Who listens on `port` now.

    Args:
        proc: where the kernel shows its tables; without them, psutil is asked.
    """
    if not (proc / "net" / "tcp").exists():
        return _of_all_connections(port)
    sockets = {
        f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _inodes(proc / "net" / table, port)
    }
    return Listeners(bool(sockets), frozenset(_holders(sockets, proc)) if sockets else frozenset())


def _of_all_connections(port: int) -> Listeners:
    found = [
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
    ]
    return Listeners(bool(found), frozenset(pid for pid in found if pid is not None))


def _inodes(table: Path, port: int) -> Iterator[str]:
    try:
        file = table.open(encoding="ascii")
    except OSError:  # a kernel without IPv6
        return
    with file:
        next(file, None)  # the heading
        for line in file:
            _, local, _, state, *_, inode = line.split(maxsplit=10)[:10]
            if state != _LISTENS:
                return
            if int(local.rpartition(":")[2], 16) == port:
                yield inode


def _holders(sockets: set[str], proc: Path) -> Iterator[int]:
    for folder in proc.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            if any(str(descriptor.readlink()) in sockets for descriptor in (folder / "fd").iterdir()):
                yield int(folder.name)
        except OSError:  # another user's, or it has ended meanwhile
            continue
