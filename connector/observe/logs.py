"""Logs: one JSON line per event on a stream, times in UTC (RFC 3339), two layers of redaction.

Layer one lets through the keys that :mod:`connector.observe.log_events` lists for the event; layer
two masks what still looks like a secret. Loggers of the standard library and of libraries go the
same way; of a library's message only the template is kept, never the values put into it. An
exception appears as its class and code, never with its text or a traceback.
"""

import hashlib
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import orjson
import structlog
from structlog.typing import EventDict

from connector.core.errors import ConnectorError
from connector.core.model import SECOND
from connector.core.ports import Clock
from connector.observe.log_events import COMMON, EVENTS, FIRST, FOREIGN, IDENTIFIERS, USERS
from connector.observe.scrub import is_identifier, scrub

OWN = "connector"
NO_KEYS: frozenset[str] = frozenset()
INTEGER_BITS = 64
"""Longer integers are no JSON numbers to most readers."""


class LogOptions(NamedTuple):
    """``level`` as logging names it; ``user_key`` for the hash of user names, at most 64 bytes.

    With ``clear_users`` names are written as they are. ``events`` are the keys that each event may
    carry; a plug-in's own are added there.
    """

    level: str
    user_key: bytes
    clear_users: bool = False
    events: Mapping[str, frozenset[str]] = EVENTS

    def __repr__(self) -> str:
        """Not the key."""
        return f"<LogOptions {self.level}>"


class Stream(Protocol):
    """What a handler needs of a stream."""

    def write(self, text: str, /) -> int:
        """Take a line."""
        ...

    def flush(self) -> None:
        """Called after each line."""
        ...


def configure_logging(
    options: LogOptions, stream: Stream, clock: Clock, dropped: Callable[[int], None]
) -> None:
    """Send all logs of the process to ``stream``.

    Args:
        options: how much, and how users appear.
        stream: where the lines go; its ``write`` never waits.
        clock: gives the time of each line.
        dropped: called with the number of members left out of a line.
    """
    redaction = Redaction(options, clock, dropped)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.contextvars.merge_contextvars, structlog.stdlib.ExtraAdder()],
        processors=[redaction, structlog.processors.JSONRenderer(serializer=_dumps)],
        use_get_message=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(options.level.upper())
    logging.getLogger("aiohttp.access").disabled = True  # its lines hold paths and referers
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # a line for every look
    logging.raiseExceptions = False  # its report on standard error would hold the arguments
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


class Redaction:
    """Reduces a log event to a flat record of allowed keys and harmless values."""

    def __init__(self, options: LogOptions, clock: Clock, dropped: Callable[[int], None]) -> None:
        self._options = options
        self._clock = clock
        self._dropped = dropped

    def __call__(self, _logger: object, _method: str, entry: EventDict) -> EventDict:
        """The line of one log call, as structlog hands it over."""
        record: logging.LogRecord = entry.pop("_record")
        del entry["_from_structlog"]
        facts = _named(entry) if _is_own(record.name) else _foreign(record, _named(entry))
        event = str(facts.pop("event"))
        allowed = COMMON | self._options.events.get(event, NO_KEYS)
        kept = {key: self._safe(key, value) for key, value in facts.items() if key in allowed}
        if len(kept) < len(facts):
            self._dropped(len(facts) - len(kept))
        head = (self._time(), record.levelname.lower(), scrub(event), record.name)
        return dict(zip(FIRST, head, strict=True)) | kept

    def _time(self) -> str:
        now = datetime.fromtimestamp(self._clock.now() / SECOND, UTC)
        return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _safe(self, key: str, value: object) -> str | int | float | None:
        if value is None or isinstance(value, float):
            return value
        if isinstance(value, int) and value.bit_length() < INTEGER_BITS:
            return value
        if not isinstance(value, str):
            return type(value).__name__
        if key in USERS and not self._options.clear_users:
            digest = hashlib.blake2b(
                value.encode("utf-8", "replace"), key=self._options.user_key, digest_size=8
            )
            return f"user:{digest.hexdigest()}"
        if key in IDENTIFIERS and is_identifier(value):
            return value
        return scrub(value)


def _is_own(logger: str) -> bool:
    return logger == OWN or logger.startswith(f"{OWN}.")


def _named(entry: EventDict) -> EventDict:
    """The entry with its exception as a class and a code, and without any traceback."""
    facts = {key: value for key, value in entry.items() if key not in {"exc_info", "stack_info"}}
    error = _raised(entry.get("exc_info"))
    if error is not None:
        facts["error"] = type(error).__name__
    if isinstance(error, ConnectorError):
        facts["error_code"] = error.code
    return facts


def _raised(given: object) -> BaseException | None:
    """The exception that a log call names: itself, as a triple, or True for the present one."""
    if given is True:
        return sys.exception()
    found = given[1] if isinstance(given, tuple) else given
    return found if isinstance(found, BaseException) else None


def _foreign(record: logging.LogRecord, facts: EventDict) -> EventDict:
    """A library's message as its template's first line; the values it was given are no keys."""
    words = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    kept = {key: value for key, value in facts.items() if key in COMMON}
    return kept | {"event": FOREIGN, "message": words.partition("\n")[0]}


def _dumps(entry: EventDict, **_: object) -> str:
    return orjson.dumps(entry).decode()
