"""Users who poll with the least code: what whole job users who wait are compared with. The service is the one
named by POLLS_HOST.
"""

from __future__ import annotations

import os
from typing import Any

from locust import events
from parts.polling import bare_user
from parts.rounds import allow_many_connections

from genload.housekeeping import hold_back

Bare = bare_user([0], os.environ["POLLS_HOST"], kept=True)


@events.init.add_listener
def _begin(**_: Any) -> None:
    allow_many_connections()


@events.spawning_complete.add_listener
def _hold_back(**_: Any) -> None:
    hold_back()  # as a run does
