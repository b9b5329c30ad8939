"""The settings with which the demo starts the service, and the throw-away secrets they name."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from connector_testkit.demo.polling import slowness
from connector_testkit.demo.ports import free_port
from connector_testkit.simulators.tls import TlsFiles, issue_tls

RETENTION = "3s"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a simulated CA and UEM are: interface and control interface of each."""

    ca: str
    ca_control: str
    uem: str
    uem_control: str


class Secrets:
    """Throw-away secrets, one file each, and the server certificate of the service."""

    def __init__(self, folder: Path) -> None:
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


def embedded(folder: Path) -> dict[str, Any]:
    """A journal for one process alone."""
    return {"path": str(folder / "journal" / "journal.sqlite"), "partitions": 2}


def clustered(folder: Path, bootstrap: str, prefix: str = "demo") -> dict[str, Any]:
    """A journal for several processes, on one broker that flushes what it acknowledges."""
    return {
        "type": "kafka",
        "bootstrap_servers": bootstrap.split(","),
        "prefix": prefix,
        "path": str(folder / "journal" / "tables.sqlite"),
        "partitions": 6,
        "replication": 1,
        "min_insync_replicas": 1,
        "session_timeout": f"{6 * slowness():.0f}s",
        "rebalance_timeout": "6s",
    }


def settings(
    folder: Path,
    kept: Secrets,
    at: Addresses,
    tls: tuple[Path, Path],
    journal: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The settings of the service.

    Args:
        folder: where journal and socket go.
        kept: the secrets.
        at: the simulators' addresses.
        tls: folders with the TLS files of CA (our client certificate among them) and UEM.
        journal: its settings; None: :func:`embedded`.
    """
    return {
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
        "journal": embedded(folder) if journal is None else dict(journal),
        "audit": {"key_file": str(kept.audit_key)},
        # A laptop seldom lets a program lock memory; in service this stays off.
        "handover": {"accept_unlocked_memory": True},
        "uems": {"acme-uem": _uem(kept, at.uem, tls[1])},
        "cas": {"acme-ca": _ca(kept, at.ca, tls[0])},
        "routes": {"staff": _route()},
        # The demo searches the service's memory for keys, which needs the same user for both.
        "testing": {"memory_readable": True},
    }


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with ``changes`` laid over it, section by section."""
    merged = dict(document)
    for name, value in changes.items():
        below = merged.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[name] = changed(below, value)
        else:
            merged[name] = value
    return merged


def write_settings(path: Path, document: Mapping[str, Any]) -> None:
    """Write the settings file of the service."""
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False), encoding="utf-8")


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
