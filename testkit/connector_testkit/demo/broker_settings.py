"""What a node of the demo's and the tests' Kafka cluster is set to (``server.properties``).

Values that differ from Kafka's defaults make it small (few internal partitions and threads) or
quick to notice (a dead broker after 3 s instead of 9). Nothing listens but on loopback.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connector_testkit.demo.ports import HOST
from connector_testkit.simulators.tls import TlsFiles

GUARDED = ("TLS", "MUTUAL", "SASL")
LISTENERS = ("OPEN", "CONTROLLER", *GUARDED)
"""OPEN is plain text without login; SASL runs over TLS."""
PROTOCOLS = (
    "OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,SASL:SASL_SSL"  # listener: protocol
)
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_MODULES = "org.apache.kafka.common.security"
_OAUTH = f"{_MODULES}.oauthbearer"


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Turns on the listeners TLS, MUTUAL and SASL, and the rights of users (ACLs).

    Clients of OPEN or TLS have no name and may do everything; so may ``superusers``
    (``User:NAME``). Passwords are those of throw-away brokers: they stand in the nodes' settings.
    """

    tls: TlsFiles
    """The brokers' certificate; clients of MUTUAL come from the same issuer."""
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Password by user name, for PLAIN and both SCRAM mechanisms."""
    superusers: tuple[str, ...] = ()
    jwks: Path | None = None
    """Public keys (RFC 7517) of who signs the tokens of OAUTHBEARER."""
    audience: str = "kafka"
    """What a token must be meant for (claim ``aud``)."""


@dataclass(frozen=True)
class Seat:
    """A node's place in its cluster: number from 1, folder, and port by listener."""

    number: int
    folder: Path
    ports: Mapping[str, int]

    @property
    def data(self) -> Path:
        """Where it keeps topics and metadata."""
        return self.folder / "data"

    @property
    def settings(self) -> Path:
        """Its ``server.properties``."""
        return self.folder / "server.properties"


def properties(seat: Seat, seats: list[Seat], guard: Guard | None) -> str:
    """The text of one node's ``server.properties``."""
    values = {**_place(seat, seats), **_small(len(seats))}
    if guard is not None:
        values |= _guarded(guard, seat)
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _place(seat: Seat, seats: list[Seat]) -> dict[str, str]:
    voters = [f"{one.number}@{HOST}:{one.ports['CONTROLLER']}" for one in seats]
    shown = [f"{name}://{HOST}:{port}" for name, port in seat.ports.items()]
    return {
        "process.roles": "broker,controller",
        "node.id": str(seat.number),
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "OPEN",
        "listeners": ",".join(shown),
        "advertised.listeners": ",".join(one for one in shown if "CONTROLLER" not in one),
        "listener.security.protocol.map": PROTOCOLS,
        "log.dirs": str(seat.data),
    }


def _small(nodes: int) -> dict[str, str]:
    replicas, in_sync = str(nodes), str(nodes // 2 + 1)
    return {
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": replicas,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        "group.initial.rebalance.delay.ms": "0",
        "broker.heartbeat.interval.ms": "1000",
        "broker.session.timeout.ms": "3000",
        "controlled.shutdown.enable": "true",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": "8388608",
    }


def _guarded(guard: Guard, seat: Seat) -> dict[str, str]:
    pair = seat.folder / "listener.pem"
    pair.write_bytes(guard.tls.key.read_bytes() + guard.tls.certificate.read_bytes())
    values = {
        # Kafka's default, against which the service must not name a topic that is not there.
        "auto.create.topics.enable": "true",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pair),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(guard.tls.ca),
        "listener.name.mutual.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": ",".join(MECHANISMS if guard.jwks else MECHANISMS[:-1]),
        "listener.name.sasl.plain.sasl.jaas.config": _plain(guard.users),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(("User:ANONYMOUS", *guard.superusers)),
    }
    for mechanism in MECHANISMS[1:3]:
        name = f"listener.name.sasl.{mechanism.lower()}.sasl.jaas.config"
        values[name] = f"{_MODULES}.scram.ScramLoginModule required;"
    return values | (_tokens(guard.jwks, guard.audience) if guard.jwks else {})


def _plain(users: Mapping[str, str]) -> str:
    known = "".join(f' user_{name}="{password}"' for name, password in users.items())
    return f"{_MODULES}.plain.PlainLoginModule required{known};"


def _tokens(jwks: Path, audience: str) -> dict[str, str]:
    ours = "listener.name.sasl.oauthbearer"
    handler = "OAuthBearerValidatorCallbackHandler"
    return {
        f"{ours}.sasl.jaas.config": f"{_OAUTH}.OAuthBearerLoginModule required;",
        f"{ours}.sasl.server.callback.handler.class": f"{_OAUTH}.{handler}",
        f"{ours}.sasl.oauthbearer.jwks.endpoint.url": jwks.as_uri(),
        f"{ours}.sasl.oauthbearer.expected.audience": audience,
    }


def java_options(guard: Guard | None) -> tuple[str, ...]:
    """How Java runs a node: little memory, quick to start; which URL tokens' keys may come from."""
    small = ("-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k")
    quiet = ("-Dorg.apache.logging.log4j.level=WARN", "-Djava.awt.headless=true")
    if guard is None or guard.jwks is None:
        return small + quiet
    allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={guard.jwks.as_uri()}"
    return (*small, *quiet, allowed)
