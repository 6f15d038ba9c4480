"""The command `genload demo`."""

from genload.commands.demo.command import demo

__all__ = ["demo"]
