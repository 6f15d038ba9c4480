"""On which port a server that was started with port 0 listens: the system's word.

A port that was looked for beforehand, and given back, may be somebody else's by the time the server asks for
it.
"""

from __future__ import annotations

import subprocess
import time
from typing import Any

import psutil

WAIT_S = 60.0


def listening_port(process: subprocess.Popen[Any], nth: int = 0) -> int:
    """The port of the process's first listening socket, or of its `nth`, counted from 0 in the order in which
    it opened them; waits until there are so many."""
    watched, deadline_s = psutil.Process(process.pid), time.monotonic() + WAIT_S
    while process.poll() is None and time.monotonic() < deadline_s:
        found = [c for c in watched.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        if len(found) > nth:
            return int(sorted(found, key=lambda connection: connection.fd)[nth].laddr.port)
        time.sleep(0.02)
    raise AssertionError(f"process {process.pid} does not listen, exit code {process.returncode}")
