"""Simulated upstreams in a process of their own, and hand-over jobs between them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.core.handover import HandoverJob, PluginReference
from connector.core.model import Usage
from connector.core.ports import Recovery
from connector.core.selection import SelectionRules, SigningPolicy, select
from connector.integrations.http_escrow.backend import HttpEscrow, HttpEscrowSettings
from connector_testkit.simulators.ca.commands import Issue, NewPerson
from connector_testkit.simulators.ca.control import CaControl
from connector_testkit.simulators.ca.options import KeyAlgorithm
from connector_testkit.simulators.uem import UemControl

PERSON, ADDRESS = "ada", "ada@example.org"
WORLD = Path(__file__).parent / "world.py"
HISTORY = (
    Issue(person=PERSON, issued_days_ago=4000, key_algorithm=KeyAlgorithm.RSA_1024),
    Issue(person=PERSON, issued_days_ago=800),
    Issue(person=PERSON),
    Issue(person=PERSON, usage=Usage.SIGNING),
)


@dataclass
class Upstreams:
    """Both simulators, their controls, and what a job needs to reach them."""

    told: dict[str, Any]
    ca: CaControl
    uem: UemControl
    holder: int

    async def job(self, **changes: Any) -> HandoverJob:
        """Everything that planning and recovering would have put together."""
        settings = HttpEscrowSettings.model_validate(self.told["escrow"])
        now = int(datetime.now(UTC).timestamp() * 1000)
        rules = SelectionRules(signing=SigningPolicy.IF_ESCROWED)
        async with HttpEscrow("corp", settings) as escrow:
            listing = await escrow.list(PERSON)
            generations = [one.generation for one in listing.certificates]
            chosen = select(
                generations, person=listing.person, address=ADDRESS, rules=rules, now=now
            )
            for one in sorted({entry.fingerprint for entry in chosen.entries}):
                recovery = Recovery(
                    id=f"{one[:8]}-{now}", person=PERSON, fingerprint=one, reason="enrolment"
                )
                await escrow.begin(recovery)
            requests = await escrow.find_open(PERSON)
        fields: dict[str, Any] = {
            "attempt": 1,
            "holder": str(self.holder),
            "person": PERSON,
            "route": "staff",
            "escrow": PluginReference(plugin="http", name="corp", settings=self.told["escrow"]),
            "target": PluginReference(
                plugin="workspace_one", name="corp", settings=self.told["target"]
            ),
            "entries": chosen.entries,
            "requests": requests,
            "digest": chosen.digest,
            "address": ADDRESS,
            "now": now,
            "rules": rules,
            "issuers_file": self.told["issuers"],
            "limit": 20,
        }
        return HandoverJob(**{**fields, **changes})

    async def secrets(self) -> list[bytes]:
        """Pieces of every key and password that either simulator has seen."""
        found = await self.ca.markers()
        pieces = [bytes.fromhex(one) for one in found.binary]
        pieces += [one.encode() for one in found.text]
        for one in await self.uem.markers():
            is_hex = one["encoding"] == "hex"
            pieces.append(bytes.fromhex(one["value"]) if is_hex else one["value"].encode())
        return pieces


@asynccontextmanager
async def upstreams(folder: Path, *history: Issue, **options: Any) -> AsyncIterator[Upstreams]:
    """Start both simulators; Ada has the keys of ``history`` and is a user of the UEM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(WORLD),
        str(folder),
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        async with CaControl(told["ca_control"]) as ca, UemControl(told["uem_control"]) as uem:
            await ca.put_person(NewPerson(person=PERSON, name="Ada", addresses=(ADDRESS,)))
            await ca.put_person(NewPerson(person="bob", addresses=("bob@example.org",)))
            for order in (*(history or HISTORY), Issue(person="bob")):
                await ca.issue(order)
            yield Upstreams(told, ca, uem, await uem.add_user(PERSON, email=ADDRESS))
    finally:
        process.stdin.close()
        await process.wait()
