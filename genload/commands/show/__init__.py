"""The command `genload show`."""

from genload.commands.show.command import show

__all__ = ["show"]
