"""Limits repeated log lines: while a broker is down, the client logs many a second."""

import logging

_SECONDS = 30.0
_TALKATIVE = (
    "aiokafka",
    "aiokafka.conn",
    "aiokafka.cluster",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)


class Seldom(logging.Filter):
    """A log filter that passes each kind of line once per interval, by the records' time."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether no line of this kind (its text without the values) was logged recently."""
        kind = str(record.msg)
        if record.created - self._said.get(kind, 0.0) < _SECONDS:
            return False
        self._said[kind] = record.created
        return True


_SELDOM = Seldom()


def calm() -> None:
    """Limit or drop log lines without new information; calling it again changes nothing.

    Brokers answer NOT_ENOUGH_REPLICAS to the first record of a transaction while the markers of
    the last one are being written (since 3.6, to clients of the old transaction protocol); the
    producer tries again after its backoff. Real failures reach the caller as an error.
    """
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.CRITICAL)
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_SELDOM)
