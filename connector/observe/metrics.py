"""The metrics port, counted with prometheus-client.

A counter or histogram is found by the labels as they were given, once they were checked: this runs
several times for every request and step. Labels that are counted as ``other`` are looked up each
time, so that the number of kept places stays bounded.
"""

from typing import NamedTuple

import prometheus_client

from connector.core.metric_definitions import BUILD_INFO
from connector.core.metrics import Counter, Gauge, Histogram
from connector.observe.families import Families
from connector.observe.labels import Names


class Build(NamedTuple):
    """What runs: version of the package, source revision, version of Python."""

    version: str
    revision: str
    python: str


class PrometheusMetrics:
    """Implements :class:`connector.core.metrics.Metrics`.

    Args:
        names: the names in the settings that may become labels.
        build: what runs.
    """

    def __init__(self, names: Names, build: Build) -> None:
        self._families = Families(names)
        self._counters: dict[tuple[object, ...], prometheus_client.Counter] = {}
        self._histograms: dict[tuple[object, ...], prometheus_client.Histogram] = {}
        self._highest: dict[tuple[str, ...], float] = {}
        self.gauge(BUILD_INFO, 1, **build._asdict())
        self.registry = self._families.registry

    def count(self, metric: Counter, number: float = 1, /, **labels: str) -> None:
        """See the port."""
        place = (metric.name, *labels.items())
        child = self._counters.get(place)
        if child is None:
            values = metric.values(labels)
            child = self._families.counter(metric.name, *values)
            if self._families.has(metric.name, values):
                self._counters[place] = child
        child.inc(number)

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        """See the port."""
        values = metric.values(labels)
        if metric.only_rises:
            place = (metric.name, *values)
            self._highest[place] = value = max(value, self._highest.get(place, value))
        self._families.gauge(metric.name, *values).set(value)

    def observe(self, metric: Histogram, seconds: float, /, **labels: str) -> None:
        """See the port."""
        place = (metric.name, *labels.items())
        child = self._histograms.get(place)
        if child is None:
            values = metric.values(labels)
            child = self._families.histogram(metric.name, *values)
            if self._families.has(metric.name, values):
                self._histograms[place] = child
        child.observe(seconds)
