"""The command `genload plan`."""

from genload.commands.plan.command import plan

__all__ = ["plan"]
