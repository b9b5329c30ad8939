"""The families of the catalogue on prometheus-client, in a registry of their own.

A child (one label combination) is looked up in the library once and then kept: the look-up takes a
lock and costs more than the count itself.
"""

from math import nan

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from connector.core import metrics
from connector.core.metric_definitions import CATALOGUE
from connector.core.metrics import OTHER, PREFIX
from connector.observe.initial_series import seeds
from connector.observe.labels import Names, vocabulary

Family = Counter | Gauge | Histogram


class Families:
    """All families of the catalogue, with their children.

    Args:
        names: the names in the settings that may become labels.
    """

    def __init__(self, names: Names) -> None:
        # Everything is made at the start: they would all say the same.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._vocabulary = vocabulary(names)
        self._metrics = {metric.name: metric for metric in CATALOGUE}
        self._families = {metric.name: _family(metric, self.registry) for metric in CATALOGUE}
        self._children: dict[tuple[str, tuple[str, ...]], Family] = {}
        self._unknown = {
            metric.name
            for metric in CATALOGUE
            if isinstance(metric, metrics.Gauge) and metric.unknown_at_first
        }
        for name, labels in seeds(names):
            self.child(name, labels)

    def child(self, name: str, labels: tuple[str, ...] = ()) -> Family:
        """One combination; an unknown label value becomes ``other``."""
        found = self._children.get((name, labels))
        return self._make(name, labels) if found is None else found

    def counter(self, name: str, *labels: str) -> Counter:
        """A counter's child."""
        child = self.child(name, labels)
        if not isinstance(child, Counter):
            raise TypeError(name)
        return child

    def gauge(self, name: str, *labels: str) -> Gauge:
        """A gauge's child."""
        child = self.child(name, labels)
        if not isinstance(child, Gauge):
            raise TypeError(name)
        return child

    def histogram(self, name: str, *labels: str) -> Histogram:
        """A histogram's child."""
        child = self.child(name, labels)
        if not isinstance(child, Histogram):
            raise TypeError(name)
        return child

    def has(self, name: str, labels: tuple[str, ...]) -> bool:
        """Whether there is this very combination, and not only ``other`` for it."""
        return (name, labels) in self._children

    def children(self, name: str) -> dict[tuple[str, ...], Family]:
        """All combinations of a family that there are."""
        return {labels: child for (owner, labels), child in self._children.items() if owner == name}

    def _make(self, name: str, labels: tuple[str, ...]) -> Family:
        known = tuple(
            value if value in self._vocabulary.get(label, {value}) else OTHER
            for label, value in zip(self._metrics[name].labels, labels, strict=True)
        )
        family = self._families[name]
        if known != labels:
            return self.child(name, known)
        child: Family = family.labels(*known) if known else family
        if isinstance(child, Gauge) and name in self._unknown:
            child.set(nan)
        self._children[name, known] = child
        return child


def _family(metric: metrics.Metric, registry: CollectorRegistry) -> Family:
    common = PREFIX + metric.name, metric.help, metric.labels
    if isinstance(metric, metrics.Histogram):
        return Histogram(*common, buckets=metric.buckets, registry=registry)
    kind = Counter if isinstance(metric, metrics.Counter) else Gauge
    return kind(*common, registry=registry)
