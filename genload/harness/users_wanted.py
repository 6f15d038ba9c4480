"""How many users Locust shall have: never fewer than before, for who may start work is the gate's affair."""

from __future__ import annotations

from collections.abc import Callable

from genload.shape import PhasedShape


class UsersWanted:
    """Of one run.

    Args:
        shape: asked while there is load.
        first: users to have before.
        failed: told when the shape, which may be a user's own, raises an error.
        clock: monotonic seconds.
    """

    def __init__(
        self, shape: PhasedShape, first: int, failed: Callable[[Exception], None], clock: Callable[[], float]
    ) -> None:
        self._shape, self._largest, self._failed, self._clock = shape, first, failed, clock

    def now(self, ahead: int, there: int, *, load: bool) -> tuple[int, float]:
        """(users, spawn rate) for Locust.

        Args:
            ahead: so many of the load that a search for a capacity leads to.
            there: so many as Locust counts.
            load: whether there is load now.
        """
        if load:
            # Never fewer than before: a ramp begins with 0 users, but those of the warm-up stay.
            self._largest = max(self._largest, self._of_shape(), ahead)
        rate = float(max(self._largest, 1))
        if there < self._largest:
            # If the answer is the same as before, Locust does nothing, even if users have died meanwhile.
            rate += 0.001 * (int(self._clock()) % 2)
        return self._largest, rate

    def _of_shape(self) -> int:
        try:
            wanted = self._shape.tick()
        except Exception as error:  # noqa: BLE001  whatever a shape of a user's does
            self._failed(error)
            return 0
        return wanted[0] if wanted else 0
