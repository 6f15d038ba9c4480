"""The parent's side: start the tracing process, and end it when all records are written."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import msgspec

from genload.tracing.messages import Sent

END_S = 30.0
"""What the last spans may take of a receiver that takes them; one that is not there is waited for once
(`child.PATIENCE_S`)."""

_CHILD = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "from genload.tracing.child import main; sys.exit(main(sys.argv[1]))"
)


class Tracing:
    """A running one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def stop(self, timeout_s: float = END_S) -> Sent:
        """Let it send what is written by now; what became of the spans of this run."""
        try:
            # Closes its stdin, upon which it ends.
            told, _ = self._process.communicate(timeout=timeout_s)
            return msgspec.json.decode(told, type=Sent)
        except subprocess.TimeoutExpired:
            return Sent(reason=f"they were not sent within {timeout_s:g} s")
        except msgspec.DecodeError:
            return Sent(reason=f"their process ended with code {self._process.returncode}")
        finally:
            with contextlib.suppress(OSError):
                self._process.kill()
            self._process.wait()


def start_tracing(folder: Path) -> Tracing:
    """Begin to send the spans of a run.

    Args:
        folder: the run directory, whose header is written.
    """
    # -P: the working directory is a user's own; nothing in it may take the place of a module.
    command = [sys.executable, "-P", "-c", _CHILD, str(folder.resolve())]
    return Tracing(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))  # noqa: S603
