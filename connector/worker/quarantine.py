"""Subjects at which the program failed: left alone for a while, so that all others go on."""

from collections.abc import Callable

from connector.core.model import SubjectKey

FIRST_PAUSE = 60.0
LONGEST_PAUSE = 3600.0


class Quarantine:
    """Who is held, and until when. In memory: a new owner tries once more.

    Args:
        monotonic: seconds.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Nobody is held."""
        self._monotonic = monotonic
        self._until: dict[SubjectKey, tuple[float, float]] = {}

    def __contains__(self, key: object) -> bool:
        """Whether a subject is left alone now."""
        return key in self._until and self._monotonic() < self._until[key][0]

    def __len__(self) -> int:
        """How many subjects failed and have not advanced since."""
        return len(self._until)

    def hold(self, key: SubjectKey) -> None:
        """Leave a subject alone, longer each time."""
        _, before = self._until.get(key, (0.0, FIRST_PAUSE / 2))
        pause = min(before * 2, LONGEST_PAUSE)
        self._until[key] = (self._monotonic() + pause, pause)

    def advanced(self, key: SubjectKey) -> None:
        """It went on after all."""
        self._until.pop(key, None)
