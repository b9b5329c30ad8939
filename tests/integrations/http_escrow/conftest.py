"""The simulated CA as a world for the ``http`` backend."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connector.core.key_material import allow_key_material
from connector.integrations.http_escrow.backend import HttpEscrow, HttpEscrowSettings
from connector_testkit.simulators.ca import CaOptions, CaSimulator, KeyAlgorithm
from connector_testkit.simulators.ca.commands import (
    Decision,
    Issue,
    Lie,
    LieOrder,
    NewPerson,
    Operation,
)
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.tls import TlsFiles, issue_tls

PERSON = NewPerson(
    person="mara.lind",
    name="Mara Lind",
    addresses=("Mara.Lind@example.com", "m.lind@example.com"),
    attributes={"Employee_Number": "10442"},
)
HISTORY = (
    Issue(person="mara.lind", issued_days_ago=4000, key_algorithm=KeyAlgorithm.RSA_1024),
    Issue(person="mara.lind", issued_days_ago=800),
    Issue(person="mara.lind"),
)


@dataclass
class HttpWorld:
    """A simulated CA with one person; see ``conformance.escrow_world.EscrowWorld``."""

    ca: CaSimulator
    control: CaControl
    stranger_tls: TlsFiles
    fingerprints: tuple[str, ...]
    secrets: tuple[str, ...] = field(repr=False)
    person: str = PERSON.person

    def settings(self, tls: TlsFiles | None = None, **changes: Any) -> HttpEscrowSettings:
        files = tls or self.ca.tls
        values = {
            "address": self.ca.api_url,
            "ca_file": self.ca.tls.ca,
            "client_certificate_file": files.client_certificate,
            "client_key_file": files.client_key,
            "timeout": 5,
            "throttle_wait": 0,
        }
        return HttpEscrowSettings.model_validate({**values, **changes})

    def backend(self, **changes: Any) -> HttpEscrow:
        return HttpEscrow("corp", self.settings(**changes))

    def stranger(self) -> HttpEscrow:
        return HttpEscrow("corp", self.settings(self.stranger_tls))

    async def ask_people(self) -> None:
        await self.control.put_person(PERSON.model_copy(update={"approval": True}))

    async def decide(self, request_id: str, *, grant: bool) -> None:
        await self.control.decide(request_id, Decision.GRANT if grant else Decision.DENY)

    async def stall(self) -> None:
        for operation in Operation:
            await self.control.lie(LieOrder(lie=Lie.STALL, operation=operation))

    async def stalled(self) -> None:
        await self.control.wait_for(Operation.BEGIN, 1)

    async def recover(self) -> None:
        await self.control.be_honest()

    async def go_away(self) -> None:
        await self.ca.__aexit__()


@pytest.fixture
async def http_world(tmp_path: Path) -> AsyncIterator[HttpWorld]:
    allow_key_material()
    options = CaOptions(directory=tmp_path / "ca", key_algorithm=KeyAlgorithm.EC_P256, seed=11)
    stranger = issue_tls(tmp_path / "stranger", client="somebody")
    async with CaSimulator(options) as ca, CaControl(ca.control_url) as control:
        await control.put_person(PERSON)
        fingerprints = tuple([(await control.issue(order)).fingerprint for order in HISTORY])
        markers = await control.markers()
        yield HttpWorld(ca, control, stranger, fingerprints, markers.text)
