"""`genload agent`: the numbers of a GPU host for a Prometheus, or for a genload that runs elsewhere."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

import typer

from genload.commands.agent.page import AgentPage
from genload.commands.agent.server import AgentServer, listen_address
from genload.errors import UsageError
from genload.runlog.records import Sample
from genload.sampler.watch import load_watch, sample_until
from genload.settings.secrets import reveal

_WAYS = ("port", "name", "pid")


def agent(
    listen: Annotated[
        str, typer.Option(help="Where to serve the page; port 0 takes a free one.", metavar="HOST:PORT")
    ] = "127.0.0.1:9835",
    token_file: Annotated[
        Path | None,
        typer.Option(help="A file with the bearer token that each request must send.", metavar="FILE"),
    ] = None,
    interval: Annotated[str, typer.Option(help="Time between two looks at the GPUs.", metavar="TIME")] = "1s",
    gpus: Annotated[
        str, typer.Option(help="Which GPUs: all, or indices and UUIDs with commas between.", metavar="GPUS")
    ] = "all",
    process: Annotated[
        str | None,
        typer.Option(
            help="The service's processes: port=5000, name=uvicorn or pid=4711; children belong to them.",
            metavar="WAY=VALUE",
        ),
    ] = None,
) -> None:
    """Serve what the GPUs and this machine do, as a Prometheus page. Ctrl-C ends it.

    For a GPU host without exporters. GPUs are shown under the names, labels and units of NVIDIA's DCGM
    exporter (DCGM_FI_DEV_FB_USED …), the machine under those of the node exporter (node_cpu_seconds_total …),
    the service's processes under those of process-exporter: any of these can take its place later.

    Examples:

        genload agent

        genload agent --listen 0.0.0.0:9835 --token-file /etc/genload/token

        genload agent --gpus 0,1 --process port=5000
    """
    address = listen_address(listen)
    token = _token_reference(token_file)
    asked = {"interval": interval, "gpus": _gpus(gpus), "per_gpu": True, "where": "always"}
    watches = [load_watch("gpu", asked, "")]
    if process is not None:
        settings = {"interval": interval, "client": False, "server": _process(process)}
        watches.append(load_watch("host", settings, ""))
    page = AgentPage(watches, group=process or "", hostname=socket.gethostname())
    server = AgentServer(address, page.text, token)

    def take(sample: Sample) -> None:
        if news := page.take(sample):
            print(f"genload agent: {sample.monitor}: {news}", file=sys.stderr, flush=True)

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"genload agent: {server.url}", flush=True)
    if not token and not _is_loopback(server):
        print("genload agent: everybody who can reach it can read it; see --token-file", file=sys.stderr)
    sample_until(lambda: _wait_for(ended), watches, 0.0, take)
    server.shutdown()
    server.server_close()


def _token_reference(file: Path | None) -> str:
    if file is None:
        return ""
    reference = f"${{file:{file}}}"
    if reveal(reference) == reference:
        raise UsageError(
            f"--token-file {file} holds a brace in its name", remedy="give the file another name"
        )
    return reference


def _gpus(text: str) -> str | list[int | str]:
    if text == "all":
        return text
    return [int(part) if part.isdecimal() else part for part in text.replace(" ", "").split(",") if part]


def _process(text: str) -> dict[str, Any]:
    way, _, value = text.partition("=")
    if way not in _WAYS or not value:
        raise UsageError(
            f"--process {text} names no process", remedy="write port=5000, name=uvicorn or pid=4711"
        )
    return {way: value}


def _is_loopback(server: AgentServer) -> bool:
    return ip_address(str(server.server_address[0])).is_loopback


def _wait_for(event: threading.Event) -> None:
    event.wait()
