"""The user classes of a Locust process: whether they fit a plan, and which of them are whose users."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from locust import User

from genload import extensions
from genload.errors import UsageError
from genload.harness.plan import RunPlan
from genload.harness.users import LoadUser
from genload.service import ServiceClient

Wanted = tuple[int, float] | tuple[int, float, list[type[User]]]
"""Users, the rate at which Locust starts them, and of which classes those are that it adds."""


class Staff:
    """Asks Locust for all users of several populations, one population after the other, so that it is known
    which worker gets which (`genload.harness.dealing`).

    Args:
        classes: of each population.
    """

    def __init__(self, plan: RunPlan, classes: Sequence[list[type[User]]]) -> None:
        several = len(plan.populations) > 1
        users = accumulate(own.timeline.max_users for own in plan.populations) if several else ()
        self._wanted = deque(zip(users, classes, strict=False))

    def next(self) -> Wanted | None:
        """None: all were asked for, or there is one kind of users alone, who come as they are needed."""
        if not self._wanted:
            return None
        users, classes = self._wanted.popleft()
        return users, float(users), classes


def take_classes(environment: Any, plan: RunPlan) -> list[list[type[User]]]:
    """See that the locustfiles' users can do the plan, and let Locust have those that will: the classes
    themselves, or of several populations classes of their own, which have their names.

    Returns those of each population.

    Raises:
        UsageError: they have no task, are made for another kind of service, or are not there.
    """
    taken = classes_of(_own(environment.user_classes), plan)
    # In place: Locust's runner and web page have this very list.
    environment.user_classes[:] = [user_class for each in taken for user_class in each]
    return taken


def check_classes(environment: Any, plan: RunPlan) -> None:
    """See that the locustfiles' users can do the plan; see `take_classes`."""
    classes_of(_own(environment.user_classes), plan)


def classes_of(own: Sequence[type[User]], plan: RunPlan) -> list[list[type[User]]]:
    """The classes of each population of a plan, made from those of the locustfiles; see `take_classes`."""
    if len(plan.populations) == 1 and not plan.populations[0].population:
        check_users(own, plan)
        return [list(own)]
    taken = [_of_population(own, population) for population in plan.populations]
    made_from = {user_class.made_from for each in taken for user_class in each}  # type: ignore[attr-defined]
    if idle := [user_class.__name__ for user_class in own if user_class not in made_from]:
        raise UsageError(
            f"{', '.join(idle)}: these users are of no population of {_name(plan)}",
            remedy="leave their locustfile out",
        )
    return taken


def _own(user_classes: Iterable[type[User]]) -> list[type[User]]:
    """The locustfiles' own, each once: those of an earlier run were made from them."""
    return list(dict.fromkeys(getattr(each, "made_from", each) for each in user_classes))


def _of_population(own: Sequence[type[User]], plan: RunPlan) -> list[type[User]]:
    path = extensions.locustfile(plan.suite.locustfile)
    found = [user_class for user_class in own if _is_of(user_class, path)]
    if not found:
        raise UsageError(
            f"the population {plan.population} of {_name(plan)} needs the users of {path.name}",
            remedy=f"name that file, too: locust -f …,{path}",
        )
    check_users(found, plan)
    return [_made(user_class, plan.population, alone=len(found) == 1) for user_class in found]


def _made(user_class: type[User], population: str, *, alone: bool) -> type[User]:
    if not issubclass(user_class, LoadUser):
        raise UsageError(
            f"{user_class.__name__} of the population {population} is not held by genload's gate",
            remedy="derive it from LoadUser, JobUser or SpeechUser",
        )
    name = population if alone else f"{population}_{user_class.__name__}"
    return type(name, (user_class,), {"population": population, "made_from": user_class})


def _is_of(user_class: type[User], path: Path) -> bool:
    """Whether a locustfile has this class, its own or imported."""
    modules = [module for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
    itself = path.stat()
    files = [module for module in modules if _is_file(str(module.__file__), itself)]
    return any(value is user_class for module in files for value in vars(module).values())


def _is_file(name: str, itself: os.stat_result) -> bool:
    try:
        return os.path.samestat(Path(name).stat(), itself)
    except OSError:  # it is in an archive, or there no more
        return False


def _name(plan: RunPlan) -> str:
    return f"{plan.suite.name}/{plan.scenario_name}"


def check_users(user_classes: Iterable[type[User]], plan: RunPlan) -> None:
    """See that the locustfile's users have something to do, and can talk to the plan's service.

    Raises:
        UsageError: they have no task, or are made for another kind of service.
    """
    for user_class in user_classes:
        if not user_class.tasks:
            # Locust would start them; each would then take all the CPU that it gets, and send nothing.
            raise UsageError(
                f"the users of this locustfile ({user_class.__name__}) have no task",
                remedy="mark a method of the class itself with @task: Locust finds none in a plain mixin",
            )
        wanted = user_class.client_kind if issubclass(user_class, LoadUser) else ServiceClient
        if not issubclass(plan.client_class, wanted):
            raise UsageError(
                f"the users of this locustfile ({user_class.__name__}) need a service with a "
                f"{wanted.__name__}, and '{plan.service.api}' of suite {plan.suite.name} has none",
                remedy=f"use the suite's own locustfile: {plan.suite.locustfile}",
            )
