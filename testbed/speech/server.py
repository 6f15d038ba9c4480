"""The process: one event loop, one listening socket on loopback, threads for the engine, a quick end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from concurrent.futures import Executor, ThreadPoolExecutor

from ..board import Board
from ..listening import HOST, listen
from ..memory import keep_heap_flat, settle_heap
from ..truth import TruthLog
from .delivery import Delivery
from .dialect import Dialect
from .engine import Engine
from .faults import SpeechFaults
from .kokoro import Kokoro
from .line import Line
from .litetts import LiteTTS
from .openai import OpenAi
from .options import Api, EngineName, SpeechOptions
from .pacer import Pacer
from .selector import precise_loop
from .service import Service
from .speaker import Speaker
from .tally import Tally
from .tone import Tone
from .vllm import Vllm
from .wire import Connection

_DIALECTS: dict[Api, type[Dialect]] = {
    Api.LITETTS: LiteTTS,
    Api.KOKORO: Kokoro,
    Api.OPENAI: OpenAi,
    Api.VLLM: Vllm,
}
# How long a thread may keep the interpreter while the loop wants it.
_SWITCH_INTERVAL_S = 0.0005
_COLLECT_EVERY = 50_000  # objects: a pass of the collector takes the time of many writes
_END_S = 1.0


def serve(options: SpeechOptions) -> None:
    """Run a speech testbed until SIGINT or SIGTERM.

    Raises:
        OSError: the port is taken, or the truth log cannot be opened; the message says which.
    """
    keep_heap_flat()
    with contextlib.closing(TruthLog(options.truth)) as log, listen(options.port) as listening:
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            runner.run(_run(options, log, listening))


async def _run(options: SpeechOptions, log: TruthLog, listening: socket.socket) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stopped.set)
    engine: Engine = (
        Tone(options.per_character_s, options.audio_s)
        if options.engine is EngineName.TONE
        else Speaker(options.seed)
    )
    tally, pacer = Tally(), Pacer(loop)
    line = Line(options.slots, tally, head_of_line=options.head_of_line)
    dialect = _DIALECTS[options.api](options, engine.voices, tally)
    connections: set[Connection] = set()
    # One a slot, and one for what is encoded meanwhile.
    pool = ThreadPoolExecutor(max(options.slots, 1) + 1, thread_name_prefix="testbed")
    delivery = Delivery(options, dialect, engine, line=line, tally=tally, pool=pool, pacer=pacer)
    service = Service(
        options,
        dialect,
        delivery,
        line=line,
        tally=tally,
        log=log,
        rate_hz=engine.rate_hz,
        ageing=_Ageing(options.faults).request_ended,
        gpu=Board(options.gpu),
    )
    server = await loop.create_server(
        lambda: Connection(service.serve, connections, service.switch), sock=listening
    )
    port = listening.getsockname()[1]
    print(f"listening on http://{HOST}:{port} (testbed: {options.api}, {options.engine})", flush=True)
    loading = asyncio.create_task(_load(options, engine, service, pool))
    try:
        await stopped.wait()
    finally:
        loading.cancel()
        server.close()
        pacer.close()
        await _drop(connections)
        pool.shutdown(cancel_futures=True)


async def _load(options: SpeechOptions, engine: Engine, service: Service, pool: Executor) -> None:
    """Get the engine ready; until then requests are refused."""
    loop = asyncio.get_running_loop()
    opens_s = loop.time() + options.faults.slow_start_s
    try:
        await loop.run_in_executor(pool, engine.load)
    except Exception as error:  # noqa: BLE001 - whatever a model's libraries raise
        print(f"testbed: the engine does not load: {error}", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        return
    settle_heap()
    gc.set_threshold(_COLLECT_EVERY)
    await asyncio.sleep(max(0.0, opens_s - loop.time()))
    service.ready = True


async def _drop(connections: set[Connection]) -> None:
    """Cut what is open; answers under way log what became of them."""
    for connection in list(connections):
        connection.transport.abort()
    deadline_s = asyncio.get_running_loop().time() + _END_S
    while connections and asyncio.get_running_loop().time() < deadline_s:
        await asyncio.sleep(0)
    await asyncio.sleep(0)


class _Ageing:
    """Counts ended requests, and lets the process decay as the options say."""

    def __init__(self, faults: SpeechFaults) -> None:
        self._faults, self._ended = faults, 0
        self._leaked: list[bytes] = []

    def request_ended(self) -> None:
        self._ended += 1
        step = self._faults.memory_step
        due_bytes = round(step.amount) if step is not None and step.jobs == self._ended else 0
        if size_bytes := self._faults.memory_growth_bytes + due_bytes:
            self._leaked.append(b"\xa5" * size_bytes)  # not zeros: those need no memory until they are read
        if self._ended == self._faults.crash_requests:
            os._exit(1)
