"""The command `genload try`."""

from genload.commands.try_.command import try_

__all__ = ["try_"]
