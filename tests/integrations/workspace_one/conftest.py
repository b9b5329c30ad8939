"""A simulated UEM per test, with what the target suite wants to do to it."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from connector.core.handover import PluginReference
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.target import WorkspaceOne
from connector_testkit.conformance.target_child import Deliverer
from connector_testkit.conformance.target_world import Pair, Trouble
from connector_testkit.simulators.uem import UemControl, UemOptions, UemSimulator

API_PASSWORD, TENANT_CODE = "marker-api-password", "bWFya2VyLXRlbmFudC1jb2Rl"
PROFILE = "4711"
FAULTS: dict[Trouble, dict[str, Any]] = {
    Trouble.REFUSES_LOGIN: {"kind": "unauthorized"},
    Trouble.ASKS_TO_WAIT: {"kind": "throttled", "retry_after": "7"},
    Trouble.FAILS: {"kind": "error", "status": 500},
    Trouble.TALKS_NONSENSE: {"kind": "html", "status": 200},
    Trouble.TALKS_TOO_MUCH: {"kind": "raw", "body": "x", "repeat": 5_000_000},
    Trouble.REDIRECTS: {"kind": "raw", "status": 302, "headers": {"Location": "https://x/"}},
    Trouble.STALLS: {"kind": "silent"},
    Trouble.DOES_NOT_ANSWER: {"kind": "apply_silent"},
    Trouble.BREAKS_OFF: {"kind": "apply_reset"},
}


class UemWorld:
    """A :class:`~connector_testkit.conformance.target_world.TargetWorld` over the simulator."""

    def __init__(self, uem: UemSimulator, control: UemControl, directory: Path) -> None:
        self.uem = uem
        self.control = control
        self._directory = directory
        self._names = count(1)
        self.profiles = {"*": PROFILE}
        self.secrets = (API_PASSWORD, TENANT_CODE)

    def settings(self, patience: float = 10, **changes: Any) -> WorkspaceOneSettings:
        given = {
            "address": self.uem.api_url,
            "ca_file": self.uem.ca_file,
            "timeout": patience,
            "username": "svc.pki",
            "password_file": self._directory / "password",
            "tenant_code_file": self._directory / "code",
            "archived_mode": "list-field",
            "throttle_wait": 5,
        }
        return WorkspaceOneSettings.model_validate(given | changes)

    def target(self, patience: float = 10, **changes: Any) -> WorkspaceOne:
        return WorkspaceOne("main", self.settings(patience, **changes))

    def reference(self, patience: float = 10, **changes: Any) -> PluginReference:
        settings = self.settings(patience, **changes).model_dump(mode="json")
        return PluginReference(plugin="workspace_one", name="main", settings=settings)

    def stranger(self) -> WorkspaceOne:
        return self.target(username="svc.other")

    async def add_holder(self) -> str:
        name = "mmuster" + "x" * next(self._names)
        return str(await self.control.add_user(name, email=f"{name}@example.com"))

    async def add_device(self, holder: str, **facts: Any) -> str:
        return str(await self.control.enrol(int(holder), event=False, **facts))

    async def remove_device(self, device: str) -> None:
        await self.control.unenrol(int(device), event=False)

    async def give_device(self, device: str, holder: str) -> None:
        await self.control.change_device(int(device), user=int(holder), event=False)

    async def taken(self, holder: str) -> list[frozenset[Pair]]:
        uploads = await self.control.ledger("upload")
        return [
            frozenset((slot["slot"], slot["fingerprint"]) for slot in upload["slots"])
            for upload in uploads
            if str(upload["user"]) == holder
        ]

    async def installed(self, device: str, fingerprint: str) -> None:
        await self.control.wait_for(
            "installed",
            lambda entry: (
                str(entry["device"]) == device
                and fingerprint in {slot["fingerprint"] for slot in entry["set"]["slots"]}
            ),
        )

    async def later(self) -> None:
        await self.control.advance_clock(2)

    async def disturb(self, trouble: Trouble) -> None:
        await self.control.fault(count=None, **FAULTS[trouble])

    async def recover(self) -> None:
        await self.control.clear_faults()

    async def forget(self, holder: str) -> None:
        await self.control.purge(int(holder))

    async def go_away(self) -> None:
        await self.uem.__aexit__()

    async def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """The requests that the UEM saw."""
        return await self.control.ledger("request", since=since)


@pytest.fixture
def uem_options(tmp_path: Path) -> UemOptions:
    (tmp_path / "password").write_text(API_PASSWORD + "\n", encoding="utf-8")
    (tmp_path / "code").write_text(TENANT_CODE + "\n", encoding="utf-8")
    return UemOptions(
        directory=tmp_path / "tls",
        password_file=tmp_path / "password",
        tenant_code_file=tmp_path / "code",
        install_delay=timedelta(milliseconds=50),
    )


@pytest.fixture
async def uem(uem_options: UemOptions, tmp_path: Path) -> AsyncIterator[UemWorld]:
    async with UemSimulator(uem_options) as uem, UemControl(uem.control_url) as control:
        yield UemWorld(uem, control, tmp_path)


@pytest.fixture(scope="module")
def deliverer() -> Iterator[Deliverer]:
    with Deliverer() as deliverer:
        yield deliverer
