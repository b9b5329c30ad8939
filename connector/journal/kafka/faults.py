"""The journal's fault for an error of the Kafka client.

No error of a broker loses the journal: what is durable lies there, so every failure either passes
or needs a person, and the service goes on by itself once it is fixed.
"""

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from connector.core import sizes
from connector.core.errors import ConnectorError, Permanent, Transient

RETRY_AFTER = 2.0
"""Seconds a sender should wait when the journal cannot take an event now."""

REFUSED = (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""The cluster does not let us; it passes when rights or credentials are corrected."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

EXPECTED = (KafkaError, IllegalOperation, TimeoutError, OSError, AssertionError)
"""What calls of the client end with. It asserts its own states, and a client that was closed under
a waiting caller fails such an assertion."""


BROKEN = (KafkaError, OSError, AssertionError)
"""After these a producer is of no use any more; time that ran out is not among them."""


def unwritable(doing: str, error: BaseException) -> ConnectorError:
    """``JRN-001``, or what is wrong with the caller's record. Names the class, quotes nothing."""
    if isinstance(error, ConnectorError):
        return error
    if isinstance(error, TOO_LARGE):
        return Permanent(sizes.TOO_LARGE, f"{doing}: a record is larger than the cluster takes")
    hint = "; the cluster refuses the connector's user" if isinstance(error, REFUSED) else ""
    return Transient("JRN-001", f"{doing}: {type(error).__name__}{hint}", retry_after=RETRY_AFTER)


def not_owner(partition: int) -> Transient:
    """``JRN-003``: another owner, or this process does not know any more whether it is one."""
    return Transient("JRN-003", f"committing to partition {partition}")


def fenced(error: BaseException) -> bool:
    """Whether a newer producer with the same transactional id has begun."""
    return isinstance(error, ProducerFenced)
