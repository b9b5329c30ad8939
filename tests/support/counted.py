"""Metrics that keep what was counted."""

from connector import plugins
from connector.core.metrics import Counter, Gauge, Histogram, Metric, NoMetrics
from connector.core.source import SourceCapabilities


class Counted(NoMetrics):
    """Keeps every call in its order, with the label values in the order of the definition."""

    def __init__(self) -> None:
        self.calls: list[tuple[Metric, float, tuple[str, ...]]] = []

    def count(self, metric: Counter, number: float = 1, /, **labels: str) -> None:
        self.calls.append((metric, number, metric.values(labels)))

    def gauge(self, metric: Gauge, value: float, /, **labels: str) -> None:
        self.calls.append((metric, value, metric.values(labels)))

    def observe(self, metric: Histogram, seconds: float, /, **labels: str) -> None:
        self.calls.append((metric, seconds, metric.values(labels)))

    def of(self, metric: Metric) -> list[tuple[float, tuple[str, ...]]]:
        """All numbers of one metric with their label values."""
        return [(number, labels) for one, number, labels in self.calls if one is metric]

    def labels(self, metric: Metric) -> list[tuple[str, ...]]:
        """The label values of one metric, as often as they were counted."""
        return [labels for number, labels in self.of(metric) for _ in range(int(number))]

    def now(self, metric: Metric) -> dict[tuple[str, ...], float]:
        """The last value of a gauge, by its label values."""
        return {labels: value for value, labels in self.of(metric)}


def source_capabilities() -> dict[str, SourceCapabilities]:
    """The capabilities of every installed source, by name."""
    entries = plugins.installed(plugins.SOURCES)
    return {entry.name: plugins.load(entry).capabilities for entry in entries}
