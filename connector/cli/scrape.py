"""Heads and counts of audit chains as a scrape of ``/metrics`` shows them."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from connector.operators.verbs.audit import Published

if TYPE_CHECKING:
    from prometheus_client import Metric

COUNTS = "pki_connector_audit_records"
HEADS = "pki_connector_audit_head_prefix"
DIGITS = 12
"""Hexadecimal digits of a head that the metric shows as a number."""


def published_in(files: Iterable[Path]) -> list[Published]:
    """What was published of every partition in the scrapes, which may be of several pods.

    Raises:
        typer.BadParameter: when a file is no scrape, or shows no audit chain.
    """
    found = [one for file in files for one in _read(file)]
    if not found:
        raise typer.BadParameter("the scrape has no audit chain")
    return found


def _read(file: Path) -> list[Published]:
    from prometheus_client import parser  # noqa: PLC0415 - only this command reads metrics

    try:
        families = list(parser.text_string_to_metric_families(file.read_text(encoding="utf-8")))
        return list(_published(families))
    except (ValueError, KeyError, OSError, OverflowError):  # an infinite number overflows
        raise typer.BadParameter(f"{file} is not a scrape of /metrics") from None


def _published(families: Sequence["Metric"]) -> Iterator[Published]:
    counts, heads = _by_partition(families, COUNTS), _by_partition(families, HEADS)
    for partition, count in counts.items():
        head = f"{heads[partition]:0{DIGITS}x}" if partition in heads and count else None
        yield Published(partition=partition, count=count, head=head)


def _by_partition(families: Iterable["Metric"], name: str) -> dict[int, int]:
    return {
        int(sample.labels["partition"]): int(sample.value)
        for family in families
        if family.name == name
        for sample in family.samples
        if sample.labels["partition"].isdecimal()
    }
