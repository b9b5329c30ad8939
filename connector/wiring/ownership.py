"""The owners of the process's partitions, from the settings, with their logs and metrics."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from connector import boot
from connector.catalogue import catalogue
from connector.core.errors import Family, Fault
from connector.core.journal import Journal, PartitionRecord
from connector.core.metric_definitions import PARTITIONS_OWNED, PARTITIONS_STOPPED
from connector.core.metrics import Metrics
from connector.core.values import millis
from connector.crash import CrashPoint, armed, never
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings
from connector.observe.health import Health
from connector.settings.model import Settings
from connector.settings.reload import SecretFiles
from connector.wiring.exit_reason import ending
from connector.wiring.journal_watch import JournalWatch
from connector.worker.ceiling import Ceiling
from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.owners import Duties, Listeners, Owners, OwnersOptions
from connector.worker.pulling import Pulling
from connector.worker.round import Failure
from connector.worker.upstream_limits import UpstreamLimits

FINISH = 5.0
"""Seconds after the longest drain in which the last round must have been written."""

log = structlog.get_logger("connector.ownership")


def make_owners(
    settings: Settings,
    journal: Journal,
    make: Callable[[int], PartitionWorker],
    duties: Duties,
    tell: Listeners,
) -> Owners:
    """The owners of one process; ``tell`` hears what becomes of partitions."""
    wanted = settings.journal
    again = wanted.session_timeout.total_seconds() if isinstance(wanted, KafkaSettings) else 1.0
    drain = settings.service.drain.total_seconds() + FINISH
    return Owners(
        journal,
        make,
        duties=duties,
        listeners=tell,
        options=OwnersOptions(again=again, drain=drain),
    )


def together(pulls: Iterable[Pulling], *others: Callable[[], Coroutine[Any, Any, None]]) -> Duties:
    """All duties as one; when it is cancelled, all are."""

    async def run(record: PartitionRecord) -> None:
        async with asyncio.TaskGroup() as group:
            for pull in pulls:
                group.create_task(pull.run(record))
            for other in others:
                group.create_task(other())

    return run


def worker_options(settings: Settings) -> WorkerOptions:
    """The options of every partition's loop."""
    return WorkerOptions(
        clock_jump=millis(settings.worker.clock_jump),
        device_deadline=millis(settings.worker.device_deadline),
        drain=settings.service.drain.total_seconds(),
        boot=boot.name(),
    )


def crash_point(settings: Settings) -> CrashPoint:
    """Where tests let the process die; nowhere otherwise."""
    testing = settings.testing
    if testing.crash_at is None:
        return never
    return armed(testing.crash_at, testing.crash_pass, testing.crash_by)


def listeners(metrics: Metrics, limits: UpstreamLimits) -> Listeners:
    """Metrics, log, limits and ceiling hear of partitions that come and go."""

    def owned(count: int) -> None:
        metrics.gauge(PARTITIONS_OWNED, count)
        limits.partitions_moved()

    stopped = partial(metrics.gauge, PARTITIONS_STOPPED)
    return Listeners(owned=owned, stopped=stopped, left=_Left(limits.ceiling))


class _Left:
    """A partition is worked on no more."""

    def __init__(self, ceiling: Ceiling | None) -> None:
        self._ceiling = ceiling
        self._told: dict[int, str] = {}

    def __call__(self, partition: int, fault: Fault | None) -> None:
        """Tell why, once for each reason in a row."""
        if self._ceiling is not None:
            self._ceiling.dropped(partition)
        code = "" if fault is None else fault.code
        if fault is not None and self._told.get(partition) == code:
            return
        self._told[partition] = code
        if fault is None:
            log.info("partition.dropped", partition=partition)
        elif fault.family is Family.PERMANENT:
            words = f"{catalogue()[code].title}: {fault.detail}"
            log.error("partition.stopped", partition=partition, error_code=code, message=words)
        else:
            log.warning("partition.lost", partition=partition, error_code=code)


def failed(failure: Failure) -> None:
    """The alarm for a fact at which the program failed: class and place of the error only."""
    fact = type(failure.fact).__name__.lower()
    where = ending(failure.error).detail
    log.error("subject.failed", stage=fact, error_code=failure.code, error=where)


def health(
    owners: Owners,
    journal: Journal,
    watch: JournalWatch,
    secrets: SecretFiles,
    kept: Callable[[], bool],
) -> Health:
    """What the probes ask; ``kept``: the journal is not lost.

    A journal that is full makes the process no less ready, because its 503 with ``Retry-After``
    says more to a sender than a closed port. One whose files are gone needs a person.
    """
    return Health(
        {
            "journal": kept,
            "journal-files": lambda: watch.placed,
            "secrets": lambda: secrets.healthy,
        },
        parts(owners, journal, watch),
    )


def parts(
    owners: Owners, journal: Journal, watch: JournalWatch
) -> Callable[[], Mapping[str, bool]]:
    """For the probes: the journal, and each partition of this process, whether it goes on."""

    def look() -> Mapping[str, bool]:
        brokers = journal.reach() if isinstance(journal, KafkaJournal) else {}
        stopped = {f"partition-{number}": False for number in owners.faults}
        owned = {f"partition-{number}": True for number in sorted(owners.owned)}
        return {"journal-writable": watch.writable} | brokers | owned | stopped

    return look
