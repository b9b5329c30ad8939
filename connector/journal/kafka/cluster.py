"""Inspect a Kafka cluster and create topics in it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from connector.core.errors import Permanent, Transient
from connector.core.values import millis
from connector.journal.kafka.checking import all_faults, planned
from connector.journal.kafka.connectivity import RETRY_AFTER, fault, reach
from connector.journal.kafka.security import Access
from connector.journal.kafka.topics import Found, Plan, Topic, TopicsRefused
from connector.journal.settings import KafkaSettings

_LOOKS = 200
_PAUSE = 0.05
_TRIES = 40
_AGAIN = 0.5


async def require(options: KafkaSettings) -> None:
    """Check, before anything else is done, that the topics are as the journal needs them.

    Raises:
        TopicsRefused: ``KAF-004``, with everything that is wrong.
        ConnectorError: as :func:`administration`.
    """
    await reach(options, Access(options))  # if no broker answers, that is reported at once
    # aiokafka asks any broker it has heard of, and of one that is gone it hears for a while yet;
    # with the controller gone, until there is another.
    for _ in range(_TRIES - 1):
        try:
            return await _require(options)
        except Transient:
            await asyncio.sleep(_AGAIN)
    return await _require(options)


async def _require(options: KafkaSettings) -> None:
    async with administration(options) as admin:
        faults = all_faults(await plan(admin, options))
    if faults:
        raise TopicsRefused(faults)


@asynccontextmanager
async def administration(options: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected client for looking and making.

    Raises:
        Transient: ``KAF-001`` when no broker answers.
        Permanent: ``KAF-002`` when the brokers refuse the login, ``KAF-003`` when TLS fails,
            ``KAF-005`` when the user lacks a right, ``CFG-003`` when a secret cannot be read.
    """
    access = Access(options)
    await reach(options, access)
    admin = AIOKafkaAdminClient(
        **access.client_arguments(), request_timeout_ms=millis(options.request_timeout)
    )
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as error:
        raise fault("asking the cluster", error) from None
    finally:
        await admin.close()


async def plan(admin: AIOKafkaAdminClient, options: KafkaSettings) -> Plan:
    """What is there compared with what is wanted."""
    return planned(options, await found(admin, options.names.topics))


async def found(admin: AIOKafkaAdminClient, names: tuple[str, ...]) -> dict[str, Found]:
    """Those of the named topics that are there (and that our user may describe), by name."""
    # All topics are asked for: naming one that is missing may have a broker create it.
    listed = {
        topic["topic"]: topic["partitions"]
        for topic in await admin.describe_topics()
        if topic["topic"] in names and topic["error_code"] == 0
    }
    settings = await _settings(admin, list(listed))
    return {
        name: Found(
            name=name,
            partitions=len(partitions),
            replication=min(len(partition["replicas"]) for partition in partitions),
            settings=settings[name],
        )
        for name, partitions in listed.items()
        if name in settings
    }


async def _settings(admin: AIOKafkaAdminClient, names: list[str]) -> Mapping[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers: list[Any] = await admin.describe_configs(asked)
    found: dict[str, dict[str, str]] = {}
    for answer in answers:
        for code, _, _, name, entries in answer.resources:
            if code == UnknownTopicOrPartitionError.errno:
                continue  # just created, and not known to every broker yet: treated as missing
            _checked(code, f"reading the settings of {name}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found


async def create(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> None:
    """Create topics, and wait until all are visible. One that exists already is left as it is.

    Raises:
        Permanent: ``KAF-005`` when the cluster refuses one.
        Transient: ``KAF-001`` when they are not seen in time.
    """
    await _create(admin, topics, only_checked=False)
    names = tuple(topic.name for topic in topics)
    for _ in range(_LOOKS):
        if len(await found(admin, names)) == len(names):
            return
        await asyncio.sleep(_PAUSE)
    raise Transient("KAF-001", "waiting for the new topics", retry_after=RETRY_AFTER)


async def check_creation(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> None:
    """Have the cluster say whether it would make these topics; raises as :func:`create`."""
    await _create(admin, topics, only_checked=True)


async def _create(
    admin: AIOKafkaAdminClient, topics: tuple[Topic, ...], *, only_checked: bool
) -> None:
    if not topics:
        return
    answer = await admin.create_topics(
        [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions,
                replication_factor=topic.replication,
                topic_configs=topic.settings,
            )
            for topic in topics
        ],
        validate_only=only_checked,
    )
    for name, code, *_ in answer.topic_errors:
        if code != TopicAlreadyExistsError.errno:
            _checked(code, f"creating {name}")


def _checked(code: int, doing: str) -> None:
    if code:
        error = for_code(code)
        raise Permanent("KAF-005", f"{doing}: {error.__name__}")
