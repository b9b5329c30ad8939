"""The first connection to a cluster: it works, or the error says clearly what is wrong.

aiokafka's clients log why they cannot connect and raise something general. So one connection is
made before them, and what it ends with is mapped.
"""

import ssl
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.values import millis
from connector.journal.kafka.security import Access
from connector.journal.settings import KafkaSettings

RETRY_AFTER = 2.0
"""Seconds to wait before a cluster that is not there is asked again."""
LOGIN = (
    AuthenticationFailedError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
    # What its SCRAM ends with when the broker cannot prove that it knows the password.
    ValueError,
    LookupError,
)
RIGHTS = (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
EXPECTED = (KafkaError, OSError, ValueError, LookupError)
"""What aiokafka's connections and requests end with."""


async def reach(options: KafkaSettings, access: Access) -> None:
    """Connect once to the first broker that answers; raises as :func:`administration`."""
    arguments = access.client_arguments() | {"request_timeout_ms": millis(options.request_timeout)}
    refused: ConnectorError | None = None
    for host, port, _ in collect_hosts(arguments.pop("bootstrap_servers")):
        try:
            await _connect_once(host, port, arguments)
        except EXPECTED as error:
            refused = fault(f"connecting to {host}:{port}", error)
        else:
            return
    if refused is not None:
        raise refused


async def _connect_once(host: str, port: int, arguments: dict[str, Any]) -> None:
    connection = await create_conn(host, port, **arguments)
    try:
        brokers = (await connection.send(MetadataRequest([]))).brokers
    except KafkaConnectionError:
        # aiokafka takes any answer to a token for a success. A broker that refused closes now, or
        # answers with what reads like a cluster without brokers.
        if arguments.get("sasl_mechanism") != "OAUTHBEARER":
            raise
        brokers = []
    finally:
        await connection.close()
    if not brokers:
        raise SaslAuthenticationFailed("asking for the brokers")


def fault(doing: str, error: BaseException) -> ConnectorError:
    """The fault for an error of the client. Names its class, quotes no text of a broker."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Permanent("KAF-003", f"{doing}: {cause.verify_message}")
    if isinstance(cause, ssl.SSLError):
        return Permanent("KAF-003", f"{doing}: {cause.reason or 'TLS failed'}")
    if isinstance(error, LOGIN):
        return Permanent("KAF-002", f"{doing}: {type(error).__name__}")
    if isinstance(error, RIGHTS):
        return Permanent("KAF-005", f"{doing}: {type(error).__name__}")
    return Transient("KAF-001", f"{doing}: {type(cause).__name__}", retry_after=RETRY_AFTER)
