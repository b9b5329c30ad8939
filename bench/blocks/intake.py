"""Durable intake against a handler that stores nothing, and against one commit per request.

Served over TLS as by default, on one core; the load comes from another. A round in which the empty
handler's process kept its core less than 95 % busy is void: then the load was the limit.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.block import Block, Measure, VoidFigure
from bench.calibration import p99, sync_seconds
from bench.loading import Loading
from bench.machine import processor_seconds, server_core
from bench.measured_process import Side
from connector_testkit.simulators.tls import issue_tls

SECONDS = 2.0
TURNS = 4
WARM_UP = 0.5
BUSY = 0.95
SYNCS = 400


@dataclass
class Served:
    """A listening side, and how many of its answers were 2xx."""

    side: Side
    folder: Path | None = None
    good: int = 0
    port: int = 0


class Intake:
    """The three sides and the load.

    ``seconds`` is the length of one side's part of a round. The two sides that are compared have it
    in short turns, so that a machine that changes its pace meets both.
    """

    def __init__(self, stack: ExitStack, folder: Path, seconds: float = SECONDS) -> None:
        """Start them."""
        self._folder = folder
        self._seconds = seconds
        tls = issue_tls(folder / "tls")
        pair = (str(tls.certificate), str(tls.key))
        on = server_core()
        self.null = Served(stack.enter_context(Side("bench.sides.null", *pair, cores=on)))
        self.group = self._durable(stack, "group", *pair)
        self.single = self._durable(stack, "single", *pair)
        self._load = Loading(stack, tls.ca)
        for served in (self.null, self.group, self.single):
            served.port = served.side.heard()["port"]
            self._turn(served, WARM_UP, close=True)

    def _durable(self, stack: ExitStack, commits: str, *pair: str) -> Served:
        folder = self._folder / commits
        folder.mkdir()
        arguments = (str(folder), commits, *pair)
        side = Side("bench.sides.intake", *arguments, cores=server_core())
        return Served(stack.enter_context(side), folder)

    def _turn(self, served: Served, seconds: float, *, close: bool = False) -> dict[str, float]:
        before = processor_seconds(served.side.pid)
        answer = self._load.turn(served.port, seconds, close=close)
        used = processor_seconds(served.side.pid) - before
        served.good += int(answer["good"])
        return {**answer, "busy": used / answer["seconds"]}

    def measure(self) -> dict[str, float] | None:
        """One round: each side's turns, and a bare fdatasync."""
        pairs = [self._pair(self._seconds / TURNS) for _ in range(TURNS)]
        null, group = (_whole(turns) for turns in zip(*pairs, strict=True))
        sync = p99(sync_seconds(self._folder, SYNCS))
        single = self._turn(self.single, self._seconds / 2)
        if null["busy"] < BUSY:
            return None
        return {
            "intake-vs-null": group["per_second"] / null["per_second"],
            "intake-p99-vs-null": group["p99"] / (null["p99"] + 2 * sync),
            "intake-vs-single-commit": group["per_second"] / single["per_second"],
        }

    def _pair(self, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
        return self._turn(self.null, seconds), self._turn(self.group, seconds)


def _whole(turns: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """A side's turns as one: means over its time, and the median of the 99th percentiles."""
    seconds = sum(one["seconds"] for one in turns)
    return {
        "per_second": sum(one["good"] for one in turns) / seconds,
        "busy": sum(one["busy"] * one["seconds"] for one in turns) / seconds,
        "p99": median(one["p99"] for one in turns),
    }


@contextmanager
def opened(folder: Path, seconds: float = SECONDS) -> Iterator[Measure]:
    """The block's sides; at the end rows are counted against 2xx."""
    with ExitStack() as stack:
        intake = Intake(stack, folder, seconds)
        yield intake.measure
    for served in (intake.group, intake.single):
        if rows(served.folder) != served.good:
            raise VoidFigure(
                f"{served.good} answers were 2xx, {rows(served.folder)} rows are there"
            )


def rows(folder: Path | None) -> int:
    """The events in a journal."""
    with closing(sqlite3.connect(f"file:{folder}/journal.sqlite?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
    return int(count)


BLOCK = Block(
    ("intake-vs-null", "intake-p99-vs-null", "intake-vs-single-commit"),
    opened,
    rulers=("python_seconds", "fdatasync_seconds"),
)
