"""Whether a process serves a Kafka journal at the moment."""

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
    for_code,
)

from connector.core.errors import Permanent
from connector.journal.kafka.cluster import administration
from connector.journal.settings import KafkaSettings

_OVER = frozenset({"Dead", "Empty"})
_ERROR, _STATE, _MEMBERS = 0, 2, 5
"""Places in a group of a DescribeGroups response."""
_NOT_YET = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
_PAUSE = 0.2


async def require_rest(options: KafkaSettings) -> None:
    """Check that no process is a member of the group of owners.

    Raises:
        Permanent: ``JRN-009`` when there is one; a crashed one counts until its session ends.
        ConnectorError: as :func:`connector.journal.kafka.cluster.administration`.
    """
    async with administration(options) as admin:
        groups = await _groups(admin, options)
    for group in groups:
        if group[_STATE] not in _OVER and group[_MEMBERS]:
            many = len(group[_MEMBERS])
            raise Permanent("JRN-009", f"asking who serves {options.prefix}: {many} processes")


async def _groups(admin: AIOKafkaAdminClient, options: KafkaSettings) -> list[Any]:
    """A cluster that has never had a group makes the topic of groups first."""
    async with asyncio.timeout(options.request_timeout.total_seconds()):
        while True:
            try:
                answers = await admin.describe_consumer_groups([options.names.group])
                return [_readable(group) for answer in answers for group in answer.groups]
            except _NOT_YET:
                await asyncio.sleep(_PAUSE)


def _readable(group: Any) -> Any:
    """The group; raises if the broker refuses to describe it."""
    if group[_ERROR]:
        raise for_code(group[_ERROR])
    return group
