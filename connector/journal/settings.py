"""Settings of the journal: embedded for one process, or clustered for several.

``type`` tells them apart; without it the journal is the embedded one.
"""

import os
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    StringConstraints,
    Tag,
    model_validator,
)

from connector.core.values import Period, Section
from connector.journal.kafka.names import Names

Server = Annotated[
    str, StringConstraints(pattern=r"^(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}$")
]
"""``host:port``, or ``[IPv6]:port``."""
LOGINS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
EITHER: dict[str, JsonValue] = {
    "oneOf": [
        {
            "properties": {"mechanism": {"enum": [*LOGINS]}},
            "required": ["user", "password_file"],
            "not": {"required": ["token_file"]},
        },
        {
            "properties": {"mechanism": {"const": "OAUTHBEARER"}},
            "required": ["token_file"],
            "not": {"anyOf": [{"required": ["user"]}, {"required": ["password_file"]}]},
        },
    ]
}
"""What the validator of :class:`Sasl` says, as JSON Schema."""
OAUTH_NEEDS = "needs token_file, and neither user nor password_file"
LOGIN_NEEDS = "needs user and password_file, and no token_file"


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


RealFile = Annotated[Path, AfterValidator(_real)]
"""A file behind any symbolic links: each way to it leads to the same lock beside it."""


class SqliteSettings(Section):
    """Embedded: one process, one file."""

    type: Literal["sqlite"] = "sqlite"
    """Kind of journal; `kafka` is the one for several pods."""
    path: RealFile = Field(
        default=Path("/var/lib/pki-connector/journal.sqlite"), validate_default=True
    )
    """Database file, on a local disk that survives the process."""
    partitions: int = Field(default=4, ge=1, le=256)
    """Number of partitions; fixed for the life of the journal."""
    ids_kept: Annotated[Period, Field(ge=timedelta(days=7))] = timedelta(days=7)
    """How long event ids are kept, so that a repeated webhook changes nothing."""
    queue_limit: int = Field(default=4096, ge=1)
    """Maximum number of appends waiting for the disk; further ones are answered with 503."""


class BrokerClient(Section):
    """A certificate with which the connector logs in (mutual TLS)."""

    certificate_file: Path
    """PEM certificate with its chain."""
    key_file: Path
    """PEM private key of it (a mounted secret)."""


class BrokerTls(Section):
    """TLS 1.2 or newer; host names are checked."""

    ca_file: Path | None = None
    """PEM certificates of the issuers trusted for the brokers; default: the system's."""
    client: BrokerClient | None = None
    """The connector's own certificate, if the brokers require one."""


class Sasl(Section):
    """User and password, or a token."""

    model_config = ConfigDict(json_schema_extra=EITHER)

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
    """Mechanism of the login."""
    user: str | None = Field(default=None, min_length=1)
    """User name, for all but OAUTHBEARER."""
    password_file: Path | None = None
    """Mounted password, for all but OAUTHBEARER; read again for new connections."""
    token_file: Path | None = None
    """Mounted token for OAUTHBEARER (a projected service account's), read at each login."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        token = self.token_file is not None
        login = (self.user is not None, self.password_file is not None)
        if self.mechanism == "OAUTHBEARER" and (not token or any(login)):
            raise ValueError(f"OAUTHBEARER {OAUTH_NEEDS}")
        if self.mechanism != "OAUTHBEARER" and (token or not all(login)):
            raise ValueError(f"{self.mechanism} {LOGIN_NEEDS}")
        return self


class BrokerSecurity(Section):
    """Encryption and login. Without TLS, brokers on this machine only, unless accepted below."""

    tls: BrokerTls | None = None
    """Encryption; required for brokers on other machines, at least as `{}`."""
    sasl: Sasl | None = None
    """The login; default: none (the client certificate if there is one, otherwise anonymous)."""
    accept_plain_text: bool = False
    """Use brokers on other machines without TLS: the network can read and change all records."""


class Retention(Section):
    """How long records are kept."""

    events: Annotated[Period, Field(ge=timedelta(days=1))] = timedelta(days=14)
    """Events, from the time they were accepted; longer than the longest expected outage."""
    audit: Annotated[Period, Field(ge=timedelta(days=1))] | None = None
    """The audit log; default: unlimited. Export it before you limit it."""
    dead_letters: Annotated[Period, Field(ge=timedelta(days=1))] = timedelta(days=90)
    """Dead letters."""


class KafkaSettings(Section):
    """Clustered: several pods and a Kafka cluster."""

    type: Literal["kafka"]
    """Kind of journal."""
    bootstrap_servers: tuple[Server, ...] = Field(min_length=1)
    """Some of the brokers, as `host:port`."""
    prefix: str = Field(
        default="pki-connector", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200
    )
    """Prefix of the names of topics, group and transactional ids."""
    path: Path = Path("/var/lib/pki-connector/tables.sqlite")
    """File of the local tables, on a local disk; rebuilt at each start."""
    partitions: int = Field(default=24, ge=1, le=1024)
    """Partitions of each topic; fixed for the life of a prefix."""
    replication: int = Field(default=3, ge=1, le=9)
    """Number of replicas of each record."""
    min_insync_replicas: int = Field(default=2, ge=1, le=9)
    """Number of replicas that must be written before a webhook is answered with 2xx."""
    accept_single_replica: bool = False
    """Accept one replica that is not flushed at once: events are lost if its broker loses power."""
    security: BrokerSecurity = BrokerSecurity()
    """Encryption and login."""
    retention: Retention = Retention()
    """How long the brokers keep records."""
    ids_kept: Annotated[Period, Field(ge=timedelta(days=7))] = timedelta(days=7)
    """How long event ids are kept, so that a repeated webhook changes nothing."""
    session_timeout: Annotated[Period, Field(ge=timedelta(seconds=6), le=timedelta(minutes=5))] = (
        timedelta(seconds=15)
    )
    """Time without a heartbeat after which a pod loses its partitions."""
    rebalance_timeout: Annotated[Period, Field(ge=timedelta(seconds=1))] = timedelta(minutes=1)
    """Longest time that pods may take to join again when partitions move."""
    transaction_timeout: Annotated[
        Period, Field(ge=timedelta(seconds=1), le=timedelta(minutes=15))
    ] = timedelta(seconds=10)
    """Time after which the brokers abort an open transaction."""
    request_timeout: Annotated[Period, Field(ge=timedelta(seconds=1))] = timedelta(seconds=10)
    """Longest time to wait for the answer to one request."""
    append_timeout: Annotated[
        Period, Field(ge=timedelta(milliseconds=500), le=timedelta(seconds=9))
    ] = timedelta(seconds=8)
    """Maximum time a webhook waits until its event is durable; then it is answered with 503."""
    queue_limit: int = Field(default=4096, ge=1)
    """Maximum number of appends waiting for the brokers; further ones are answered with 503."""

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
        local = all(map(_is_loopback, self.bootstrap_servers))
        if self.security.tls is None and not local and not self.security.accept_plain_text:
            raise ValueError(
                "security.tls is needed for brokers on other machines"
                " (or security.accept_plain_text, which sends records unencrypted)"
            )
        return self


def _is_loopback(server: str) -> bool:
    host = server.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _type(given: Any) -> Any:
    """Which of the two is meant; what was written before there were two has no type."""
    if isinstance(given, dict):
        return given.get("type", "sqlite")
    return getattr(given, "type", "sqlite")


Journal = Annotated[
    Annotated[SqliteSettings, Tag("sqlite")] | Annotated[KafkaSettings, Tag("kafka")],
    Discriminator(_type),
]
