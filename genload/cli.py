"""The `genload` command. Each of its commands is a file or a folder in genload/commands/, with a function of
the same name, or a group of them; if the name is a word of Python, it has a ``_`` behind it (``try_``).

A command is imported only when it is called, so that ``genload --help`` is fast.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Sequence
from keyword import iskeyword
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from genload import __version__, housekeeping
from genload.errors import GenloadError
from genload.terminal import write_anything

_SUMMARIES = {
    "demo": "Run all thirteen scenarios against the built-in testbeds.",
    "init": "Lay out a project with a suite of your own.",
    "list": "List the suites, their scenarios and what these are for.",
    "try": "Send one request to a service and show all of it.",
    "plan": "Say what a suite's load would come to, without any load.",
    "run": "Run a suite, or one scenario of it, against a service.",
    "report": "Judge finished runs again, without any load.",
    "ab": "Run two builds in turns, and compare them.",
    "baseline": "Keep runs that later ones are compared with.",
    "compare": "Compare two builds by their runs: is the new one worse?",
    "show": "List a run's slowest or failed requests, or show one of them.",
    "export": "Write a run's requests and samples as tables, CSV or Parquet.",
    "serve": "Start the testbed, a small service to try genload on.",
    "agent": "Serve the metrics of a GPU host as a Prometheus page.",
}
_HELP = """Can this build of your GPU generation service ship?

genload puts load on a service that generates 3D models or speech, and answers with a verdict, its evidence
and an exit code:
0 passed, 1 failed, 2 wrong usage, 3 invalid or inconclusive, 4 service not ready, 130 interrupted.

Examples:

    genload demo

    genload list

    genload try orfeas --host http://gpu1:5000

    genload plan orfeas --service-time 82s --slots 3

    genload run orfeas/baseline --host http://gpu1:5000

    genload run orfeas --host http://gpu1:5000 --strict

    genload report results/orfeas-20261121T140000Z --criteria stricter.yaml

    genload show results/orfeas-20261121T140000Z/spike --failed

    genload compare results/orfeas-20261121T140000Z results/orfeas-20261128T140000Z
"""


class _Commands(TyperGroup):
    """Lists the commands without importing them, and imports only the command that is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_SUMMARIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _SUMMARIES:
            return None
        listed = typer.Typer(add_completion=False)
        listed.command(cmd_name, help=_SUMMARIES[cmd_name])(lambda: None)
        return typer.main.get_command(listed)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(str(name)) if command is not None else None, rest


def _load(name: str) -> Any:
    own = f"{name}_" if iskeyword(name) or hasattr(builtins, name) else name
    module = importlib.import_module(f"genload.commands.{own}")
    found = getattr(module, own)
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    single = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
    single.command(name)(found)
    return typer.main.get_command(single)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genload {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=_Commands,
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    # The pretty tracebacks show local variables, among which there may be a secret.
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, and return its exit code.

    Args:
        arguments: the words after ``genload``; None takes those of this process.
    """
    housekeeping.begin()
    write_anything()
    try:
        app(args=None if arguments is None else list(arguments), prog_name="genload")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except GenloadError as error:
        return _told(error)
    except Exception as error:
        # Imported here, because `genload --help` does not need it.
        from genload.code_errors import CodeError, CodeFailure, is_users

        if not is_users(error):
            raise
        return _told(CodeError(CodeFailure.of(error)))
    return 0


def _told(error: GenloadError) -> int:
    print(error.render(), file=sys.stderr)
    return int(error.exit_code)
