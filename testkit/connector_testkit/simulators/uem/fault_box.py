"""Faults that apply to a number of the next matching cases, or to all."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Counted(Protocol):
    """A fault that is good for ``count`` cases; None: for all."""

    @property
    def count(self) -> int | None:
        """For how many cases."""
        ...


FaultT = TypeVar("FaultT", bound=Counted)


class FaultBox(Generic[FaultT]):
    """Faults in the order in which they were put in, each under a number of its own."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[FaultT, int | None]] = {}
        self._last = 0

    def put(self, fault: FaultT) -> int:
        """Put a fault in; returns its number."""
        self._last += 1
        self._waiting[self._last] = (fault, fault.count)
        return self._last

    def take(self, fits: Callable[[FaultT], bool]) -> FaultT | None:
        """The first fault that fits, counted down; None when there is none."""
        for number, (fault, _) in self._waiting.items():
            if fits(fault):
                self._count_down(number)
                return fault
        return None

    def take_all(self, fits: Callable[[FaultT], bool]) -> list[FaultT]:
        """All faults that fit, each counted down."""
        numbers = [number for number, (fault, _) in self._waiting.items() if fits(fault)]
        taken = [self._waiting[number][0] for number in numbers]
        for number in numbers:
            self._count_down(number)
        return taken

    def remove(self, number: int) -> bool:
        """Take a fault out; False when it is not (any more) there."""
        return self._waiting.pop(number, None) is not None

    def clear(self) -> None:
        """Take all out."""
        self._waiting.clear()

    def waiting(self) -> dict[int, tuple[FaultT, int | None]]:
        """What is in the box: number → fault and how many cases are left."""
        return dict(self._waiting)

    def _count_down(self, number: int) -> None:
        fault, left = self._waiting[number]
        if left is None:
            return
        if left == 1:
            del self._waiting[number]
        else:
            self._waiting[number] = (fault, left - 1)
