"""What a round is beside its states: audit records, events for others, dead letters."""

from collections.abc import Iterator

from connector.journal.kafka import letters
from connector.journal.kafka.cloudevents import Outgoing, outgoing
from connector.journal.kafka.names import Names
from connector.journal.rounds import Round


def pack(ready: Round, names: Names, partitions: int) -> Iterator[Outgoing]:
    """The records of a round for all topics but that of states."""
    number = ready.commit.record.partition
    for event in ready.commit.events:
        yield outgoing(event, names.events, partitions)
    for record, (_, sequence, text) in zip(ready.commit.audit, ready.audit, strict=True):
        headers = (("epoch", b"%d" % record.epoch), ("sequence", b"%d" % sequence))
        yield Outgoing(names.audit, number, record.entry.subject.encode(), text, headers)
    for letter in ready.dead_letters:
        yield letters.outgoing(*letter, names.dead_letter)
    for position in ready.commit.settled:
        yield letters.outgoing(number, position, None, names.dead_letter)
