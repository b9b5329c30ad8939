"""What a subject remembers in the clustered journal has a bound."""

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from connector.core.model import DAY, SubjectKind, subject_key
from connector.journal.kafka.cloudevents import Outgoing
from connector.journal.kafka.partition_buffer import Consumed
from connector.journal.kafka.subjects import MOST_IDS, Dropped, own_seen
from connector.journal.kafka.topics import LARGEST_RECORD
from connector.journal.kafka.transactions import batches

PARTITION = subject_key("-", SubjectKind.PARTITION, "0")


def test_only_the_newest_ids_are_remembered() -> None:
    """However many come within the time for which ids are kept, a commit stays as small."""
    seen: dict[str, int] = {}
    dropped = Dropped()
    for number in range(3 * MOST_IDS):
        seen = own_seen(seen, [Consumed(PARTITION, f"id-{number}", number)], 0, dropped)
    assert list(seen) == [f"id-{number}" for number in range(2 * MOST_IDS, 3 * MOST_IDS)]
    assert (dropped.take(), dropped.take()) == (2 * MOST_IDS, 0)


def test_ids_that_are_old_enough_are_forgotten() -> None:
    """As before, their time ends it first."""
    old, new = Consumed(PARTITION, "old", 1), Consumed(PARTITION, "new", DAY)
    dropped = Dropped()
    assert own_seen({}, [old, new], DAY, dropped) == {"new": DAY}
    assert dropped.take() == 0


def test_headers_count_for_the_size_of_a_record() -> None:
    """A record whose headers alone are too large is refused before it is sent."""
    heavy = Outgoing("states", 0, b"key", b"{}", [("seen", b"x" * LARGEST_RECORD)])
    with pytest.raises(MessageSizeTooLargeError):
        batches(None, [heavy])
