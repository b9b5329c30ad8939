"""Records of ``<prefix>.dead-letter``: key ``partition/position``, value the letter's JSON.

A letter that was settled is taken back by a record without a value; both leave with the topic's
retention.
"""

from collections.abc import Iterable, Iterator

import structlog
from aiokafka.structs import ConsumerRecord

from connector.journal.kafka.cloudevents import Outgoing

log = structlog.get_logger("connector.journal.kafka")


def outgoing(partition: int, position: int, text: bytes | None, topic: str) -> Outgoing:
    """The record of a letter; ``text`` None removes it."""
    return Outgoing(topic, partition, b"%d/%d" % (partition, position), text, ())


def read(
    batch: Iterable[ConsumerRecord], partition: int
) -> Iterator[tuple[int, int, bytes | None]]:
    """Partition, position and JSON (None: settled) of each letter; foreign records are left out."""
    for record in batch:
        number, _, position = (record.key or b"").partition(b"/")
        try:
            if int(number) == partition:
                yield partition, int(position), record.value
        except ValueError:
            log.warning("journal.foreign_letter", partition=partition, offset=record.offset)
