"""The command `genload run`."""

from genload.commands.run.command import run

__all__ = ["run"]
