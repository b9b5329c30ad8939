"""Settings that are good in every respect, as a file with all files that it names."""

from pathlib import Path

import yaml

from connector_testkit.simulators.tls import issue_tls


def write_good(folder: Path) -> Path:
    """A file of good settings, made from the example and what must be decided."""
    tls = issue_tls(folder / "tls", client="pki-connector")
    secret = folder / "secret"
    secret.write_text("marker-" + "x" * 40)
    document = {
        "service": {
            "intake": {"tls": {"certificate_file": str(tls.certificate), "key_file": str(tls.key)}},
            "admin": {"socket": "run/admin.sock"},
        },
        "audit": {"key_file": "secret"},
        "uems": {
            "corp": {
                "type": "workspace_one",
                "address": "https://uem.example.com",
                "username": "svc",
                "password_file": "secret",
                "tenant_code_file": "secret",
                "archived_mode": "off",
            }
        },
        "cas": {
            "main": {
                "type": "http",
                "address": "https://ca.example.com",
                "client_certificate_file": str(tls.client_certificate),
                "client_key_file": str(tls.client_key),
            }
        },
        "routes": {
            "staff": {
                "uem": "corp",
                "ca": "main",
                "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
                "retention": "48h",
                "profiles": {"*": 12},
                "other_devices": "hold",
                "unknown_set": "refuse",
                "signing": "never",
            }
        },
    }
    file = folder / "connector.yaml"
    file.write_text(yaml.safe_dump(document))
    return file
