"""The settings that every upstream has, for any protocol."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from connector.core.reach import Host, Reach

PORTS = {"https": 443, "http": 80}
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII | re.IGNORECASE)
LONGEST_NAME = 253
NO_ADDRESS = "must be an https:// address with a host"


def is_host(text: str) -> bool:
    """Whether a text can be an IP address or the name of a host (RFC 1123, RFC 5890)."""
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return True
    try:
        name = text.removesuffix(".").encode("idna").decode("ascii")
    except UnicodeError:
        return False
    *_, last = labels = name.split(".")
    return len(name) <= LONGEST_NAME and not last.isdigit() and all(map(LABEL.fullmatch, labels))


def _address(value: str) -> str:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:  # its text repeats the value
        raise ValueError(NO_ADDRESS) from None
    if parts.scheme not in {"https", "http"} or not is_host(parts.hostname or ""):
        raise ValueError(NO_ADDRESS)
    if not value.isprintable() or " " in value:
        raise ValueError("must not contain spaces or control characters")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        msg = "http:// is allowed to a loopback address only; use https://"
        raise ValueError(msg)
    if parts.username or parts.password or parts.query or parts.fragment:
        msg = "must not contain credentials, a query or a fragment"
        raise ValueError(msg)
    return value.rstrip("/")


Address = Annotated[str, AfterValidator(_address)]


class UpstreamSettings(BaseModel):
    """How to reach one upstream. Secrets appear as paths of mounted files only.

    TLS verification cannot be switched off. ``rate`` is in requests per second,
    ``connect_timeout``, ``timeout`` and ``throttle_wait`` in seconds, ``response_limit`` in bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Address = Field(description="Base address, https:// (http:// to loopback only).")
    ca_file: Path | None = Field(
        default=None,
        description="PEM bundle that the server's certificate must chain to (default: system).",
    )
    client_certificate_file: Path | None = Field(
        default=None, description="PEM client certificate (with chain) for mutual TLS."
    )
    client_key_file: Path | None = Field(
        default=None, description="PEM private key of the client certificate (a mounted secret)."
    )
    proxy: Address | None = Field(default=None, description="HTTP proxy towards this upstream.")
    connect_timeout: float = Field(
        default=5, gt=0, le=60, description="Connect timeout, in seconds."
    )
    timeout: float = Field(
        default=30, gt=0, le=120, description="Total timeout of one request, in seconds."
    )
    rate: float = Field(
        default=20,
        gt=0,
        le=1000,
        description="Maximum number of requests per second to this upstream.",
    )
    throttle_wait: float = Field(
        default=20,
        ge=0,
        le=600,
        description="Total seconds that one request may wait and be repeated when the "
        "upstream throttles it (429, or 503 with Retry-After).",
    )
    budget_reserve: float = Field(
        default=0.1,
        ge=0,
        lt=1,
        description="Part of the budget that the upstream announces (X-RateLimit-Limit) that is "
        "kept for deliveries. While less is left, what is only watched waits for the next window.",
    )
    parallel: int = Field(
        default=8,
        ge=1,
        le=256,
        description="Maximum number of concurrent operations; never more than rate, or two where "
        "rate is less.",
    )
    response_limit: int = Field(
        default=4 * 1024 * 1024, ge=1024, description="Largest response body read, in bytes."
    )

    def reach(self) -> Reach:
        """The upstream itself or the proxy towards it, and every file that the settings name."""
        parts = urlsplit(self.proxy or self.address)
        host = Host(name=str(parts.hostname), port=parts.port or PORTS[parts.scheme])
        return Reach(hosts=(host,), files=tuple(path for _, path in self if isinstance(path, Path)))
