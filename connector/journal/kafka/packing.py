"""What a round is beside its states: audit records, events for others, dead letters."""

from collections.abc import Iterator, Sequence

from connector.core.errors import Permanent
from connector.core.journal import Commit
from connector.core.model import SubjectKey
from connector.core.sizes import TOO_LARGE, Place, TooLarge
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


def too_large(index: int, size: int, states: Sequence[SubjectKey], commit: Commit) -> Permanent:
    """Whose record the cluster refused: one of the states, which go first, or as packed above."""
    places = [Place("state", key, number) for number, key in enumerate(states)]
    places += [Place("event", one.subject, number) for number, one in enumerate(commit.events)]
    places += [
        Place("audit record", one.entry.subject, number) for number, one in enumerate(commit.audit)
    ]
    places += [Place("dead letter", "", number) for number, _ in enumerate(commit.dead_letters)]
    if index < len(places):
        return TooLarge(places[index], size)
    return Permanent(TOO_LARGE, "committing: it is the partition's own record")
