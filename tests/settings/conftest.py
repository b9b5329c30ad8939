"""A complete set of good settings in a directory of its own, and plug-ins to go with it."""

import base64
import json
import secrets
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from connector.core.feed import FeedSettings
from connector.integrations.http_escrow.source import StandardWebhook
from connector.integrations.workspace_one.source import WorkspaceOneWebhook
from connector.settings.load import Checked, check
from connector.settings.plugins import Plugins
from connector_testkit.simulators.tls import issue_tls
from tests.settings.examples import Change, Check, PhonesSettings, Values, VaultSettings


@pytest.fixture
def plugins() -> Plugins:
    return Plugins(
        {"vault": VaultSettings},
        {"phones": PhonesSettings},
        {"broken": "ImportError"},
        {"phones": WorkspaceOneWebhook, "standard_webhooks": StandardWebhook},
        {"phones": FeedSettings},
    )


@pytest.fixture
def marker() -> str:
    """A secret that must not be seen anywhere."""
    return f"marker-{secrets.token_hex(16)}"


@pytest.fixture
def good(tmp_path: Path, marker: str) -> Values:
    tls = issue_tls(tmp_path / "tls")
    for name in ("audit.key", "api.password", "hook.password"):
        (tmp_path / name).write_text(f"{marker}-{name}\n")
    signing = base64.b64encode(f"{marker}-ca.secret".encode()).decode()
    (tmp_path / "ca.secret").write_text(f"whsec_{signing}\n")
    return {
        "service": {
            "intake": {
                "listen": {"host": "127.0.0.1", "port": 0},
                "tls": {
                    "certificate_file": str(tls.certificate),
                    "key_file": str(tls.key),
                },
            }
        },
        "audit": {"key_file": "audit.key"},
        "uems": {
            "ws-one": {
                "type": "phones",
                "address": "https://uem.example.com",
                "password_file": "api.password",
                "archived_mode": "off",
                "webhook": {"credentials": [{"user": "uem", "password_file": "hook.password"}]},
            }
        },
        "cas": {
            "main": {
                "type": "vault",
                "address": "https://ca.example.com/escrow/",
                "webhook": {"secret_files": ["ca.secret"]},
            }
        },
        "routes": {
            "staff": {
                "uem": "ws-one",
                "ca": "main",
                "mail_domains": ["Example.COM"],
                "identity": {"person_attribute": "EmployeeId", "agreeing_attribute": "mail"},
                "retention": "48h",
                "profiles": {"Apple": 12, "*": "13"},
                "other_devices": "hold",
                "unknown_set": "refuse",
                "signing": "if_escrowed",
            }
        },
    }


@pytest.fixture
def checked(tmp_path: Path, plugins: Plugins) -> Check:
    """Check values (or YAML text) as a file, with an environment."""

    def run(values: Values | str, environment: Mapping[str, str] | None = None) -> Checked:
        file = tmp_path / "connector.yaml"
        text = values if isinstance(values, str) else json.dumps(values, indent=1)
        file.write_text(text)
        return check(file, environment or {}, plugins)

    return run


@pytest.fixture
def changed(good: Values) -> Change:
    """The good settings with one of them changed (``None`` removes it)."""

    def change(path: str, value: Any) -> Values:
        values = deepcopy(good)
        branch = values
        *parents, last = path.split(".")
        for part in parents:
            branch = branch.setdefault(part, {})
        if value is None:
            del branch[last]
        else:
            branch[last] = value
        return values

    return change
