"""The topics: planned, made, checked at start; each fault is reported."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from connector.core.errors import Permanent
from connector.core.model import DAY
from connector.journal.kafka.checking import all_faults, planned
from connector.journal.kafka.cluster import (
    administration,
    check_creation,
    create,
    found,
    plan,
    require,
)
from connector.journal.kafka.topics import Found, TopicsRefused, wanted
from connector.journal.settings import KafkaSettings
from tests.kafka.by_hand import make_by_hand


def changed(options: KafkaSettings, **changes: Any) -> KafkaSettings:
    return KafkaSettings.model_validate(options.model_dump() | changes)


def made(options: KafkaSettings, which: str = "", **changes: Any) -> dict[str, Found]:
    """The topics as they are after ``init``; one of them, ``which``, with changes."""
    there = {}
    for topic in wanted(options):
        one = Found(**topic.model_dump())
        if topic.name.endswith(f".{which}"):
            settings = one.settings | changes.get("settings", {})
            one = one.model_copy(update=changes | {"settings": settings})
        there[topic.name] = one
    return there


async def test_missing_topics_are_planned_made_and_then_right(options: KafkaSettings) -> None:
    """From nothing to four topics that the start accepts; a second plan has nothing to do."""
    async with administration(options) as admin:
        first = await plan(admin, options)
        assert [topic.name for topic in first.missing] == list(options.names.topics)
        assert (first.right, first.faults) == ((), ())
        await check_creation(admin, first.missing)
        assert await found(admin, options.names.topics) == {}
        await create(admin, first.missing)
        second = await plan(admin, options)
    assert (second.missing, second.faults) == ((), ())
    assert {one.partitions for one in second.right} == {4}
    await require(options)


async def test_the_topics_are_set_as_the_promises_need(topics: KafkaSettings) -> None:
    """What the brokers say of each topic after it was made."""
    async with administration(topics) as admin:
        there = await found(admin, topics.names.topics)
    for topic in wanted(topics):
        assert topic.settings.items() <= there[topic.name].settings.items(), topic.name
    states, events = there[topics.names.states].settings, there[topics.names.events].settings
    assert states["cleanup.policy"] == "compact"
    assert (events["cleanup.policy"], events["retention.ms"]) == ("delete", str(14 * DAY))
    assert there[topics.names.audit].settings["retention.ms"] == "-1"
    assert states["flush.messages"] == events["flush.messages"] == "1"
    assert states["unclean.leader.election.enable"] == "false"


async def test_making_topics_twice_is_harmless(topics: KafkaSettings) -> None:
    """Two people who run ``init`` at once both succeed."""
    async with administration(topics) as admin:
        await create(admin, wanted(topics))
    await require(topics)


async def test_the_start_is_refused_with_everything_that_is_wrong(
    options: KafkaSettings, admin: AIOKafkaAdminClient
) -> None:
    """One report: a missing topic, another number of partitions, no compaction, no flush."""
    names = options.names
    await make_by_hand(
        admin,
        NewTopic(names.events, 3, 1, topic_configs={"flush.messages": "1"}),
        NewTopic(names.states, 4, 1, topic_configs={"flush.messages": "1"}),
        NewTopic(names.audit, 4, 1, topic_configs={"retention.ms": "-1"}),
    )
    with pytest.raises(TopicsRefused) as refused:
        await require(options)
    told = {(fault.topic, fault.wrong) for fault in refused.value.faults}
    flushed = "has one replica and no flush.messages=1: a power failure loses what was accepted"
    missing = "does not exist, or the connector's user may not describe it"
    assert {
        (names.dead_letter, missing),
        (names.events, "has 3 partitions instead of 4"),
        (names.events, f"retention.ms is {7 * DAY} instead of {14 * DAY}"),
        (names.states, "cleanup.policy is delete instead of compact"),
        (names.audit, flushed),
    } <= told
    assert refused.value.code == "KAF-004"


async def test_looking_makes_no_topic(options: KafkaSettings, admin: AIOKafkaAdminClient) -> None:
    """The check names nothing that a broker could create on being asked; ours would."""
    with pytest.raises(TopicsRefused):
        await require(options)
    # What is made later is reported later.
    await make_by_hand(admin, NewTopic(f"{options.prefix}.afterwards", 1, 1))
    assert not set(options.names.topics) & set(await admin.list_topics())


async def test_too_few_brokers_are_told_before_anything_is_made(options: KafkaSettings) -> None:
    """The cluster itself checks the plan."""
    three = changed(options, replication=3, min_insync_replicas=2)
    async with administration(three) as admin:
        with pytest.raises(Permanent, match=r"KAF-005: creating .*InvalidReplicationFactor"):
            await check_creation(admin, wanted(three))


def test_topics_as_made_are_right(options: KafkaSettings) -> None:
    """A plan finds no fault with what another plan would make."""
    assert planned(options, made(options)).faults == ()


LARGER = {"max.message.bytes": "99999999", "retention.ms": "-1", "min.insync.replicas": "1"}


@pytest.mark.parametrize("which", ["events", "states", "audit", "dead-letter"])
def test_more_than_wanted_is_right(options: KafkaSettings, which: str) -> None:
    """Longer retention, larger messages, more copies are the operator's business."""
    found = made(options, which, replication=3, settings=LARGER)
    assert planned(options, found).faults == ()


@pytest.mark.parametrize(
    ("which", "change", "wrong"),
    [
        ("audit", {"partitions": 5}, "has 5 partitions instead of 4"),
        ("events", {"settings": {"cleanup.policy": "compact"}}, "cleanup.policy is compact"),
        ("states", {"settings": {"cleanup.policy": "compact,delete"}}, "is compact,delete"),
        ("events", {"settings": {"retention.ms": str(13 * DAY)}}, "retention.ms is"),
        ("audit", {"settings": {"retention.ms": str(900 * DAY)}}, "instead of -1"),
        ("events", {"settings": {"retention.bytes": "1000"}}, "retention.bytes is 1000"),
        ("states", {"settings": {"max.message.bytes": "1048588"}}, "max.message.bytes is"),
        ("states", {"settings": {"unclean.leader.election.enable": "true"}}, "unclean"),
        ("events", {"settings": {"flush.messages": "10000"}}, "no flush.messages=1"),
        ("events", {"settings": {"min.insync.replicas": "2"}}, "can never be written"),
    ],
)
def test_every_fault_is_told_with_what_to_do(
    options: KafkaSettings, which: str, change: dict[str, Any], wrong: str
) -> None:
    """The topic, what is wrong, and the command or setting that mends it."""
    faults = planned(options, made(options, which, **change)).faults
    assert [fault.topic for fault in faults] == [f"{options.prefix}.{which}"]
    assert wrong in faults[0].wrong
    assert faults[0].action


def test_too_few_copies_are_told(options: KafkaSettings) -> None:
    """Both of the topic, and of those that must be written."""
    three = changed(options, replication=3, min_insync_replicas=2)
    found = made(three, "events", replication=2, settings={"min.insync.replicas": "1"})
    wrong = [fault.wrong for fault in planned(three, found).faults]
    assert wrong == [
        "has 2 replicas instead of 3",
        "min.insync.replicas is 1 instead of 2",
    ]


def test_a_single_copy_that_is_not_flushed_can_be_wanted(options: KafkaSettings) -> None:
    """With the setting that says so; then neither made nor asked for."""
    accepted = changed(options, accept_single_replica=True)
    assert all("flush.messages" not in topic.settings for topic in wanted(accepted))
    assert all_faults(planned(accepted, made(accepted))) == ()
    assert planned(options, made(accepted)).faults


class LateBroker:
    """A cluster of which one broker lists a topic that another does not know yet."""

    def __init__(self, names: tuple[str, ...], late: int) -> None:
        self._names = names
        self._late = late
        self.asked = 0

    async def describe_topics(self) -> list[dict[str, Any]]:
        partitions = [{"replicas": [1, 2, 3]}]
        return [{"topic": name, "partitions": partitions, "error_code": 0} for name in self._names]

    async def describe_configs(self, _: object) -> list[SimpleNamespace]:
        self.asked += 1
        late = UnknownTopicOrPartitionError.errno if self.asked <= self._late else 0
        codes = [late, *[0] * (len(self._names) - 1)]
        told = zip(codes, self._names, strict=True)
        return [SimpleNamespace(resources=[(code, "", 2, name, []) for code, name in told])]


async def test_a_topic_that_one_broker_does_not_know_yet_is_looked_for_again() -> None:
    """It counts as not there, as long as that lasts; nothing is refused."""
    names = ("a", "b")
    cluster = cast("AIOKafkaAdminClient", LateBroker(names, late=2))
    seen = [set(await found(cluster, names)) for _ in range(3)]
    assert seen == [{"b"}, {"b"}, {"a", "b"}]
