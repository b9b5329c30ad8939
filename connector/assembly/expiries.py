"""When our own client certificates end, for the alarm that comes before."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from connector.core.metrics import ProcessMetrics
from connector.core.model import millis_of
from connector.settings.model import Settings


def publish_expiries(settings: Settings, metrics: ProcessMetrics) -> None:
    """Publish the end of each upstream's client certificate; unreadable ones are passed over.

    (That a file cannot be used is the business of whoever opens the connection with it.)
    """
    for name, path in _certificates(settings):
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
        except (OSError, ValueError):
            continue
        metrics.own_credential_expires(name, millis_of(certificate.not_valid_after_utc))


def _certificates(settings: Settings) -> Iterator[tuple[str, Path]]:
    for name, ca in settings.cas.items():
        if ca.client_certificate_file is not None:
            yield f"ca:{name}", ca.client_certificate_file
    for name, uem in settings.uems.items():
        if uem.client_certificate_file is not None:
            yield f"uem:{name}", uem.client_certificate_file
