"""The command `genload agent`."""

from genload.commands.agent.command import agent

__all__ = ["agent"]
