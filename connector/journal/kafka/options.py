"""Options of the Kafka journal: the cluster, the login, names, numbers, times.

Times are in milliseconds. Secrets are named by the files in which they lie.
"""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from connector.core.model import DAY, SECOND, Millis, Record
from connector.journal.kafka.names import Names

Server = Annotated[
    str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")
]
"""``host:port``, or ``[IPv6]:port``."""
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$")]
"""Kafka takes 249 of these characters in a topic's name; the longest ending needs a few."""


class Mechanism(StrEnum):
    """How a client says who it is, inside TLS."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    OAUTHBEARER = "OAUTHBEARER"


class _Documented(Record):
    model_config = ConfigDict(use_attribute_docstrings=True)


class ClientCertificate(_Documented):
    """A certificate with which the connector logs in (mutual TLS)."""

    certificate_file: Path
    """PEM certificate with its chain."""
    key_file: Path
    """PEM private key of it (a mounted secret)."""


class TlsOptions(_Documented):
    """The encrypted connection. TLS 1.2 or newer; host names are checked."""

    ca_file: Path | None = None
    """PEM certificates of who may have issued the brokers' certificates; default: the system's."""
    client: ClientCertificate | None = None
    """The connector's own certificate, where the brokers ask for one."""


class SaslOptions(_Documented):
    """The login: user and password, or a token."""

    mechanism: Mechanism
    """PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER."""
    user: str | None = None
    """User name, for all but OAUTHBEARER."""
    password_file: Path | None = None
    """Mounted password, for all but OAUTHBEARER; read again for new connections."""
    token_file: Path | None = None
    """OAUTHBEARER: mounted token (such as a projected service account's), read at each login."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        token = self.mechanism is Mechanism.OAUTHBEARER
        login = (self.user is not None, self.password_file is not None)
        if token and (self.token_file is None or any(login)):
            raise ValueError("OAUTHBEARER needs token_file, and neither user nor password_file")
        if not token and (self.token_file is not None or not all(login)):
            raise ValueError(f"{self.mechanism} needs user and password_file, and no token_file")
        return self


class SecurityOptions(_Documented):
    """How the brokers are reached. Without TLS only on this machine, unless told otherwise."""

    tls: TlsOptions | None = None
    """Encryption; must be given, if only as ``{}``, for brokers on other machines."""
    sasl: SaslOptions | None = None
    """The login; default: none (the client certificate, or nobody in particular)."""
    accept_plain_text: bool = False
    """Speak to brokers on other machines without TLS: everybody on the way reads and changes it."""


class Retention(_Documented):
    """How long Kafka keeps records, in milliseconds; None: for ever."""

    events: Millis = Field(default=14 * DAY, ge=DAY)
    """Events, from when they were taken; longer than any outage that must be survived."""
    audit: Millis | None = Field(default=None, ge=DAY)
    """The audit trail. Nothing is lost while it is unlimited; export it before limiting it."""
    dead_letters: Millis | None = Field(default=90 * DAY, ge=DAY)
    """Records that could not be read."""


class KafkaOptions(_Documented):
    """Everything the clustered journal is told. Times are in milliseconds."""

    bootstrap_servers: tuple[Server, ...] = Field(min_length=1)
    """Some of the brokers, as ``host:port``."""
    security: SecurityOptions = SecurityOptions()
    """Encryption and login."""
    prefix: Prefix = "pki-connector"
    """What the names of topics, group and transactional ids begin with."""
    partitions: int = Field(default=24, ge=1, le=1024)
    """Partitions of each topic; fixed for the life of a prefix."""
    replication: int = Field(default=3, ge=1, le=9)
    """Copies of each record, on as many brokers."""
    min_insync_replicas: int = Field(default=2, ge=1, le=9)
    """Copies that must be written before a webhook is answered 2xx."""
    accept_single_replica: bool = False
    """One copy, not flushed to disk at once, is wanted: a broker's power loss loses events."""
    retention: Retention = Retention()
    """How long records are kept."""
    ids_kept: Millis = Field(default=7 * DAY, ge=7 * DAY)
    """How long the ids of events are known; events must be kept at least as long."""
    session_timeout: Millis = Field(default=15 * SECOND, ge=6 * SECOND, le=300 * SECOND)
    """After this time without a sign of life a process loses its partitions."""
    rebalance_timeout: Millis = Field(default=60 * SECOND, ge=SECOND)
    """Longest time that members may take to join again when partitions move."""
    transaction_timeout: Millis = Field(default=10 * SECOND, ge=SECOND, le=900 * SECOND)
    """After this time the brokers abort a transaction that its owner left open."""
    request_timeout: Millis = Field(default=10 * SECOND, ge=SECOND)
    """Longest time to wait for the answer to one request."""
    append_timeout: Millis = Field(default=8 * SECOND, ge=SECOND // 2)
    """Longest time that a webhook waits for its event to be durable; then it is answered 503."""
    queue_limit: int = Field(default=4096, ge=1)
    """Appends waiting for the brokers at once; more are answered 503."""

    @property
    def names(self) -> Names:
        """Names of topics, group and transactional ids."""
        return Names(self.prefix)

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.min_insync_replicas > self.replication:
            raise ValueError("min_insync_replicas must not be greater than replication")
        if self.retention.events < self.ids_kept:
            raise ValueError("retention.events must be at least as long as ids_kept")
        if self.security.tls is None and not self.security.accept_plain_text:
            self._loopback_only()
        return self

    def _loopback_only(self) -> None:
        if not all(_is_loopback(server) for server in self.bootstrap_servers):
            raise ValueError(
                "security.tls is needed for brokers on other machines"
                " (or security.accept_plain_text, which lets others read along)"
            )


def _is_loopback(server: str) -> bool:
    host = server.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
