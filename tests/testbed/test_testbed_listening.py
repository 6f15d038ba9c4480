"""The listening socket: what its connections inherit."""

from __future__ import annotations

import asyncio
import socket

from testbed.listening import HOST, listen


def test_small_writes_are_sent_at_once() -> None:
    """The truth log stamps a write, not the acknowledgement that the kernel would have it wait for."""

    async def no_delay() -> int:
        found = asyncio.get_running_loop().create_future()

        async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.set_result(
                writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            )
            writer.close()

        with listen(0) as listening:
            async with await asyncio.start_server(serve, sock=listening):
                _, writer = await asyncio.open_connection(HOST, listening.getsockname()[1])
                answer: int = await found
                writer.close()
                return answer

    assert asyncio.run(no_delay())
