"""Whether the process lives, has started, and may be sent work.

Upstream outages are no concern of it: events must still be accepted.
"""

import asyncio
from collections.abc import Callable, Mapping


class Health:
    """Named checks, run at each request.

    Args:
        checks: what must hold before work may come (journal open and writable, partitions
            restored, settings valid); each is quick and raises nothing.
        parts: what may fail while the rest goes on; shown in the detailed answer, and no reason
            to send no work.
    """

    def __init__(
        self,
        checks: Mapping[str, Callable[[], bool]],
        parts: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:
        self._checks = dict(checks)
        self._parts = parts
        self._tasks: dict[str, asyncio.Task[object]] = {}
        self._started = False
        self._draining = False

    def watch(self, name: str, task: asyncio.Task[object]) -> None:
        """Name a task without which the process is of no use; its end is the process's."""
        self._tasks[name] = task

    def start(self) -> None:
        """Everything that takes long at the start is done."""
        self._started = True

    def drain(self) -> None:
        """No more work, please: the process is about to stop."""
        self._draining = True

    def live(self) -> dict[str, bool]:
        """Whether the critical tasks run. An answer at all proves that the event loop runs."""
        tasks = {f"task:{name}": not task.done() for name, task in self._tasks.items()}
        return {"loop": True} | tasks

    def ready(self) -> dict[str, bool]:
        """Every check, and that it is started and not draining."""
        checks = {name: check() for name, check in self._checks.items()}
        return checks | self.started() | {"not-draining": not self._draining}

    def parts(self) -> dict[str, bool]:
        """What may fail while the rest goes on."""
        return dict(self._parts())

    def started(self) -> dict[str, bool]:
        """Whether the start is over."""
        return {"started": self._started}
