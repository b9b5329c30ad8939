"""What a piece of a test logs, as records."""

import io
import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from connector.observe.logs import LogOptions, configure_logging
from tests.support.clocks import ManualClock

KEY = secrets.token_bytes(32)
"""Of the users' hash."""


@dataclass
class Lines:
    """Everything that was logged, and how many keys were left out."""

    stream: io.StringIO
    dropped: list[int]

    def all(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def last(self) -> dict[str, object]:
        return self.all()[-1]


@contextmanager
def logging_to(options: LogOptions) -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    found = Lines(io.StringIO(), [])
    configure_logging(
        options, found.stream, ManualClock(wall=1_772_700_000_123), found.dropped.append
    )
    try:
        yield found
    finally:
        root.handlers[:], logging.raiseExceptions = handlers, raising
        root.setLevel(level)
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()
