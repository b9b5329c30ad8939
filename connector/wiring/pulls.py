"""Feeds that are pulled from: their plug-ins, status, condition, logs and metrics."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar, Protocol

import structlog

from connector import plugins
from connector.core.conditions import Severity
from connector.core.errors import Family, Fault
from connector.core.feed import Feed, FeedPosition, FeedSender
from connector.core.handover import PluginReference
from connector.core.journal import Journal
from connector.core.metric_definitions import PULL_LAST_SUCCESS, PULLED_EVENTS
from connector.core.metrics import Metrics
from connector.core.model import SECOND, Millis
from connector.core.ports import Clock
from connector.core.source import SourceCapabilities
from connector.core.values import millis
from connector.operators.verbs.status import FeedView
from connector.settings.model import Settings
from connector.wiring import alarms
from connector.wiring.clock import dice
from connector.wiring.conditions import Board
from connector.wiring.ports import OpenPorts, Permits
from connector.wiring.sources import loaded
from connector.worker.pulling import PullFrom, Pulling, Surroundings
from connector.worker.upstream_limits import UpstreamLimits

log = structlog.get_logger("connector.pulls")


class PulledSource(Protocol):
    """The class of a source that is pulled from."""

    capabilities: ClassVar[SourceCapabilities]
    feed: ClassVar[type[Feed]]


class Pulls:
    """The feeds of one process; :meth:`open` comes first, then :meth:`made`."""

    def __init__(self, settings: Settings, clock: Clock, board: Board, metrics: Metrics) -> None:
        self._wanted = dict(wanted(settings))
        self._clock = clock
        self._watch = Watch(clock, board, metrics)

    def open(self, permits: Permits) -> OpenPorts[Feed]:
        """The plug-ins by upstream (``ca:NAME``, ``uem:NAME``), not yet open."""

        def make(reference: PluginReference) -> Feed:
            source, sender = self._wanted[reference.name]
            return source.feed(sender._replace(permits=permits(reference.name)))

        references = {name: _reference(name, one) for name, (_, one) in self._wanted.items()}
        self._feeds = OpenPorts(make, references, self._clock)
        return self._feeds

    def made(self, journal: Journal, limits: UpstreamLimits) -> list[Pulling]:
        """What pulls, to be run where partition 0 is."""
        around = Surroundings(
            journal=journal,
            limits=limits,
            clock=self._clock,
            dice=dice,
            watch=self._watch,
            unexpected=alarms.unexpected,
        )
        return [Pulling(self._from(name), around) for name in self._wanted]

    def _from(self, name: str) -> PullFrom:
        source, sender = self._wanted[name]
        return PullFrom(
            upstream=name,
            sender=sender.name,
            source=source.capabilities,
            feed=partial(self._feeds.__getitem__, name),
            every=millis(sender.pull.every),
        )

    def views(self, pulled: Mapping[str, FeedPosition]) -> Sequence[FeedView]:
        """Each feed for ``status``; ``pulled``: the positions in the journal."""
        return [self._watch.view(name, pulled.get(name)) for name in self._wanted]


class Watch:
    """See :class:`connector.worker.pulling.PullWatch`: status, condition, log and metrics."""

    def __init__(self, clock: Clock, board: Board, metrics: Metrics) -> None:
        self._clock = clock
        self._board = board
        self._metrics = metrics
        self._pulled: dict[str, Millis] = {}
        self._faults: dict[str, Fault] = {}

    def pulled(self, name: str, events: Mapping[tuple[str, bool], int]) -> None:
        """See the port."""
        self._pulled[name] = now = self._clock.now()
        for (kind, is_new), number in events.items():
            labels = {"backend": name, "event_type": kind}
            outcome = "accepted" if is_new else "duplicate"
            self._metrics.count(PULLED_EVENTS, number, **labels, outcome=outcome)
        self._metrics.gauge(PULL_LAST_SUCCESS, now / SECOND, backend=name)
        self._board.clear(_condition(name))
        if self._faults.pop(name, None):
            log.info("pull.continued", backend=name)

    def failed(self, name: str, fault: Fault) -> None:
        """See the port. Outages are the breaker's to show; what a person must do is a condition."""
        before = self._faults.get(name)
        self._faults[name] = fault
        if before is None or before.code != fault.code:
            log.warning("pull.failed", backend=name, error_code=fault.code, message=fault.detail)
        if fault.family is Family.PERMANENT:
            text = f"no events are pulled from {name}: {fault.detail}"
            self._board.report(_condition(name), Severity.WARNING, fault.code, text)

    def stopped(self, name: str) -> None:
        """See the port."""
        self._pulled.pop(name, None)
        self._faults.pop(name, None)
        self._board.clear(_condition(name))

    def view(self, name: str, position: FeedPosition | None) -> FeedView:
        """How pulling from one feed goes."""
        fault = self._faults.get(name)
        return FeedView(
            name=name,
            last_pull=self._pulled.get(name),
            position_since=None if position is None else position.at,
            code=None if fault is None else fault.code,
            detail="" if fault is None else fault.detail,
        )


def _condition(name: str) -> str:
    return f"pull {name}"


def wanted(settings: Settings) -> Iterator[tuple[str, tuple[PulledSource, FeedSender]]]:
    """Source and sender of each UEM and CA with a section ``pull``, by upstream."""
    sources: dict[str, PulledSource] = {
        name: one for name, one in loaded(settings).items() if one.capabilities.pull
    }
    for name, uem in settings.uems.items():
        source = plugins.source_of(plugins.TARGETS, uem.type, sources)
        if source is not None and uem.pull is not None:
            yield f"uem:{name}", (sources[source], FeedSender("uem", name, uem, uem.pull))
    for name, ca in settings.cas.items():
        source = plugins.source_of(plugins.ESCROW, ca.type, sources)
        if source is not None and ca.pull is not None:
            yield f"ca:{name}", (sources[source], FeedSender("ca", name, ca, ca.pull))


def _reference(name: str, sender: FeedSender) -> PluginReference:
    """It names the files at whose change the plug-in is opened again."""
    told = sender.settings.model_dump(mode="json", exclude={"webhook"})
    return PluginReference(plugin=told["type"], name=name, settings=told)
