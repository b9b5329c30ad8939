"""The settings with which the demo starts the service, and the throw-away secrets they name."""

import base64
import secrets
import socket
from pathlib import Path

import yaml

from connector.simulators.tls import TlsFiles, issue_tls

RETENTION = "3s"


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Secrets:
    """Throw-away secrets, one file each, and the server certificate of the service."""

    def __init__(self, folder: Path) -> None:
        """Make them in ``folder``."""
        folder.mkdir(mode=0o700, parents=True)
        self.folder = folder
        self.values: dict[str, str] = {}
        self.api_password = self._make("uem-api-password")
        self.tenant_code = self._make("uem-tenant-code")
        self.hook_password = self._make("uem-hook-password")
        self.audit_key = self._make("audit-key")
        self.ca_hook = self._write("ca-hook-secret", f"whsec_{_base64()}")
        self.tls: TlsFiles = issue_tls(folder / "tls")

    def _make(self, name: str) -> Path:
        return self._write(name, secrets.token_hex(32))

    def _write(self, name: str, value: str) -> Path:
        self.values[name] = value
        path = self.folder / name
        path.write_text(f"{value}\n", encoding="utf-8")
        path.chmod(0o600)
        return path


def _base64() -> str:

    return base64.b64encode(secrets.token_bytes(32)).decode()


def write_settings(
    folder: Path, kept: Secrets, *, ca: str, uem: str, ca_tls: Path, uem_tls: Path
) -> Path:
    """The settings file of the service.

    Args:
        folder: where journal, socket and the file itself go.
        kept: the secrets.
        ca: address of the simulated CA.
        uem: address of the simulated UEM.
        ca_tls: folder with the CA's TLS files, our client certificate among them.
        uem_tls: folder with the UEM's TLS files.
    """
    document = {
        "service": {
            "intake": {
                "listen": {"host": "127.0.0.1", "port": free_port()},
                "tls": {
                    "certificate_file": str(kept.tls.certificate),
                    "key_file": str(kept.tls.key),
                },
            },
            "observe": {"listen": {"host": "127.0.0.1", "port": free_port()}},
            "admin": {"socket": str(folder / "run" / "admin.sock")},
            "drain": "10s",
        },
        "journal": {"path": str(folder / "journal" / "journal.sqlite"), "partitions": 2},
        "audit": {"key_file": str(kept.audit_key)},
        # A laptop seldom lets a program lock memory; in service this stays off.
        "handover": {"accept_unlocked_memory": True},
        "uems": {"acme-uem": _uem(kept, uem, uem_tls)},
        "cas": {"acme-ca": _ca(kept, ca, ca_tls)},
        "routes": {"staff": _route()},
    }
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def _uem(kept: Secrets, address: str, tls: Path) -> dict[str, object]:
    return {
        "type": "workspace_one",
        "address": address,
        "ca_file": str(tls / "ca.pem"),
        "username": "svc.pki",
        "password_file": str(kept.api_password),
        "tenant_code_file": str(kept.tenant_code),
        "archived_mode": "list-field",
        "archived_member": "ArchivedCertificates",
        "webhook": {
            "credentials": [{"user": "uem-events", "password_file": str(kept.hook_password)}]
        },
    }


def _ca(kept: Secrets, address: str, tls: Path) -> dict[str, object]:
    return {
        "type": "http",
        "address": address,
        "ca_file": str(tls / "ca.pem"),
        "client_certificate_file": str(tls / "client.pem"),
        "client_key_file": str(tls / "client.key"),
        "webhook": {"secret_files": [str(kept.ca_hook)]},
    }


def _route() -> dict[str, object]:
    return {
        "uem": "acme-uem",
        "ca": "acme-ca",
        "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
        "signing": "required",
        "other_devices": "hold",
        "unknown_set": "replace",
        "profiles": {"apple": "4711"},
        "retention": RETENTION,
        "retention_margin": "1s",
        "hand_over_limit": RETENTION,
        "hand_over_margin": "500ms",
        "retry": {"first": "200ms", "cap": "2s"},
        "look_every": {"first": "200ms", "cap": "1s"},
    }
