"""`genload init`: a project of one's own."""

from genload.commands.init.command import init

__all__ = ["init"]
