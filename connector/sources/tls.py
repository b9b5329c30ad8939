"""The listener's certificate, read again when its files change. TLS 1.2 or newer (RFC 9325)."""

import asyncio
import logging
import ssl
from pathlib import Path

from watchfiles import awatch

from connector.core.errors import Permanent
from connector.core.metric_definitions import CERTIFICATE_RELOADS, OWN_CREDENTIAL_EXPIRY
from connector.core.metrics import Metrics
from connector.core.model import millis_of
from connector.core.ports import Clock
from connector.mounted import changes_of
from connector.tls_files import first_certificate, load_pair

_log = logging.getLogger(__name__)

CREDENTIAL = "tls-server"
LOOK_ANYWAY = 300_000
"""Milliseconds after which the files are read again even if no change was seen."""


class ServerCertificate:
    """Certificate and key of the listener.

    New connections get the newest pair that could be read; a pair that cannot be read (half
    written, key of another certificate) changes nothing and is reported.

    Args:
        certificate: PEM file with the certificate and its chain.
        key: PEM file with its key.
        metrics: publishes when the certificate expires.
        clock: shows whether it has expired.

    Raises:
        Permanent: ``CFG-003`` when the first pair cannot be read.
    """

    def __init__(self, certificate: Path, key: Path, metrics: Metrics, clock: Clock) -> None:
        self._clock = clock
        self._certificate = certificate
        self._key = key
        self._metrics = metrics
        self._current = self._load()
        self.context = self._current
        self.context.sni_callback = self._choose

    def reload(self) -> bool:
        """Read the pair again; whether it was taken. One that has expired is not."""
        try:
            self._current = self._load(expired=False)
        except Permanent as error:
            _log.error("intake.certificate_refused", extra={"error_code": error.code})
            self._metrics.count(CERTIFICATE_RELOADS, outcome="refused")
            return False
        _log.info("intake.certificate_reloaded")
        self._metrics.count(CERTIFICATE_RELOADS, outcome="accepted")
        return True

    async def follow(self, stop: asyncio.Event) -> None:
        """Reload whenever the files change, until ``stop``.

        The directories are watched, not the files: a mounted secret is replaced by renaming a
        symbolic link beside them, which a watch on the file does not see.
        """
        directories = {self._certificate.parent, self._key.parent}
        async for _ in awatch(
            *directories,
            watch_filter=changes_of((self._certificate, self._key)),
            recursive=False,
            stop_event=stop,
            rust_timeout=LOOK_ANYWAY,
            yield_on_timeout=True,
        ):
            self.reload()

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _first: ssl.SSLContext) -> None:
        """Called in every handshake, with or without a server name."""
        connection.context = self._current

    def _load(self, *, expired: bool = True) -> ssl.SSLContext:
        """The pair on disk; unless ``expired``, one past its end is refused (CRT-001)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        load_pair(context, self._certificate, self._key)
        leaf = first_certificate(self._certificate)
        if not expired and millis_of(leaf.not_valid_after_utc) <= self._clock.now():
            raise Permanent("CRT-001", "reading the listener's certificate: expired")
        ends = leaf.not_valid_after_utc.timestamp()
        self._metrics.gauge(OWN_CREDENTIAL_EXPIRY, ends, credential=CREDENTIAL)
        return context
