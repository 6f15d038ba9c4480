"""The command `genload export`."""

from genload.commands.export.command import export

__all__ = ["export"]
