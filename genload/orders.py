"""What ends a greenlet or the process from outside, told from a failure of code.

Apart from `code_errors`, which processes without gevent read too.
"""

from __future__ import annotations

from gevent import GreenletExit, getcurrent

from genload.code_errors import ends_in_users


def is_order(error: BaseException) -> bool:
    """Whether it ends this greenlet, or as Ctrl-C the whole process: that is obeyed and not a failure."""
    if isinstance(error, KeyboardInterrupt):
        return getcurrent().parent is None  # it reaches the main greenlet alone
    return isinstance(error, GreenletExit)


def is_mistake(error: BaseException) -> bool:
    """False for a kill from outside, which reaches a greenlet where it waits, in gevent. The same exception
    raised in a user's own line is a mistake as any other.
    """
    return not isinstance(error, GreenletExit) or ends_in_users(error)
