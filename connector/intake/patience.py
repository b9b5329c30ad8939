"""Waiting for the disk, but not for ever: one timer for all who wait.

A timer for each request, as ``asyncio.timeout`` sets one, costs a tenth of what a request costs.
"""

import asyncio
from types import TracebackType
from typing import Self

PARTS = 4
"""Who waits is looked at so many times within the patience; he waits longer by one part at most."""


class Patience:
    """Ends waits that take longer than ``seconds``: ``with patience.wait(): await …``."""

    def __init__(self, seconds: float) -> None:
        """Nobody waits yet."""
        self._seconds = seconds
        self._waits: set[Wait] = set()
        self._timer: asyncio.TimerHandle | None = None

    def wait(self) -> "Wait":
        """A wait that ends with ``TimeoutError`` when patience does."""
        return Wait(self)

    def enter(self, wait: "Wait") -> float:
        """Note who waits; until when, by the event loop's clock."""
        self._waits.add(wait)
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds / PARTS, self._look)
        return loop.time() + self._seconds

    def leave(self, wait: "Wait") -> None:
        """He does not wait any more."""
        self._waits.discard(wait)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for wait in [wait for wait in self._waits if wait.until <= now]:
            wait.end()
        again = loop.call_later(self._seconds / PARTS, self._look) if self._waits else None
        self._timer = again


class Wait:
    """One wait of the task that enters it; see :class:`Patience`."""

    __slots__ = ("_is_over", "_patience", "_task", "until")

    def __init__(self, patience: Patience) -> None:
        """Made by :meth:`Patience.wait`."""
        self._patience = patience
        self._task: asyncio.Task[object] | None = None
        self._is_over = False
        self.until = 0.0

    def __enter__(self) -> Self:
        """Begin to wait."""
        self._task = asyncio.current_task()
        self.until = self._patience.enter(self)
        return self

    def end(self) -> None:
        """Wake the task up, once."""
        if self._task is not None and not self._is_over:
            self._is_over = True
            self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop waiting. Being woken up is ``TimeoutError``, unless somebody else cancelled too."""
        self._patience.leave(self)
        if self._is_over and self._task is not None:
            others = self._task.uncancel()
            if kind is asyncio.CancelledError and others == 0:
                raise TimeoutError from error
