"""The command `genload compare`."""

from genload.commands.compare.command import compare

__all__ = ["compare"]
