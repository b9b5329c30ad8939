"""The request budget that answers announce: a daily number, falling by one per call."""

from datetime import datetime, timedelta

from connector.simulators.uem.answers import ApiError
from connector.simulators.uem.tenant import Tenant

WINDOW = timedelta(days=1)


class Budget:
    """Counts calls in windows of a day on the tenant's clock. Refuses only if told to."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._ends: datetime | None = None
        self._spent = 0

    def spend(self) -> None:
        """Count a call. Raises :class:`ApiError` (429) when the budget is enforced and used up."""
        now = self._tenant.clock.now()
        if self._ends is None or not now < self._ends <= now + WINDOW:
            self._ends, self._spent = now + WINDOW, 0
        self._spent += 1
        limit = self._tenant.behaviour.daily_limit
        if self._tenant.behaviour.enforces_limit and limit is not None and self._spent > limit:
            raise ApiError.throttled()

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
