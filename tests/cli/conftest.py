"""The command line in this process, against a real service behind a real socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from connector.admin.server import AdminServer
from connector.cli.options import World
from connector.cli.root import run
from connector.simulators.tls import issue_tls
from tests.admin.world import AdminWorld
from tests.cli.calls import Asked, Command, Result


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run one command line in an environment of its own."""

    def call(*arguments: str, **environment: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            run(arguments, World(environment, lambda: "unique"))
        out, err = capfd.readouterr()
        code = ended.value.code
        return Result(code if isinstance(code, int) else 0, out, err)

    return call


@pytest.fixture
async def ask(tmp_path: Path, command: Command) -> AsyncIterator[Asked]:
    world = AdminWorld(tmp_path)
    await world.open()
    socket = tmp_path / "run" / "admin.sock"
    async with AdminServer(world.service(), socket):
        yield Asked(world, command, socket)
    await world.journal.close()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file of good settings, made from the example and what must be decided."""
    tls = issue_tls(tmp_path / "tls", client="pki-connector")
    secret = tmp_path / "secret"
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
    file = tmp_path / "connector.yaml"
    file.write_text(yaml.safe_dump(document))
    return file
