"""The composition root: settings → adapters → workers, and the order of start and stop.

Start: secrets, journal, hand-over server, upstreams, workers, then the listeners. Stop (SIGTERM or
SIGINT): unready, stop accepting, drain the workers, close the upstreams, close the journal.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from connector.assembly import gate as gates
from connector.assembly import ports, tenants
from connector.assembly.clock import MachineClock, dice
from connector.core.errors import Fault, Permanent
from connector.core.metrics import CircuitState, Metrics, NoMetrics
from connector.core.policy import RoutePolicy
from connector.core.secret import Credential
from connector.core.states import Effect
from connector.crash import CrashPoint, armed, never
from connector.handover.parent import HandOver
from connector.intake.server import IntakeServer, Surroundings
from connector.journal.sqlite import SqliteJournal, SqliteOptions
from connector.settings.model import Settings
from connector.settings.reload import SecretFiles, mounted_files
from connector.settings.values import millis
from connector.worker import PartitionWorker, WorkerOptions
from connector.worker.effects import UpstreamEffects
from connector.worker.gate import Gate

Say = Callable[..., None]


@dataclass
class Parts:
    """What a running service is made of."""

    settings: Settings
    clock: MachineClock
    metrics: Metrics
    secrets: SecretFiles
    journal: SqliteJournal
    hand_over: HandOver
    gate: Gate
    workers: list[PartitionWorker]
    intake: IntakeServer


class Service:
    """One process of the connector, from start to end.

    Args:
        settings: checked settings.
        say: writes one log line: an event name and its fields.
    """

    def __init__(self, settings: Settings, say: Say) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._say = say
        self._stop = asyncio.Event()
        self._lost: Permanent | None = None
        self._policies = settings.policies()
        self._clock = MachineClock()
        self._metrics: Metrics = NoMetrics()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self._stop.set()

    async def run(self) -> None:
        """Serve until :meth:`stop`.

        Raises:
            Permanent: ``JRN-002`` when the journal was lost; what keeps it from starting otherwise.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        async with AsyncExitStack() as stack:
            parts = await self._open(stack)
            async with asyncio.TaskGroup() as group:
                await self._turn(group, parts)
        if self._lost is not None:
            raise self._lost

    async def _open(self, stack: AsyncExitStack) -> Parts:
        settings = self._settings
        journal = self._journal()
        await journal.open()
        stack.push_async_callback(journal.close)
        hand_over = HandOver(accept_unlocked_memory=settings.handover.accept_unlocked_memory)
        await hand_over.start()
        stack.push_async_callback(hand_over.stop)
        escrow = await stack.enter_async_context(ports.backends(settings))
        uems = await stack.enter_async_context(ports.targets(settings))
        gate = gates.gate(settings, self._clock, self._routes, self._metrics, self._alarm)

        async def reloaded(changed: frozenset[Path]) -> None:
            await escrow.reopen()
            await uems.reopen()
            gate.credentials_reloaded()
            intake.replace_tenants(tenants.tenants(settings, secrets.snapshot))
            for worker in workers:
                worker.wake()
            self._say("secrets.reloaded", count=len(changed))

        secrets = SecretFiles(mounted_files(settings.model_dump()), on_change=reloaded)
        intake = self._intake(journal, secrets)
        effects = UpstreamEffects(
            backends=escrow,
            targets=uems,
            references=ports.references(settings),
            routes=self._routes,
            hand_over=hand_over,
            now=self._clock.now,
            unexpected=self._unexpected,
            accept_unlocked_memory=settings.handover.accept_unlocked_memory,
            crash_at=settings.testing.crash_at,
        )
        key = secrets.snapshot.credential(settings.audit.key_file)
        workers = [
            self._worker(journal, partition, effects, gate, key)
            for partition in range(journal.partitions)
        ]
        return Parts(
            settings=settings,
            clock=self._clock,
            metrics=self._metrics,
            secrets=secrets,
            journal=journal,
            hand_over=hand_over,
            gate=gate,
            workers=workers,
            intake=intake,
        )

    async def _turn(self, group: asyncio.TaskGroup, parts: Parts) -> None:
        """Workers first, listeners last; on the way down the other way round."""
        follow = group.create_task(parts.secrets.follow(self._stop))
        running = [group.create_task(worker.run()) for worker in parts.workers]
        for worker in parts.workers:
            await worker.running.wait()
        async with parts.intake as intake:
            self._say("service.ready", intake_port=intake.port)
            await self._stop.wait()
            self._say("service.stopping")
        for worker in parts.workers:
            worker.stop()
        await asyncio.wait(running)
        await follow

    def _routes(self) -> Mapping[str, RoutePolicy]:
        return self._policies

    def _journal(self) -> SqliteJournal:
        wanted = self._settings.journal
        return SqliteJournal(
            wanted.path,
            wanted.partitions,
            monotonic=self._clock.monotonic,
            on_lost=self._journal_lost,
            options=SqliteOptions(
                waiting_limit=wanted.queue_limit, id_retention=millis(wanted.ids_kept)
            ),
        )

    def _journal_lost(self, fault: Permanent) -> None:
        """The disk failed: stop at once; what is durable is found at the next start."""
        self._lost = fault
        self._say("journal.lost", error_code=fault.code)
        self._stop.set()

    def _intake(self, journal: SqliteJournal, secrets: SecretFiles) -> IntakeServer:
        intake = self._settings.service.intake
        return IntakeServer(
            tenants.listener(intake),
            tenants.limits(intake),
            tenants.tenants(self._settings, secrets.snapshot),
            Surroundings(journal, self._clock, self._metrics),
        )

    def _worker(
        self,
        journal: SqliteJournal,
        partition: int,
        effects: UpstreamEffects,
        gate: Gate,
        key: Credential,
    ) -> PartitionWorker:
        return PartitionWorker(
            journal=journal,
            partition=partition,
            effects=effects,
            gate=gate,
            clock=self._clock,
            routes=self._routes,
            dice=dice,
            audit_key=key,
            metrics=self._metrics,
            crash=self._crash_point(),
            options=WorkerOptions(
                clock_jump=millis(self._settings.worker.clock_jump),
                device_deadline=millis(self._settings.worker.device_deadline),
                drain=self._settings.service.drain.total_seconds(),
            ),
        )

    def _crash_point(self) -> CrashPoint:
        testing = self._settings.testing
        return never if testing.crash_at is None else armed(testing.crash_at, testing.crash_pass)

    def _alarm(self, upstream: str, state: CircuitState, fault: Fault | None) -> None:
        code = "" if fault is None else fault.code
        self._say("upstream.changed", backend=upstream, state=state, error_code=code)

    def _unexpected(self, effect: Effect, error: BaseException) -> None:
        self._say("plugin.failed", stage=effect.value, error=type(error).__name__)


async def serve(settings: Settings, say: Say) -> None:
    """Run the service with these settings until it is asked to stop."""
    await Service(settings, say).run()
