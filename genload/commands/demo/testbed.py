"""A testbed of our own for as long as a block runs."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from genload.errors import ServiceUnavailableError

_READY_S = 60.0
_END_S = 10.0
_PROBE_S = 0.05
_NICER, _NICEST = 10, 19  # by how much the service gives way, and the most there is


@contextmanager
def running(options: Sequence[str], command: Sequence[str] = (), *, yields: bool = False) -> Iterator[str]:
    """Start ``genload serve`` with `options` on a free port; its URL. It ends with the block.

    Args:
        command: another way to start it, without a port; None of it: this genload's own.
        yields: it gets what CPU the load generator leaves: whoever measures must not wait for who works.

    Raises:
        ServiceUnavailableError: it ended, or was not ready in time; with its own last words.
    """
    port = _free_port()
    words = [*(command or (sys.executable, "-P", "-m", "genload", "serve")), "--port", str(port), *options]
    with tempfile.TemporaryFile() as log:
        # A group of its own: Ctrl-C is for the load; what is in flight then may still end well.
        process = subprocess.Popen(  # noqa: S603  our own interpreter, no shell
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, process_group=0
        )
        try:
            if yields:
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, process.pid, min(own + _NICER, _NICEST))
            _wait_until_ready(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline_s = time.monotonic() + _READY_S
    while time.monotonic() < deadline_s and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(_PROBE_S)
    ended = f"ended with code {process.returncode}" if process.returncode is not None else "was not ready"
    log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
    words = log.read().decode("utf-8", errors="replace").strip()
    raise ServiceUnavailableError(
        f"the testbed {ended}" + (f":\n{words}" if words else ""),
        remedy="start it by hand to see more: genload serve",
    )


def _is_ready(port: int) -> bool:
    # http.client asks no proxy of the environment, which would not know our loopback address.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
