"""Who may send notifications, and how much. Plain records of the settings."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from connector.core.secret import Credential

KIB = 1024


@dataclass(frozen=True)
class BasicSender:
    """A sender with HTTP Basic ``credentials``, (user, password); all are valid at once."""

    name: str
    credentials: tuple[tuple[str, Credential], ...]


@dataclass(frozen=True)
class SigningSender:
    """A sender that signs. ``secrets`` are all valid at once; ``tolerance`` is in seconds."""

    name: str
    secrets: tuple[Credential, ...]
    tolerance: int = 300


@dataclass(frozen=True)
class Listener:
    """Where to listen: with a certificate over TLS, or without one for ``proxies`` only.

    A request from one of ``proxies`` comes from the last address in ``X-Forwarded-For`` that is
    not a proxy itself.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True)
class Limits:
    """Limits for all callers. Sizes in bytes, times in seconds."""

    body: int = 64 * KIB
    header: int = 8 * KIB
    header_fields: int = 64
    idle: float = 15
    body_time: float = 10
    append_time: float = 10
    handshake: float = 10
    connections: int = 1024
    per_address: int = 128
    stranger_bytes: int = 4 * 1024 * KIB
    bodies_in_flight: int = 16 * 1024 * KIB
    failed_tries: int = 20
    failed_window: float = 60
    failed_addresses: int = 4096
    stop: float = 20
