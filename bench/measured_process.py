"""One measured side or load as a process of its own, as the benchmark sees it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

STOP_SECONDS = 20


class SideFailed(Exception):
    """A side ended without an answer."""


class Side:
    """Starts ``python -m MODULE ARGUMENTS`` on some cores, gives orders, ends it.

    Args:
        module: obeys lines of JSON (see :mod:`bench.worker_protocol`).
        arguments: its command line.
        cores: where it and its children run.
        nice: added to its niceness; the simulators stand for other machines.
    """

    def __init__(self, module: str, *arguments: str, cores: Iterable[int], nice: int = 0) -> None:
        """Start it."""
        self._module = module
        on = set(cores)

        def prepare() -> None:
            os.sched_setaffinity(0, on)
            os.nice(nice)

        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=prepare,  # noqa: PLW1509 - the benchmark has one thread
        )

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        """Close the pipe, and wait for the end."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, **order: Any) -> dict[str, Any]:
        """Give one order; the answer.

        Raises:
            SideFailed: when it ended instead.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self.heard()

    def heard(self) -> dict[str, Any]:
        """The next line that it says.

        Raises:
            SideFailed: when it ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SideFailed(f"{self._module} ended")
        answer: dict[str, Any] = json.loads(line)
        return answer
