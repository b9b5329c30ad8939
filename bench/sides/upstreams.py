"""The shipped simulators, with one person who has five RSA-2048 keys in escrow.

Argument: folder. Says what a hand-over job needs. Bundles are encoded once, under the one password
of the benchmark, and uploads are only counted: what the simulators do is not measured.
"""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from pydantic import SecretStr

from bench.sides.fixed_forkserver import PASSWORD
from bench.worker_protocol import obey, say
from connector.core.handover import HandoverJob, PluginReference
from connector.core.model import Usage
from connector.core.ports import Recovery
from connector.core.selection import SelectionRules, SigningPolicy, select
from connector.integrations.http_escrow.backend import HttpEscrow, HttpEscrowSettings
from connector_testkit.simulators.ca import CaOptions, CaSimulator
from connector_testkit.simulators.ca.commands import Issue, NewPerson
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.uem import UemControl, UemOptions, UemSimulator
from connector_testkit.simulators.upstream_settings import escrow_settings, target_settings

PERSON, ADDRESS = "ada", "ada@example.org"
HISTORY = (
    *(Issue(person=PERSON, issued_days_ago=days) for days in (3000, 2200, 1400)),
    Issue(person=PERSON),
    Issue(person=PERSON, usage=Usage.SIGNING),
)
RULES = SelectionRules(signing=SigningPolicy.REQUIRED)


async def main(folder: Path) -> None:
    """Serve until the pipe is closed."""
    password, code = folder / "password", folder / "tenant-code"
    password.write_text("bench", encoding="utf-8")
    code.write_text("bench", encoding="utf-8")
    ca_options = CaOptions(directory=folder / "ca", fixed_password=SecretStr(PASSWORD))
    uem_options = UemOptions(
        directory=folder / "uem",
        password_file=password,
        tenant_code_file=code,
        check_uploads="none",
        daily_limit=None,
        ledger_limit=1000,
    )
    async with CaSimulator(ca_options) as ca, UemSimulator(uem_options) as uem:
        escrow, target = escrow_settings(ca), target_settings(uem, uem_options)
        await _people(ca.control_url)
        async with UemControl(uem.control_url) as control:
            holder = await control.add_user(PERSON, email=ADDRESS)
        say({"job": (await _job(escrow, target, holder)).model_dump(mode="json")})
        await obey(_nothing)


async def _people(control: str) -> None:
    async with CaControl(control) as ca:
        await ca.put_person(NewPerson(person=PERSON, name="Ada", addresses=(ADDRESS,)))
        for order in HISTORY:
            await ca.issue(order)


async def _job(escrow: dict[str, str], target: dict[str, str], holder: int) -> HandoverJob:
    settings = HttpEscrowSettings.model_validate(escrow)
    now = int(datetime.now(UTC).timestamp() * 1000)
    async with HttpEscrow("corp", settings) as backend:
        listing = await backend.list(PERSON)
        chosen = select(
            [one.generation for one in listing.certificates],
            person=listing.person,
            address=ADDRESS,
            rules=RULES,
            now=now,
        )
        for name in sorted({entry.fingerprint for entry in chosen.entries}):
            await backend.begin(
                Recovery(id=name[:32], person=PERSON, fingerprint=name, reason="enrolment")
            )
        requests = tuple(await backend.find_open(PERSON))
    return HandoverJob(
        attempt=1,
        holder=str(holder),
        person=PERSON,
        route="staff",
        escrow=PluginReference(plugin="http", name="corp", settings=dict(escrow)),
        target=PluginReference(plugin="workspace_one", name="corp", settings=dict(target)),
        entries=chosen.entries,
        requests=requests,
        digest=chosen.digest,
        address=ADDRESS,
        now=now,
        rules=RULES,
        limit=60,
    )


async def _nothing(_: Any) -> dict[str, Any]:
    await asyncio.sleep(0)
    return {}


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1])))
