"""What a round makes of its subjects' records: versions, and the ids that they remember.

An id that a subject has consumed stays in the subject's own record for its retention, so that the
next owner of the partition knows it as well.
"""

from collections.abc import Iterable, Mapping, Sequence

from connector.core.journal import PartitionRecord
from connector.core.model import Millis, SubjectKey, is_partition
from connector.journal.kafka import record_versions
from connector.journal.kafka.local import LocalTables
from connector.journal.kafka.partition_buffer import Consumed
from connector.journal.kafka.records import (
    NOTHING_SEEN,
    Head,
    Seen,
    StateRecord,
    remembered,
    seen_header,
)
from connector.journal.rounds import Round
from connector.journal.states import StateColumns, WantColumns

MOST_IDS = 256
"""Maximum number of ids that a subject keeps, about 15 KiB: they are written with each of its
records. A sender that repeats itself does so soon; what it repeats later leads to a look."""


class Dropped:
    """Counts the ids that subjects forgot before their time, since it was last asked."""

    def __init__(self) -> None:
        self.number = 0

    def take(self) -> int:
        """How many; from here on it counts from zero."""
        number, self.number = self.number, 0
        return number


Content = tuple[StateColumns | None, list[WantColumns]]
_NOTHING: Content = (None, [])


async def of_round(
    local: LocalTables,
    ready: Round,
    consumed: Iterable[Consumed],
    before: Millis,
    dropped: Dropped,
) -> list[StateRecord]:
    """The records of a round: of its states, and of subjects that consumed an event for nothing.

    Ids that came before a time are left out; those beyond what a subject remembers are counted.
    """
    written = _written(ready)
    new = _by_subject(consumed)
    idle = [key for key in new if key not in written and not is_partition(key)]
    known = await local.heads([*written, *idle])
    written |= await _unchanged(local, [key for key in idle if key in known])
    written |= {key: _NOTHING for key in idle if key not in written}
    place = ready.commit.record
    return [
        _record(
            known.get(key) or _unheard_of(key, place),
            content,
            place.epoch,
            place.position,
            _remembered(known.get(key), new.get(key, {}), before, dropped),
        )
        for key, content in written.items()
    ]


def own_seen(seen: Seen, consumed: Iterable[Consumed], before: Millis, dropped: Dropped) -> Seen:
    """What the partition itself remembers after a round."""
    new = {one.id: one.received_at for one in consumed if is_partition(one.subject)}
    return _bounded(seen | new, before, dropped)


def _bounded(ids: Seen, before: Millis, dropped: Dropped) -> Seen:
    """The newest ids that came at a time or later, at most :data:`MOST_IDS`."""
    kept = {name: at for name, at in ids.items() if at >= before}
    if len(kept) <= MOST_IDS:
        return kept
    dropped.number += len(kept) - MOST_IDS
    return dict(sorted(kept.items(), key=lambda one: one[1])[-MOST_IDS:])


async def forgettable(
    local: LocalTables, partition: int, epoch: int, before: Millis, limit: int
) -> list[StateRecord]:
    """Tombstones for subjects without a state whose ids all came before a time."""
    old = await local.ask(
        lambda connection: record_versions.forgettable(connection, partition, before, limit)
    )
    return [_record(head, _NOTHING, epoch, 0, (NOTHING_SEEN, 0)) for head in old]


def _remembered(
    head: Head | None, new: Seen, before: Millis, dropped: Dropped
) -> tuple[bytes, Millis]:
    """What a subject remembers after a round, as a header, and its newest time."""
    known = NOTHING_SEEN if head is None else head.seen
    if not new and known == NOTHING_SEEN:
        return NOTHING_SEEN, 0
    kept = _bounded(remembered(known) | new, before, dropped)
    return seen_header(kept), max(kept.values(), default=0)


def _record(
    head: Head, content: Content, epoch: int, source: int, memory: tuple[bytes, Millis]
) -> StateRecord:
    """The next record of a subject."""
    seen, newest = memory
    columns, wants = content
    after = Head(head.key, head.partition, epoch, head.version + 1, seen, newest, columns is None)
    return StateRecord(after, source, columns, wants)


def _unheard_of(key: SubjectKey, round_: PartitionRecord) -> Head:
    """The version before a subject's first record.

    Versions begin with the round's commit counter, which no version of an earlier subject of that
    name exceeds, for each commit raises a version by one at most.
    """
    return Head(key, round_.partition, 0, round_.commits - 1, NOTHING_SEEN, 0, bare=True)


def _written(ready: Round) -> dict[SubjectKey, Content]:
    wants: dict[SubjectKey, list[WantColumns]] = {}
    for want in ready.wants:
        wants.setdefault(want[0], []).append(want)
    written: dict[SubjectKey, Content] = {
        columns.key: (columns, wants.get(columns.key, [])) for columns in ready.states
    }
    return written | dict.fromkeys(ready.removed, _NOTHING)


def _by_subject(consumed: Iterable[Consumed]) -> dict[SubjectKey, Seen]:
    new: dict[SubjectKey, Seen] = {}
    for one in consumed:
        new.setdefault(one.subject, {})[one.id] = one.received_at
    return new


async def _unchanged(
    local: LocalTables, keys: Sequence[SubjectKey]
) -> Mapping[SubjectKey, Content]:
    if not keys:
        return {}
    found = await local.ask(lambda connection: record_versions.contents(connection, keys))
    return {key: found.get(key, _NOTHING) for key in keys}
