"""A simulated CA and a simulated UEM with one person in both, for the operators' service."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from connector.core.model import SubjectKind, subject_key
from connector.core.states import (
    HolderState,
)
from connector.core.upstream import UpstreamSettings
from connector.integrations.http_escrow.backend import HttpEscrow, HttpEscrowSettings
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.integrations.workspace_one.target import WorkspaceOne
from connector.operators.planner import Planner
from connector.operators.verbs.plan import PlanReport
from connector_testkit.simulators.ca import CaOptions, CaSimulator, KeyAlgorithm
from connector_testkit.simulators.ca.commands import Issue, NewPerson, Operation
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.uem import UemControl, UemOptions, UemSimulator
from tests.operators.world import route

NOW = int(time.time() * 1000)


class Upstreams:
    """Mara, who has three generations at the CA and a phone in the UEM."""

    def __init__(self, ca: CaControl, uem: UemControl) -> None:
        self.ca = ca
        self.uem = uem
        self.routes = {"staff": route(person_attribute="username", agreeing_attribute="email")}
        self.backends: dict[str, HttpEscrow] = {}
        self.targets: dict[str, WorkspaceOne] = {}
        self.settings: dict[str, UpstreamSettings] = {}
        self.uuid = ""
        self.fingerprints: tuple[str, ...] = ()
        self.issuers = Path()

    async def populate(self) -> None:
        person = NewPerson(person="mara", name="Mara", addresses=("mara@example.com",))
        await self.ca.put_person(person)
        orders = [Issue(person="mara", issued_days_ago=days) for days in (900, 500, 1)]
        issued = [await self.ca.issue(order) for order in orders]
        self.fingerprints = tuple(one.fingerprint for one in reversed(issued))
        self.user = await self.uem.add_user("mara", email="mara@example.com")
        self.device = await self.uem.enrol(self.user, name="phone", event=False)
        self.key = subject_key("corp", SubjectKind.HOLDER, str(self.user))

    async def plan(self, **state: object) -> PlanReport:
        planner = Planner(lambda: self.routes, self.backends, self.targets, lambda: NOW)
        return await planner.plan(HolderState(key=self.key).model_copy(update=state))

    async def touched_keys(self) -> bool:
        operations = {entry.operation for entry in await self.ca.ledger()}
        uploads = await self.uem.ledger("upload")
        return bool(uploads or operations & {Operation.BEGIN, Operation.FETCH})


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[Upstreams]:
    """Both on sockets, with mara in them."""
    for name in ("password", "code"):
        (tmp_path / name).write_text(f"marker-{name}\n")
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ca = await enter(
            CaSimulator(CaOptions(directory=tmp_path / "ca", key_algorithm=KeyAlgorithm.EC_P256))
        )
        uem_options = UemOptions(
            directory=tmp_path / "uem",
            password_file=tmp_path / "password",
            tenant_code_file=tmp_path / "code",
        )
        uem = await enter(UemSimulator(uem_options))
        made = Upstreams(
            await enter(CaControl(ca.control_url)), await enter(UemControl(uem.control_url))
        )
        escrow, target = _escrow(ca), _target(uem, uem_options)
        made.settings |= {"cas": escrow, "uems": target}
        made.backends["main"] = await enter(HttpEscrow("main", escrow))
        made.targets["corp"] = await enter(WorkspaceOne("corp", target))
        made.issuers = tmp_path / "ca" / "issuers.pem"
        await made.populate()
        made.uuid = uem.tenant.users[made.user].uuid
        yield made


def _escrow(ca: CaSimulator) -> HttpEscrowSettings:
    return HttpEscrowSettings.model_validate(
        {
            "address": ca.api_url,
            "ca_file": ca.tls.ca,
            "client_certificate_file": ca.tls.client_certificate,
            "client_key_file": ca.tls.client_key,
        }
    )


def _target(uem: UemSimulator, options: UemOptions) -> WorkspaceOneSettings:
    return WorkspaceOneSettings.model_validate(
        {
            "address": uem.api_url,
            "ca_file": uem.ca_file,
            "username": options.api_user,
            "password_file": options.password_file,
            "tenant_code_file": options.tenant_code_file,
            "archived_mode": "list-field",
        }
    )
