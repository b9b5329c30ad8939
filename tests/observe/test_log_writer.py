"""The thread that writes the log: order, bound, and what becomes of a reader that stands still."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from connector.observe.log_writer import LogWriter
from tests.patience import PATIENCE

LINE = "x" * 1000 + "\n"
LIMIT = 5


@dataclass
class Pipe:
    """A small pipe with a log writer at its end."""

    reading: int
    writing: int
    dropped: list[int] = field(default_factory=list)
    flows: list[int] = field(default_factory=list)

    def writer(self) -> LogWriter:
        return LogWriter(
            self.writing, dropped=self.dropped.append, flows=self.flows.append, limit=LIMIT
        )

    def fill(self) -> int:
        """Write until it takes no more; how many bytes."""
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writing, False)
        size = os.write(self.writing, bytes(100_000))
        os.set_blocking(self.writing, True)
        return size

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            found += os.read(self.reading, size - len(found))
        return found


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    found = Pipe(*os.pipe())
    yield found
    os.close(found.reading)


def test_lines_come_in_their_order_and_are_there_after_a_drain(pipe: Pipe) -> None:
    writer = pipe.writer()
    lines = [f"{number} \N{SNOWMAN}\n" for number in range(LIMIT)]
    for line in lines:
        writer.write(line)
    writer.flush()
    assert writer.drain(PATIENCE)
    assert os.read(pipe.reading, 1000).decode() == "".join(lines)
    assert (pipe.dropped, pipe.flows) == ([], [])


@pytest.mark.parametrize("blocking", [True, False])
def test_a_reader_that_stands_still_holds_up_no_one(pipe: Pipe, *, blocking: bool) -> None:
    """What does not fit is dropped and counted; told once when lines pass again."""
    size = pipe.fill()
    os.set_blocking(pipe.writing, blocking)
    writer = pipe.writer()
    for _ in range(4 * LIMIT):
        writer.write(LINE)
    assert not writer.drain(0)
    lost = sum(pipe.dropped)
    assert 4 * LIMIT - lost <= 2 * LIMIT + 1
    pipe.read(size + (4 * LIMIT - lost) * len(LINE))
    assert writer.drain(PATIENCE)
    assert pipe.flows == [lost]
    writer.write(LINE)
    assert writer.drain(PATIENCE)
    assert pipe.read(len(LINE)).decode() == LINE
    assert pipe.flows == [lost]


def test_lines_that_nobody_can_read_any_more_are_dropped() -> None:
    reading, writing = os.pipe()
    pipe = Pipe(reading, writing)
    writer = pipe.writer()
    os.close(reading)
    writer.write(LINE)
    assert writer.drain(PATIENCE)
    assert pipe.dropped == [1]
