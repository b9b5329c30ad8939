"""Settings of the process itself: where it listens, and how much it does."""

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from connector.core.reach import SandboxMode
from connector.core.upstream import is_host
from connector.core.values import Period, Section
from connector.crash import Point

KIB = 1024
MIB = 1024 * KIB
EITHER: dict[str, JsonValue] = {
    "oneOf": [
        {"required": ["tls"]},
        {"required": ["plain_from"], "properties": {"plain_from": {"minItems": 1}}},
    ]
}
"""What the validator of :class:`Intake` says, as JSON Schema."""
TLS_OR_PROXIES = "needs either tls or plain_from (addresses of proxies), and not both"


def _host(value: str) -> str:
    if not is_host(value):
        raise ValueError("must be an IP address or a host name, without a port")
    return value


class Listen(Section):
    """An address to listen on."""

    host: Annotated[
        str, AfterValidator(_host), Field(json_schema_extra={"pattern": r"^\S{1,253}$"})
    ] = "0.0.0.0"  # noqa: S104 - a container's only interface; narrowed by the operator
    """IP address or host name of the interface."""
    port: int = Field(ge=0, le=65535)
    """TCP port; 0 takes a free one."""


class Tls(Section):
    """The server certificate, read again when the files change."""

    certificate_file: Path
    """PEM certificate with its chain."""
    key_file: Path
    """PEM private key of it (a mounted secret)."""


class FailedTries(Section):
    """How often one address may fail to authenticate as one tenant."""

    limit: int = Field(default=20, ge=1)
    """Failures within the window after which further ones are answered with 429 and not logged."""
    window: Period = timedelta(minutes=1)
    """Length of the window."""


def _written(value: object) -> object:
    """The library takes a number, and so a truth value, for an address."""
    if isinstance(value, int):
        raise ValueError("must be an address or a network, such as 192.0.2.0/24")  # noqa: TRY004
    return value


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_written)]


class Intake(Section):
    """The listener for webhooks. Either TLS, or plain HTTP from listed proxies only."""

    model_config = ConfigDict(json_schema_extra=EITHER)

    listen: Listen = Listen(port=8443)
    """Address that accepts webhooks."""
    tls: Tls | None = None
    """The server certificate. TLS 1.2 or newer."""
    plain_from: tuple[Network, ...] = ()
    """Without TLS: addresses of the proxies that terminate it; all others are refused."""
    body_limit: int = Field(default=64 * KIB, ge=KIB, le=4 * MIB)
    """Largest request body, in bytes."""
    header_limit: int = Field(default=8 * KIB, ge=KIB, le=64 * KIB)
    """Largest request line and largest header field, in bytes."""
    idle_timeout: Period = timedelta(seconds=15)
    """Time without a complete request after which a connection is closed."""
    connections: int = Field(default=1024, ge=1)
    """Maximum number of connections. An eighth is kept for addresses that authenticated before; at
    the limit, the oldest unauthenticated connection is closed."""
    connections_per_address: int = Field(default=128, ge=1)
    """Maximum number of connections of one address (an IPv6 /64) that never authenticated; at the
    limit, its oldest one is closed. Listed proxies are not limited by address."""
    failed_tries: FailedTries = FailedTries()
    """Limit on guessing passwords; correct credentials are accepted even after failures."""

    @model_validator(mode="after")
    def _tls_or_proxy(self) -> Self:
        if (self.tls is None) == (not self.plain_from):
            raise ValueError(TLS_OR_PROXIES)
        return self


class Observe(Section):
    """The listener for probes and metrics."""

    listen: Listen = Listen(port=9464)
    """Address that serves /livez, /readyz and /metrics."""


class Admin(Section):
    """The operators' socket."""

    socket: Path = Path("/run/pki-connector/operators.sock")
    """Unix socket; its directory is created with mode 0700 (0711 where ``uids`` are listed)."""
    uids: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """User ids allowed besides the service's own and root."""


class Service(Section):
    """Listeners, logs and the end of the process."""

    intake: Intake
    """Webhooks."""
    observe: Observe = Observe()
    """Probes and metrics."""
    admin: Admin = Admin()
    """Operators."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    user_hash_key_file: Path | None = None
    """Key of the hash that stands for a user in logs (mounted); default: a new one per start."""
    drain: Period = timedelta(seconds=30)
    """Maximum time to finish running work after SIGTERM."""


class Audit(Section):
    """The audit log."""

    key_file: Path
    """Key of the chain's MAC (a mounted secret, at least 32 random bytes as text)."""
    old_key_files: tuple[Path, ...] = ()
    """Keys used before `audit rekey`; only to check those records."""
    check_every: Annotated[Period, Field(ge=timedelta(minutes=1))] = timedelta(days=1)
    """Interval at which the service checks the whole audit log."""


class Handover(Section):
    """The processes in which keys live."""

    accept_unlocked_memory: bool = False
    """Start although memory cannot be locked and swap is on: keys may reach the swap device."""
    sandbox: SandboxMode = SandboxMode.WHEN_AVAILABLE
    """Keep hand-overs to what their plug-ins declare (Landlock, seccomp): require refuses to start
    where the kernel lacks a part, when_available goes on without it, off is for finding faults."""
    parallel: int | None = Field(default=None, ge=1, le=256)
    """Maximum number of concurrent hand-overs; default: number of CPUs plus one."""


class Testing(Section):
    """For tests of the connector itself. Never set it in service."""

    crash_at: Point | None = None
    """The point (``connector/crash.py``) at which the process kills itself."""
    crash_pass: int = Field(default=1, ge=1)
    """At which pass of that point."""
    crash_by: Literal["kill", "stop"] = "kill"
    """``stop``: it is stopped there instead, for the tester to kill it."""
    memory_readable: bool = False
    """Leave the service's memory readable to its own user, so that it can be searched for keys."""


class Worker(Section):
    """The loop that advances the subjects."""

    disclosure_ceiling: int = Field(default=1000, ge=1)
    """Maximum number of keys disclosed per hour, over all routes and pods; then deliveries wait."""
    clock_jump: Period = timedelta(minutes=5)
    """A forward jump of the clock beyond this postpones decisions about expiry."""
    device_deadline: Period = timedelta(days=14)
    """How long a device is looked up in the UEM before it counts as lost."""
    tidy_every: Period = timedelta(hours=1)
    """How often the journal deletes records older than their retention."""
