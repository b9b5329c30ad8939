"""Which topics the journal needs and how they are set, and the words for how others are found.

Settings are Kafka's, names and texts as in its manual (kafka.apache.org, "Topic Configs").
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from connector.core.errors import Permanent
from connector.core.model import DAY, Record
from connector.core.values import millis
from connector.journal.settings import KafkaSettings

MEBI = 1024 * 1024
LARGEST_RECORD = 4 * MEBI
"""Bytes of the largest record that the journal writes."""
FOR_EVER = -1
_BATCH_HEADER = 64 * 1024


class Topic(Record):
    """A topic as it should be made."""

    name: str
    partitions: int
    replication: int
    settings: dict[str, str]


class Found(Record):
    """A topic as it is there. ``replication`` is that of its partition with the fewest copies."""

    name: str
    partitions: int
    replication: int
    settings: dict[str, str]


class TopicFault(Record):
    """One thing that is wrong with a topic, and how to fix it."""

    topic: str
    wrong: str
    action: str

    def __str__(self) -> str:
        """One line of text."""
        return f"{self.topic}: {self.wrong}; {self.action}"


class TopicsRefused(Permanent):
    """The topics are not as the journal needs them. ``faults`` holds every one that was found."""

    def __init__(self, faults: Sequence[TopicFault]) -> None:
        """Take all faults; the text names as many as fit."""
        self.faults = tuple(faults)
        super().__init__("KAF-004", f"{len(faults)} found: " + " | ".join(map(str, faults)))


class Plan(NamedTuple):
    """What ``kafka init`` would create, leaves as it is, and cannot fix."""

    missing: tuple[Topic, ...]
    right: tuple[Found, ...]
    faults: tuple[TopicFault, ...]


def wanted(options: KafkaSettings) -> tuple[Topic, ...]:
    """The four topics as ``kafka init`` makes them."""
    names, kept = options.names, options.retention
    own = {
        names.events: _deleted(kept.events),
        names.states: {
            "cleanup.policy": "compact",
            # A table is rebuilt from what compaction left, so it must be neither late nor rare;
            # a tombstone is kept as long as any pod's local copy may be old.
            "min.cleanable.dirty.ratio": "0.1",
            "segment.bytes": str(64 * MEBI),
            "segment.ms": str(DAY),
            "delete.retention.ms": str(7 * DAY),
        },
        names.audit: _deleted(kept.audit),
        names.dead_letter: _deleted(kept.dead_letters),
    }
    return tuple(
        Topic(
            name=name,
            partitions=options.partitions,
            replication=options.replication,
            settings=_durable(options) | own[name],
        )
        for name in names.topics
    )


def _durable(options: KafkaSettings) -> dict[str, str]:
    settings = {
        "min.insync.replicas": str(options.min_insync_replicas),
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(LARGEST_RECORD + _BATCH_HEADER),
    }
    if options.replication == 1 and not options.accept_single_replica:
        settings["flush.messages"] = "1"
    return settings


def _deleted(kept: timedelta | None) -> dict[str, str]:
    limit = FOR_EVER if kept is None else millis(kept)
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(limit),
        "retention.bytes": str(FOR_EVER),
    }
