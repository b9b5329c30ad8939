"""Log lines on their way to standard output, written by a thread of their own.

Standard output may be a pipe whose reader stands still. A write into a full pipe waits, and the
event loop must not wait with it: what does not fit into the queue is dropped and counted.
"""

import os
import select
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

WAITING = 10_000
"""Lines that may wait, each of a few hundred bytes."""
TOGETHER = 256
"""Lines that are written with one call when many wait."""


class LogWriter:
    """A stream for :class:`logging.StreamHandler` that never waits.

    The thread ends with the process; :meth:`drain` says how long it may take before that.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        dropped: Callable[[int], None],
        flows: Callable[[int], None],
        limit: int = WAITING,
    ) -> None:
        """``descriptor`` stays open as long as this is used.

        ``dropped`` is called with the number of lines just dropped, in any thread; ``flows`` in the
        writing thread once lines pass again, with the number dropped since it was last called.
        """
        self._descriptor = descriptor
        self._dropped = dropped
        self._flows = flows
        self._limit = limit
        self._lines: SimpleQueue[str | threading.Event] = SimpleQueue()
        self._lost = 0
        self._counting = threading.Lock()
        threading.Thread(target=self._serve, name="log-writer", daemon=True).start()

    def write(self, line: str) -> int:
        """Queue a line, or drop it; how many characters it has."""
        if self._lines.qsize() < self._limit:
            self._lines.put(line)
        else:
            self._drop(1)
        return len(line)

    def flush(self) -> None:
        """Nothing: the thread writes each line at once."""

    def drain(self, seconds: float) -> bool:
        """Wait until everything queued so far is written; False when that takes too long."""
        written = threading.Event()
        self._lines.put(written)
        return written.wait(seconds)

    def _drop(self, count: int) -> None:
        with self._counting:
            self._lost += count
        self._dropped(count)

    # ------------------------------------------------------------------- in the writing thread

    def _serve(self) -> None:
        while True:
            batch = self._next()
            lines = [one for one in batch if isinstance(one, str)]
            try:
                self._write("".join(lines).encode("utf-8", "backslashreplace"))
            except OSError:  # nothing reads any more, or the disk behind a file is full
                self._drop(len(lines))
            else:
                self._tell_lost()
            for one in batch:
                if isinstance(one, threading.Event):
                    one.set()

    def _next(self) -> list[str | threading.Event]:
        batch = [self._lines.get()]
        try:
            while len(batch) < TOGETHER:
                batch.append(self._lines.get_nowait())
        except Empty:
            pass
        return batch

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # another process made the pipe, which it shares, non-blocking
                poll = select.poll()
                poll.register(self._descriptor, select.POLLOUT)
                poll.poll()

    def _tell_lost(self) -> None:
        with self._counting:
            lost, self._lost = self._lost, 0
        if lost:
            self._flows(lost)
