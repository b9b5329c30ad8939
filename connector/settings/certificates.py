"""The service's own certificates, and how long they last."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path as File
from typing import NamedTuple

from connector.core.errors import Permanent
from connector.settings.model import Settings
from connector.settings.report import Path
from connector.tls_files import first_certificate

LISTENER = "tls-server"
BROKERS = "journal"
SOON = timedelta(days=30)
"""From here on an end is a warning."""


class OwnCertificate(NamedTuple):
    """One certificate that the service shows to others.

    ``name`` is ``tls-server``, ``ca:NAME``, ``uem:NAME`` or ``journal`` (shown to the brokers);
    ``setting`` where its file is named.
    """

    name: str
    setting: Path
    file: File


class Ending(NamedTuple):
    """A certificate and when it ends."""

    certificate: OwnCertificate
    ends: datetime


def own_certificates(settings: Settings) -> Iterator[OwnCertificate]:
    """All of them, as the settings name them."""
    if (tls := settings.service.intake.tls) is not None:
        listener = ("service", "intake", "tls", "certificate_file")
        yield OwnCertificate(LISTENER, listener, tls.certificate_file)
    for section, upstreams in (("cas", settings.cas), ("uems", settings.uems)):
        for name, upstream in upstreams.items():
            if (file := upstream.client_certificate_file) is not None:
                place = (section, name, "client_certificate_file")
                yield OwnCertificate(f"{section[:-1]}:{name}", place, file)
    security = getattr(settings.journal, "security", None)  # the embedded journal has none
    if security is not None and security.tls is not None and security.tls.client is not None:
        brokers = ("journal", "security", "tls", "client", "certificate_file")
        yield OwnCertificate(BROKERS, brokers, security.tls.client.certificate_file)


def endings(settings: Settings) -> list[Ending]:
    """When each of them ends, soonest first.

    One that cannot be read is passed over: what opens a connection with it says so.
    """
    found = []
    for one in own_certificates(settings):
        try:
            leaf = first_certificate(one.file)
        except Permanent:
            continue
        found.append(Ending(one, leaf.not_valid_after_utc))
    return sorted(found, key=lambda each: each.ends)


def fault_of(ends: datetime, now: datetime) -> tuple[str, str] | None:
    """Code and words for a certificate that has ended or ends within 30 days; else None."""
    if ends <= now:
        return "CRT-001", f"expired on {ends:%Y-%m-%d}"
    if ends - now < SOON:
        return "CRT-002", f"ends on {ends:%Y-%m-%d}, in {(ends - now).days} days"
    return None


def now() -> datetime:
    """The wall clock, as certificates are dated."""
    return datetime.now(UTC)
