"""What ends a greenlet or the process from outside, told from a failure of code.

Apart from `code_errors`, which processes without gevent read too.
"""

from __future__ import annotations

from weakref import WeakSet

from gevent import Greenlet, GreenletExit, getcurrent

from genload.code_errors import ends_in_users

_killed: WeakSet[Greenlet] = WeakSet()


def note_kill(greenlet: Greenlet) -> None:
    """Somebody is about to kill this greenlet."""
    _killed.add(greenlet)


def is_order(error: BaseException) -> bool:
    """Whether it ends this greenlet, or as Ctrl-C the whole process: that is obeyed and not a failure.

    A GreenletExit that a line of a user's raises is a mistake as any other, unless a kill was noted before: a
    kill reaches a greenlet where it waits, in gevent.
    """
    if isinstance(error, KeyboardInterrupt):
        return getcurrent().parent is None  # it reaches the main greenlet alone
    if not isinstance(error, GreenletExit):
        return False
    return getcurrent() in _killed or not ends_in_users(error)
