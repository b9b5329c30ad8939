"""Both sources of this distribution pass the suite that plug-ins pass."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar

import aiohttp
import pytest
from standardwebhooks import Webhook

from connector.core.secret import Credential
from connector.core.source import Sender, Source
from connector.integrations.http_escrow.source import StandardWebhooksSource
from connector.integrations.workspace_one.source import WorkspaceOneSource
from connector_testkit.conformance.collection import assert_collected
from connector_testkit.conformance.source import NOW, Posted, SourceConformance, SourceStage

JSON = {"Content-Type": "application/json"}


class Consoles:
    """Consoles of Workspace ONE UEM with two passwords each."""

    source: ClassVar[type[Source]] = WorkspaceOneSource
    settings: ClassVar[Mapping[str, object]] = {
        "credentials": [{"user": "uem", "password_file": name} for name in ("0", "1")]
    }

    def password(self, sender: str, secret: int | str) -> str:
        return f"marker-{sender}-{secret}"

    def sender(self, name: str) -> Sender:
        settings = self.source.settings_model.model_validate(self.settings)
        return Sender(name, settings, lambda path: Credential(self.password(name, path.name)))

    def post(self, sender: str, body: bytes, *, secret: int = 0) -> Posted:
        proof = aiohttp.encode_basic_auth("uem", self.password(sender, secret), "utf-8")
        return Posted(JSON | {"Authorization": proof}, body)

    def news(self, number: int) -> bytes:
        members = {"EventType": "Enrollment Complete", "EventTime": "2999-03-05T08:40:00Z"}
        return json.dumps({"DeviceId": number, **members}).encode()

    def chatter(self) -> bytes:
        return b'{"EventType": "Device MCC", "DeviceId": 15}'

    def secrets(self) -> tuple[str, ...]:
        return ("marker-first", "marker-second")


class Authorities:
    """CAs with two signing secrets each."""

    source: ClassVar[type[Source]] = StandardWebhooksSource
    settings: ClassVar[Mapping[str, object]] = {"secret_files": ["0", "1"]}

    def secret(self, sender: str, which: int | str) -> str:
        return "whsec_" + base64.b64encode(f"marker-{sender}-{which}-".encode() * 2).decode()

    def sender(self, name: str) -> Sender:
        settings = self.source.settings_model.model_validate(self.settings)
        return Sender(name, settings, lambda path: Credential(self.secret(name, path.name)))

    def post(self, sender: str, body: bytes, *, secret: int = 0) -> Posted:
        message = "msg_" + str(sum(body))
        moment = datetime.fromtimestamp(NOW // 1000, UTC)
        text = body.decode("latin-1")
        signature = Webhook(self.secret(sender, secret)).sign(message, moment, text)
        headers = {"webhook-id": message, "webhook-timestamp": str(NOW // 1000)}
        return Posted(JSON | headers | {"webhook-signature": signature}, text.encode())

    def news(self, number: int) -> bytes:
        whole = {"type": "certificates.renewed", "timestamp": "2999-03-05T08:40:00Z"}
        return json.dumps({**whole, "data": {"person": f"person-{number}"}}).encode()

    def chatter(self) -> bytes:
        return b'{"type": "keys.issued", "timestamp": "2026-03-05T08:40:00Z", "data": {}}'

    def secrets(self) -> tuple[str, ...]:
        return ("marker-first", "marker-second", base64.b64encode(b"marker-first").decode()[:12])


class TestWorkspaceOne(SourceConformance):
    """Callers are known before the body is read."""

    @pytest.fixture
    def stage(self) -> SourceStage:
        return Consoles()


class TestStandardWebhooks(SourceConformance):
    """Only the signed body proves who calls."""

    @pytest.fixture
    def stage(self) -> SourceStage:
        return Authorities()


def test_every_case_is_collected(request: pytest.FixtureRequest) -> None:
    """A suite of which a case is not collected would pass without saying so."""
    module = request.node.parent
    assert isinstance(module, pytest.Module)
    assert assert_collected(module, SourceConformance) > 10
