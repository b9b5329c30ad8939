"""The composition root: settings → adapters → workers, and the order of start and stop.

Start: journal, hand-over server, upstreams, owners, then the listeners. Stop (SIGTERM or SIGINT):
unready, stop accepting, drain the workers, close the upstreams, close the journal.
"""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from connector.core.errors import Permanent
from connector.core.policy import RoutePolicy
from connector.core.secret import Credential
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import SqliteSettings
from connector.observe.audit_log import tell
from connector.observe.recent_lines import RecentLines
from connector.observe.server import ObserveServer
from connector.settings.model import Settings
from connector.settings.reload import SecretFiles, mounted_files
from connector.sources.server import Surroundings
from connector.wiring import (
    alarms,
    clock_watch,
    handover,
    observation,
    orphans,
    ownership,
    ports,
    pulls,
    restoring,
    tenants,
    volume_kind,
)
from connector.wiring.audit_key import audit_keys, report_key, require_key
from connector.wiring.clock import MachineClock, dice
from connector.wiring.conditions import Board
from connector.wiring.effects import made_effects
from connector.wiring.exit_reason import ending
from connector.wiring.expiries import Expiries
from connector.wiring.gauges import Gauges
from connector.wiring.gc_tuning import settle_collector
from connector.wiring.hardening import harden, warn_of_few_files
from connector.wiring.journal import ServedJournal, make_journal, require_topics, require_whole
from connector.wiring.journal_watch import JournalWatch
from connector.wiring.limits import upstream_limits
from connector.wiring.live_routes import LiveRoutes, Reading
from connector.wiring.operators import Operators, Shown
from connector.wiring.parts import Parts
from connector.wiring.reloading import Reloads, reopen_upstreams, taken_up
from connector.wiring.trail_watch import TrailWatch
from connector.worker.effects import UpstreamEffects
from connector.worker.loop import PartitionWorker
from connector.worker.owners import Owners
from connector.worker.server_dates import ServerDates
from connector.worker.upstream_limits import UpstreamLimits

GAUGES_EVERY = 15.0
WATCH_EVERY = 5.0
TRAIL_FIRST = 60.0
"""Seconds from the take-over to the first check of the trail, which others should not wait for."""

log = structlog.get_logger("connector.app")


class Service:
    """One process of the connector, from start to end; arguments as for :func:`serve`."""

    def __init__(
        self, settings: Settings, restored_by: str = "", reading: Reading | None = None
    ) -> None:
        self._restored_by = restored_by
        self._settings = settings
        self._reading = reading
        self._clock = MachineClock()
        self._metrics = observation.metrics(settings)
        self._board = Board(self._clock, self._metrics)
        self._expiries = Expiries(settings, self._clock, self._board, self._metrics)
        self._dates = ServerDates(self._clock.monotonic)
        self._pulls = pulls.Pulls(settings, self._clock, self._board, self._metrics)
        self._recent = RecentLines()
        self._reloads = Reloads(self._metrics, self._clock)
        self._policies = LiveRoutes(settings, self._board, self._reloads)
        self._stop = asyncio.Event()
        self._lost: Permanent | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            Permanent: ``JRN-002`` when the journal was lost; ``SRV-002`` after a program error; or
                what keeps it from starting.
        """
        observation.start_logging(self._settings, self._clock, self._metrics, self._recent)
        warn_of_few_files(self._settings.service.intake.connections)
        try:
            await self._serve()
        except Exception as error:
            reason = ending(error)
            log.critical("service.failed", error_code=reason.code, message=reason.detail)
            raise reason from error

    async def _serve(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop.set)
        async with AsyncExitStack() as stack:
            parts = await self._open(stack)
            async with asyncio.TaskGroup() as group:
                await self._turn(group, parts)
        if self._lost is not None:
            raise self._lost

    async def _open(self, stack: AsyncExitStack) -> Parts:
        settings = self._settings
        journal = await self._journal(stack)
        secrets = SecretFiles(mounted_files(settings.model_dump()), on_change=self._reloaded)
        keys = audit_keys(settings, secrets.snapshot.credential)
        await require_key(journal, keys[0])
        await restoring.mark_served(settings, journal, keys[0], self._restored_by)
        await volume_kind.look(self._board, settings.journal.path)
        watch = JournalWatch(
            journal, self._board, self._metrics, self._clock, settings.journal.path
        )
        limited = (self._routes, self._metrics, alarms.changed, journal)
        limits = upstream_limits(settings, self._clock, *limited, dates=self._dates)
        starting = handover.started(settings, limits.permits, self._board)
        hand_over = await stack.enter_async_context(starting)
        upstreams = (settings, limits.permits, self._clock)
        backends = await stack.enter_async_context(ports.backends(*upstreams))
        targets = await stack.enter_async_context(ports.targets(*upstreams))
        feeds = await stack.enter_async_context(self._pulls.open(limits.permits))
        effects = made_effects(
            settings, self._clock, self._routes, (backends, targets, hand_over, limits)
        )
        owners = self._owners(journal, effects, limits, keys)
        health = ownership.health(owners, journal, watch, secrets, lambda: self._lost is None)
        listen = settings.service.observe.listen
        around = Surroundings(watch, self._clock, self._metrics)
        intake = tenants.server(settings, secrets.snapshot, around)
        process = partial(observation.view, self._metrics, self._recent)
        seen = (self._expiries.seen, self._pulls.views, process, self._routes)
        shown = Shown(self._board.standing, intake.refused, *seen)
        operators = Operators(settings, self._clock, limits, self._metrics, shown)
        self._parts = Parts(
            journal=journal,
            upstreams={"ca:": backends, "uem:": targets, "": feeds},
            limits=limits,
            secrets=secrets,
            audit_key=keys[0],
            owners=owners,
            watch=watch,
            intake=intake,
            admin=operators.server(journal, backends, targets, keys),
            health=health,
            observe=ObserveServer(listen.host, listen.port, health, self._metrics.registry),
        )
        return self._parts

    async def _journal(self, stack: AsyncExitStack) -> ServedJournal:
        """The journal, open and whole."""
        await require_topics(self._settings.journal)
        journal = make_journal(self._settings.journal, self._clock, self._journal_lost)
        await journal.open()
        stack.push_async_callback(journal.close)
        await require_whole(journal)
        return journal

    def _owners(
        self,
        journal: ServedJournal,
        effects: UpstreamEffects,
        limits: UpstreamLimits,
        keys: Sequence[Credential],
    ) -> Owners:
        make = self._worker(journal, effects, limits, keys[0])
        watch = TrailWatch(journal, keys, self._board, self._metrics)
        duties = ownership.together(
            self._pulls.made(journal, limits),
            partial(self._gauges(journal).publish_while_first, GAUGES_EVERY),
            partial(watch.follow, TRAIL_FIRST, self._settings.audit.check_every.total_seconds()),
        )
        told = ownership.listeners(self._metrics, limits)
        return ownership.make_owners(self._settings, journal, make, duties, told)

    def _worker(
        self,
        journal: ServedJournal,
        effects: UpstreamEffects,
        limits: UpstreamLimits,
        key: Credential,
    ) -> Callable[[int], PartitionWorker]:
        return lambda partition: PartitionWorker(
            journal=journal,
            partition=partition,
            effects=effects,
            limits=limits,
            clock=self._clock,
            routes=self._routes,
            dice=dice,
            audit_key=key,
            metrics=self._metrics,
            crash=ownership.crash_point(self._settings),
            options=ownership.worker_options(self._settings),
            dates=self._dates,
            tell=tell,
            alarm=ownership.failed,
        )

    def _gauges(self, journal: ServedJournal) -> Gauges:
        clocks = (self._clock, lambda: self._parts.owners.time())  # noqa: PLW0108 - made later
        return Gauges(journal, self._metrics, *clocks, self._policies)

    async def _turn(self, group: asyncio.TaskGroup, parts: Parts) -> None:
        """Probes and owners first, webhooks last; on the way down the other way round."""
        owning = group.create_task(parts.owners.run())
        parts.health.watch("owners", owning)
        async with parts.observe as observe, parts.admin:
            await self._owned(group, parts)
            self._reloads.count("settings", accepted=True)
            follow = [group.create_task(one) for one in self._followers(parts)]
            async with parts.intake as intake:
                settle_collector()
                parts.health.start()
                log.info("service.ready", intake_port=intake.port, observe_port=observe.port)
                await self._stop.wait()
                parts.health.drain()
                log.info("service.stopping")
            parts.owners.stop()
            await asyncio.gather(owning, *follow)

    async def _owned(self, group: asyncio.TaskGroup, parts: Parts) -> None:
        """The only process owns everything before it is ready; of several, each takes webhooks."""
        if not isinstance(self._settings.journal, SqliteSettings):
            return
        whole = parts.owners.until(lambda owned: len(owned) == parts.journal.partitions)
        waits = {group.create_task(whole), group.create_task(self._stop.wait())}
        _, others = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()

    def _followers(self, parts: Parts) -> tuple[Coroutine[Any, Any, None], ...]:
        tidy_every = self._settings.worker.tidy_every.total_seconds()
        return (
            parts.secrets.follow(self._stop),
            self._policies.follow(self._reading, parts.owners.wake, self._stop),
            self._expiries.follow(self._stop),
            orphans.follow(self._stop),
            parts.watch.follow(self._stop, WATCH_EVERY),
            clock_watch.follow(parts.owners.doubts, self._board, self._stop),
            self._gauges(parts.journal).follow(self._stop, GAUGES_EVERY, tidy_every),
        )

    async def _reloaded(self, changed: frozenset[Path]) -> bool:
        """Mounted secrets changed: each takes them up by itself; who could not is tried again."""
        parts = self._parts
        whole = await reopen_upstreams(parts.upstreams, parts.limits, changed)
        if isinstance(parts.journal, KafkaJournal):
            whole &= taken_up(parts.journal.renew_logins)
        whole &= taken_up(self._replace_senders)
        mounted = parts.secrets.snapshot.credential(self._settings.audit.key_file)
        report_key(mounted, parts.audit_key, self._board)
        self._expiries.look()
        parts.owners.wake()
        self._reloads.count("secrets", accepted=whole)
        log.info("secrets.reloaded", count=len(changed))
        return whole

    def _replace_senders(self) -> None:
        sources = tenants.sources(self._settings, self._parts.secrets.snapshot)
        self._parts.intake.replace_sources(sources)

    def _routes(self) -> Mapping[str, RoutePolicy]:
        return self._policies.snapshot()

    def _journal_lost(self, fault: Permanent) -> None:
        """The disk failed: stop at once; what is durable is found at the next start."""
        self._lost = fault
        log.critical("journal.lost", error_code=fault.code)
        self._stop.set()


async def serve(
    settings: Settings, *, restored_by: str = "", reading: Reading | None = None
) -> None:
    """Run the service until it is asked to stop.

    ``restored_by``: who says that the journal is a backup; ``reading``: the file, followed.
    """
    harden(memory_readable=settings.testing.memory_readable)
    await Service(settings, restored_by, reading).run()
