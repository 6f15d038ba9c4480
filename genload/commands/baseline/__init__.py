"""The commands `genload baseline promote`, `list` and `show`."""

from genload.commands.baseline.command import baseline

__all__ = ["baseline"]
