"""The command `genload report`."""

from genload.commands.report.command import report

__all__ = ["report"]
