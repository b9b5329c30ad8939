"""The metrics page of the documentation, made from the catalogue."""

from connector.core.metric_definitions import CATALOGUE
from connector.core.metrics import PREFIX, Histogram, Metric

INTRODUCTION = """# Metrics

`/metrics` on the observation port speaks the Prometheus text format and OpenMetrics. Base units
only; counters end in `_total`, moments in time in `_timestamp_seconds`. No label ever holds a user,
a device, an address or free text; a value that is not known beforehand is counted as `other`.
The combinations of labels that can be expected are present from the first scrape on, at zero: the
operations of the configured parts, every change of phase, and failures by the codes of the parts
that a step asks. The metrics of the process itself (`process_…`, `python_…`) are those of the
Prometheus client library.

Use `enrolment_to_ready_seconds` for a service level objective. `audit_records` and
`audit_head_prefix` show the end of each audit chain: store them outside the cluster, so that
`audit verify` can detect a cut-off chain.

This page is generated from `connector/core/metric_definitions.py`; do not edit it, run `make docs`.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""


def metrics_page() -> str:
    """The whole page, Markdown."""
    return INTRODUCTION + "".join(map(_row, CATALOGUE))


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
    meaning = metric.help
    if isinstance(metric, Histogram):
        meaning += f" Buckets: {', '.join(f'{edge:g}' for edge in metric.buckets)}."
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {labels} | {meaning} |\n"
