"""How many requests are taken: a number per day, which answers announce, and one per second."""

from collections import deque
from datetime import datetime, timedelta

from connector_testkit.simulators.uem.answers import ApiError
from connector_testkit.simulators.uem.tenant import Tenant

WINDOW, SECOND = timedelta(days=1), timedelta(seconds=1)


class Budget:
    """Counts calls in windows of a day on the tenant's clock. Refuses only by an option."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._ends: datetime | None = None
        self._spent = 0
        self._taken: deque[datetime] = deque()

    def spend(self) -> None:
        """Count a call. Raises :class:`ApiError` (429) when a limit is enforced and used up."""
        self._pass()
        now = self._tenant.clock.now()
        if self._ends is None or not now < self._ends <= now + WINDOW:
            self._ends, self._spent = now + WINDOW, 0
        self._spent += 1
        limit = self._tenant.behaviour.daily_limit
        if self._tenant.behaviour.enforces_limit and limit is not None and self._spent > limit:
            raise ApiError.throttled()

    def _pass(self) -> None:
        """Let at most this many pass in any second of the machine's time."""
        limit = self._tenant.behaviour.requests_per_second
        if limit is None:
            return
        now = self._tenant.clock.real()
        while self._taken and now - self._taken[0] >= SECOND:
            self._taken.popleft()
        if len(self._taken) >= limit:
            raise ApiError.throttled(1 if self._tenant.behaviour.throttle_header else None)
        self._taken.append(now)

    def headers(self) -> dict[str, str]:
        """The three ``X-RateLimit`` headers; none when no limit is announced."""
        limit = self._tenant.behaviour.daily_limit
        if limit is None or self._ends is None:
            return {}
        left = limit - self._spent
        if not self._tenant.behaviour.enforces_limit:
            left = left % limit or limit  # a limit that is not enforced never looks used up
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, left)),
            "X-RateLimit-Reset": str(int(self._ends.timestamp())),
        }
