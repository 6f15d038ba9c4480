"""The command `genload ab`."""

from genload.commands.ab.command import ab

__all__ = ["ab"]
