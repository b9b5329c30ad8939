"""Run hand-overs from the service: send jobs, read answers, never hold a key."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from connector import boot
from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent
from connector.core.reach import Protection, SandboxMode
from connector.keys.handover.child_process import ChildProcess
from connector.keys.handover.lockdown import require_unswappable
from connector.keys.handover.outcome import judge
from connector.keys.handover.sandbox import require_sandbox
from connector.keys.handover.server import COMMAND, ForkServerHandle
from connector.keys.handover.wire import Envelope, Mark


@dataclass(slots=True, eq=False)
class _Waiting:
    """A job that has no process yet. ``stopped``: it is not wanted any more."""

    job: HandoverJob
    stopped: bool = False


class HandOver:
    """Hand-overs, each in a process of its own.

    Args:
        accept_unlocked_memory: whether keys may be held where swap is on and cannot be avoided.
        sandbox: what to do where the kernel lacks a part of the sandbox.
        monotonic: the clock of the machine's boot in seconds; the processes read the same one.
        requested: called with the upstream (``ca:NAME``, ``uem:NAME``) of each request.
        command: starts the forkserver; what it has to know is added.
        memory_readable: leave the forkserver's memory readable to its own user, for tests.
    """

    def __init__(
        self,
        *,
        accept_unlocked_memory: bool = False,
        sandbox: SandboxMode = SandboxMode.WHEN_AVAILABLE,
        monotonic: Callable[[], float] = boot.seconds,
        requested: Callable[[str], None] = lambda _: None,
        command: Sequence[str] = COMMAND,
        memory_readable: bool = False,
    ) -> None:
        self._accept_unlocked = accept_unlocked_memory
        self._sandbox = sandbox
        self._monotonic = monotonic
        self._requested = requested
        self._command = command
        self._memory_readable = memory_readable
        self._server: ForkServerHandle | None = None
        self._starting = asyncio.Lock()
        self._waiting: set[_Waiting] = set()
        self._attempts: dict[ChildProcess, HandoverJob] = {}

    async def start(self) -> None:
        """Start the forkserver.

        Raises:
            Transient: ``HND-005`` when it does not start.
            Permanent: ``HND-004`` when keys could be swapped out, unless that is accepted;
                ``HND-010`` when the sandbox is required and the kernel lacks a part of it.
        """
        server = await self._running_server()
        try:
            require_unswappable(locked=server.memory_locks, accept_unlocked=self._accept_unlocked)
            require_sandbox(server.sandbox, self._sandbox)
        except Permanent:
            await server.stop()
            raise

    @property
    def protection(self) -> Protection:
        """How keys are protected on this node, as the running forkserver has found out."""
        if self._server is None:
            return Protection(memory_locked=False)
        is_off = self._sandbox is SandboxMode.OFF
        return Protection(self._server.memory_locks, () if is_off else self._server.sandbox)

    async def stop(self) -> None:
        """End the forkserver and every hand-over that still runs."""
        if self._server is not None:
            await self._server.stop()

    def cancel_unsent(self, mine: Callable[[HandoverJob], bool] = lambda _: True) -> None:
        """End the processes that do not upload yet; their outcome is *not sent*.

        Jobs that still wait for the forkserver, which may be restarting, get no process.

        Args:
            mine: which jobs are meant; all, when it is left out.
        """
        for waiting in self._waiting:
            waiting.stopped |= mine(waiting.job)
        for attempt, job in self._attempts.items():
            if mine(job):
                attempt.cancel_if_unsent()

    async def run(
        self, job: HandoverJob, limit: float, deadline: float | None = None
    ) -> HandoverOutcome:
        """Do one hand-over.

        Args:
            job: what to hand over.
            limit: seconds after which the kernel ends the process, counted from now.
            deadline: on the monotonic clock, if it was decided earlier: a service that was stopped
                in between must not count from when it was continued.
        """
        deadline = self._monotonic() + limit if deadline is None else deadline
        waiting = _Waiting(job)
        self._waiting.add(waiting)
        try:
            server = await self._running_server()
            left = self._left(waiting, deadline)
            attempt = ChildProcess(server, server.fork(), partial(self._told, job))
        except ConnectorError as error:
            return NotSent(fault=error.fault())
        finally:
            self._waiting.discard(waiting)
        self._attempts[attempt] = job
        self._requested(f"ca:{job.escrow.name}")  # it lists first, without reporting that
        try:
            return judge(job, await attempt.run(self._envelope(job, deadline), left))
        finally:
            del self._attempts[attempt]
            attempt.close()

    def _left(self, waiting: _Waiting, deadline: float) -> float:
        """Seconds that are left for a job whose process may be forked now.

        Raises:
            Transient: ``HND-006`` when it must not begin any more.
        """
        left = deadline - self._monotonic()
        if waiting.stopped:
            raise Transient("HND-006", "handing over: paused before it started")
        if left <= 0:
            raise Transient("HND-006", "handing over: too late to start")
        return left

    def _told(self, job: HandoverJob, mark: Mark) -> None:
        match mark:
            case Mark.FETCHING:
                self._requested(f"ca:{job.escrow.name}")
            case Mark.SENDING:
                self._requested(f"uem:{job.target.name}")
            case Mark.WAITING:
                pass

    def _envelope(self, job: HandoverJob, deadline: float) -> Envelope:
        return Envelope(
            job=job,
            deadline=deadline,
            accept_unlocked_memory=self._accept_unlocked,
            sandbox=self._sandbox,
        )

    async def _running_server(self) -> ForkServerHandle:
        async with self._starting:
            if self._server is None or not self._server.alive:
                self._server = await ForkServerHandle.started(
                    self._command, memory_readable=self._memory_readable
                )
            return self._server
