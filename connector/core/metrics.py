"""Metrics as a port over their definitions, with an implementation that does nothing.

Labels are bounded by contract: names of the settings, enum values, error codes. Never a user, a
device, an address or free text. The definitions are in :mod:`connector.core.metric_definitions`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

PREFIX = "pki_connector_"
OTHER = "other"
"""The value under which labels with unknown values are counted."""

WebhookOutcome = Literal[
    "accepted",
    "duplicate",
    "ignored",
    "challenged",
    "rejected_auth",
    "rejected_schema",
    "overload",
    "failed",
]
ConnectionEnd = Literal["address", "oldest", "full", "bytes"]
"""Why a webhook connection was ended or refused for lack of room.

``address``: too many of one address; ``oldest``: the oldest stranger was dropped; ``full``: only
known callers were there; ``bytes``: strangers sent too much.
"""
CircuitState = Literal["closed", "half_open", "open"]
CIRCUIT: Mapping[CircuitState, int] = {"closed": 0, "half_open": 1, "open": 2}
"""The values of the gauge of a circuit breaker."""
Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class Metric:
    """One family. ``name`` is without the prefix."""

    kind: ClassVar[str]

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def values(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The values of labels in the order of their names.

        Raises:
            TypeError: when they are not exactly those of the definition.
        """
        if labels.keys() != set(self.labels):
            raise TypeError(f"{self.name} has the labels {self.labels}, given: {[*labels]}")
        return tuple(labels[name] for name in self.labels)


@dataclass(frozen=True)
class Counter(Metric):
    """A number that only grows."""

    kind: ClassVar[str] = "counter"


@dataclass(frozen=True)
class Gauge(Metric):
    """A number as it is now; with ``only_rises``, lower ones are ignored.

    ``unknown_at_first``: NaN until it is set, because a zero would say something that is not so.
    """

    kind: ClassVar[str] = "gauge"

    only_rises: bool = False
    unknown_at_first: bool = False


@dataclass(frozen=True)
class Histogram(Metric):
    """How often a duration in seconds was within each of the ``buckets``."""

    kind: ClassVar[str] = "histogram"

    buckets: tuple[float, ...] = ()


class Metrics(Protocol):
    """Where everything is counted. Each call names exactly the labels of the definition."""

    def count(self, metric: Counter, number: float = 1, /, **labels: str) -> None:
        """Add to a counter."""
        ...

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        """Set a gauge; durations in seconds, moments in time in seconds since the epoch."""
        ...

    def observe(self, metric: Histogram, seconds: float, /, **labels: str) -> None:
        """Note one duration."""
        ...


class NoMetrics:
    """Publishes nothing, and still checks the labels; for tests and tools."""

    def count(self, metric: Counter, number: float = 1, /, **labels: str) -> None:
        """Check the labels."""
        del number
        metric.values(labels)

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        """Check the labels."""
        del value
        metric.values(labels)

    def observe(self, metric: Histogram, seconds: float, /, **labels: str) -> None:
        """Check the labels."""
        del seconds
        metric.values(labels)
