"""Locust, imported before it is known with which arguments it is to run: they come as a line on stdin.

As `python -m locust …` from then on, with nothing on stdin: Locust would take single keys from it, and change
the number of users. Whoever started it may end without a word, and then this process does so, too.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    # Until there is a run, Ctrl-C is not worth a traceback.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    import locust.main

    import genload.harness.plugin  # noqa: F401  whatever the locustfile, it needs this

    line = sys.stdin.readline()
    if not line:
        return
    from genload.harness import starter

    starter.hold(os.dup(sys.stdin.fileno()))
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, sys.stdin.fileno())
    os.close(empty)
    signal.signal(signal.SIGINT, before)
    sys.argv = ["locust", *json.loads(line)]
    locust.main.main()


if __name__ == "__main__":
    main()
