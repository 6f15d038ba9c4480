"""The command `genload list`."""

from genload.commands.list_.command import list_

__all__ = ["list_"]
