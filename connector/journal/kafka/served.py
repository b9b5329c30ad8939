"""Whether anybody serves a Kafka journal at the moment."""

from connector.core.errors import Permanent
from connector.journal.kafka.cluster import administration
from connector.journal.kafka.options import KafkaOptions

_OVER = frozenset({"Dead", "Empty"})
_STATE, _MEMBERS = 2, 5
"""Places in a group of a DescribeGroups response (KIP-40)."""


async def require_rest(options: KafkaOptions) -> None:
    """See that no process is a member of the group of owners.

    Raises:
        Permanent: ``JRN-009`` when there is one; one that died is one until its session ends.
        ConnectorError: as :func:`connector.journal.kafka.cluster.administration`.
    """
    async with administration(options) as admin:
        answers = await admin.describe_consumer_groups([options.names.group])
    for answer in answers:
        for group in answer.groups:
            if group[_STATE] not in _OVER and group[_MEMBERS]:
                many = len(group[_MEMBERS])
                raise Permanent("JRN-009", f"asking who serves {options.prefix}: {many} processes")
