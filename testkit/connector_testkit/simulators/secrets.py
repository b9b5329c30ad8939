"""Throw-away secrets for a stage of connector, CA and UEM, each a file where its reader looks."""

import secrets
from base64 import b64encode
from pathlib import Path

from connector_testkit.simulators.tls import issue_tls

TEXTS = ("audit/key", "uem/password", "uem/tenant-code", "uem/hook")
SIGNING = "ca/hook"


def write_secrets(directory: Path, hosts: tuple[str, ...]) -> None:
    """Write new secrets, and the connector's server certificate.

    ``tls/`` gets ``tls.crt`` and ``tls.key``, named as in a Secret of Kubernetes, and ``ca.pem``
    for those who post to it.

    Args:
        directory: made if missing; files of an earlier call are replaced.
        hosts: IP addresses and DNS names of the certificate.

    Raises:
        OSError: when a file cannot be written.
    """
    for name in TEXTS:
        _write(directory / name, secrets.token_hex(32))
    _write(directory / SIGNING, f"whsec_{b64encode(secrets.token_bytes(32)).decode()}")
    files = issue_tls(directory / "tls", hosts=hosts)
    files.certificate.rename(files.certificate.with_name("tls.crt"))
    files.key.rename(files.key.with_name("tls.key"))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"{text}\n", encoding="utf-8")
