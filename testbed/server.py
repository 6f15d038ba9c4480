"""The process: one event loop, one listening socket on loopback, a clean and quick end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import uvicorn

from .api import Api
from .board import Board
from .broadcast import Broadcast
from .decline import Decline
from .faults import Fault, Strike
from .gpu import Gpu
from .job_api import JobApi
from .jobs import Jobs
from .listening import HOST, listen
from .memory import keep_heap_flat, settle_heap
from .metrics import Metrics
from .options import Face, Options
from .relief import DEFAULT_DIMENSIONS_MM, FORMATS, make_relief, plain_image
from .spoiling import Spoiling
from .truth import TruthLog
from .wire import Wire

_FACES: Mapping[Face, type[Api]] = {Face.ORFEAS: Api, Face.JOB: JobApi}
# Two, so that an upload is checked while a mesh is made; more would only fight for the interpreter.
_THREADS = 2
# How long a thread may keep the interpreter while the loop wants it. The default of 5 ms would show up
# in every answer that is given while a mesh is made.
_SWITCH_INTERVAL_S = 0.0005


class _Server(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process by the signal itself; it can also
    stop listening for a while.

    Attributes:
        again: it ends in order to begin anew.
    """

    def __init__(self, config: uvicorn.Config, spoiling: Spoiling, port: int) -> None:
        super().__init__(config)
        self._spoiling, self._port = spoiling, port
        self._absence: asyncio.Task[None] | None = None
        self.again = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stay_away(self, for_s: float) -> None:
        """Let nothing listen for that long; open connections go on."""
        if self._absence is None or self._absence.done():
            self._absence = asyncio.create_task(self._stay_away(for_s))

    async def _stay_away(self, for_s: float) -> None:
        for listener in self.servers:
            listener.close()
        await asyncio.sleep(for_s)
        try:
            await self.startup(sockets=[listen(self._port)])
        except OSError as error:
            print(f"testbed: {error}", file=sys.stderr)
            self.should_exit = True

    def restart(self) -> None:
        self.again = self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._absence is not None:
            self._absence.cancel()
        self._spoiling.release()
        await super().shutdown(sockets)


def _websocket(**options: Any) -> asyncio.Protocol:
    """uvicorn's, imported for the first who asks for one."""
    from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

    return WSProtocol(**options)


def serve(options: Options) -> int | None:
    """Run a testbed until SIGINT or SIGTERM, or until it is to restart: then its port, else None.

    Raises:
        OSError: the port is taken, or the truth log cannot be opened; the message says which.
    """
    keep_heap_flat()
    log = TruthLog(options.truth)
    board = Board(options.gpu)
    board.jobs = 0
    with (
        contextlib.closing(log),
        listen(options.port) as listening,
        tempfile.TemporaryDirectory(prefix="genload-testbed-") as folder,
    ):
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        port = int(listening.getsockname()[1])
        return port if asyncio.run(_run(options, log, board, listening, Path(folder))) else None


async def _run(options: Options, log: TruthLog, board: Board, listening: socket.socket, folder: Path) -> bool:
    """The service from its first connection to its last; whether it is to begin anew."""

    def away(modelled_s: float) -> None:
        jobs.befall(Strike(Fault.REFUSED))
        server.stay_away(options.scaled(modelled_s))

    def end(fault: Fault) -> None:
        if fault is Fault.RESTART:
            server.restart()
            return
        jobs.befall(Strike(Fault.CRASH))
        jobs.close()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)

    gpu = Gpu(slots=options.slots, when_full=options.when_full, contention=options.contention)
    metrics = Metrics(gpu)
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="testbed")
    wire = Wire()
    broadcast = Broadcast(options, pool, wire)

    def cut(modelled_s: float) -> None:
        broadcast.cut(options.scaled(modelled_s))

    decline = Decline(options.faults, gpu, away=away, end=end, cut=cut)
    jobs = Jobs(
        options,
        gpu=gpu,
        metrics=metrics,
        log=log,
        board=board,
        pool=pool,
        folder=folder,
        on_ended=decline.job_ended,
        tell=broadcast.tell,
    )
    api = _FACES[options.api](
        options,
        jobs=jobs,
        gpu=gpu,
        metrics=metrics,
        decline=decline,
        broadcast=broadcast,
        pool=pool,
        folder=folder,
    )
    spoiling = Spoiling(api.app(), wire)
    config = uvicorn.Config(
        spoiling,
        http=wire.protocol(),
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws=cast(Any, _websocket),  # it is only called
        timeout_graceful_shutdown=1,
    )
    server = _Server(config, spoiling, listening.getsockname()[1])
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, server.handle_exit, signal_number, None)
    warming = asyncio.create_task(_warm_up(options, api, pool))
    announcing = asyncio.create_task(_announce(options, server, listening))
    try:
        await server.serve(sockets=[listening])
    finally:
        for task in (warming, announcing):
            task.cancel()
        if server.again:
            jobs.befall(Strike(Fault.RESTART))
        broadcast.close()
        jobs.close()
        board.jobs = 0
        pool.shutdown(cancel_futures=True)
    return server.again


async def _announce(options: Options, server: uvicorn.Server, listening: socket.socket) -> None:
    """Say where, once a connection is really served."""
    while not server.started:
        await asyncio.sleep(0.005)
    port = listening.getsockname()[1]
    print(
        f"listening on http://{HOST}:{port} (testbed: {options.service_time_s:g} s a job,"
        f" {options.slots} slots, {options.when_full} when full, time scale {options.time_scale:g},"
        f" seed {options.seed})",
        flush=True,
    )


async def _warm_up(options: Options, api: Api, pool: ThreadPoolExecutor) -> None:
    """Make one mesh of each kind, so that what libraries allocate at first is not read as a leak later."""
    loop = asyncio.get_running_loop()
    opens_s = loop.time() + options.scaled(options.faults.slow_start_s)
    # One a thread: allocators keep an arena for each.
    await asyncio.gather(*(loop.run_in_executor(pool, _rehearse) for _ in range(_THREADS)))
    settle_heap()
    await asyncio.sleep(max(0.0, opens_s - loop.time()))
    api.ready = True


def _rehearse() -> None:
    image = plain_image()
    for file_format in FORMATS:
        make_relief(image, file_format=file_format, quality=7, dimensions_mm=DEFAULT_DIMENSIONS_MM)
