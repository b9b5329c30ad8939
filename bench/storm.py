"""Holders whose look-ups go on failing, so that they are in back-off for good."""

from collections import Counter

from bench.stage import Stage
from connector.core.errors import Family, Fault
from connector.core.model import SubjectKey, SubjectKind, subject_key
from connector.core.states import Effect

FAILED_LOOKS = 5
BUSY = Fault(code="UEM-003", family=Family.TRANSIENT, detail="looking up a user: busy")


class Storm:
    """Makes the look-ups of some users fail; ``looks`` counts how many have."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._failing: Counter[str] = Counter()
        stage.world.fault = self._fault

    @property
    def looks(self) -> int:
        """Failed looks so far."""
        return self._failing.total()

    async def begin(self, users: range) -> None:
        """Enrol users whose looks fail, and wait until each has failed often enough."""
        holders = [subject_key("acme", SubjectKind.HOLDER, str(user)) for user in users]
        self._failing.update(dict.fromkeys(holders, 0))
        await self._stage.enrol(users)
        await self._stage.until(
            lambda: min(self._failing[holder] for holder in holders) >= FAILED_LOOKS
        )

    def _fault(self, effect: Effect, key: SubjectKey) -> Fault | None:
        if effect is not Effect.LOOK_UP or key not in self._failing:
            return None
        self._failing[key] += 1
        return BUSY
