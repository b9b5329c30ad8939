"""The stage of the end-to-end tests: the service as a process, the simulators in this one."""

import asyncio
import json
import signal
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from connector.core.states import HolderState, Phase
from connector_testkit.demo.mail import MailWriter
from connector_testkit.demo.people import Actor, employ, readable, write_mails
from connector_testkit.demo.polling import until
from connector_testkit.demo.process_tree import alive, kill_at_once, signal_all, stopped
from connector_testkit.demo.process_tree import family as family_of
from connector_testkit.demo.settings_file import Addresses, changed
from connector_testkit.demo.stage import Stage
from connector_testkit.simulators.ca import CaOptions, CaSimulator
from connector_testkit.simulators.uem import UemOptions, UemSimulator
from tests.e2e.journal_view import JournalView
from tests.e2e.states import Fits, in_phase
from tests.patience import scaled

FAST: dict[str, Any] = {
    "journal": {"partitions": 1},
    "worker": {"disclosure_ceiling": 1_000_000},
    "routes": {
        "staff": {
            "signing": "if_escrowed",
            "retention": "2500ms",
            "hand_over_limit": scaled(3000),
            "hand_over_margin": "200ms",
            "act_limit": scaled(1500),
            "retry": {"first": "100ms", "cap": "500ms"},
            "look_every": {"first": "100ms", "cap": "300ms"},
            "request_look_every": {"first": "500ms", "cap": "1s"},
            "automatic_per_day": 1000,
        }
    },
}
"""Laid over the demo's settings: short waits, so that a whole delivery takes a few seconds."""

ONE = ((30.0, 730.0),)
"""One encryption generation, a month old."""
THREE = ((1500.0, 730.0), (700.0, 1095.0), (30.0, 730.0))
"""Three, the oldest expired."""
UPLOAD = "uploadsmimecerts"
"""Part of the path of an upload, and of no other request."""


def route(**members: Any) -> dict[str, Any]:
    """A change of the only route's settings."""
    return {"routes": {"staff": members}}


class World(Stage):
    """A stage whose simulators run in this process, with a look into the journal's file.

    ``changes`` are laid over :data:`FAST`; ``uem`` are options of the simulated UEM. ``actors`` are
    all persons.
    """

    def __init__(
        self,
        folder: Path,
        changes: Mapping[str, Any] | None = None,
        uem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(folder, changed(FAST, changes or {}))
        self._uem_options = uem or {}
        self.actors: list[Actor] = []
        self._writer = MailWriter()

    @property
    def journal(self) -> JournalView:
        """The journal's file."""
        return JournalView(self.journal_folder / "journal.sqlite")

    @property
    def journal_folder(self) -> Path:
        """Where the journal is."""
        return self.written / "journal"

    async def upstreams(self) -> Addresses:
        """Both simulators, on sockets and with TLS as ever."""
        ca = await self._stack.enter_async_context(
            CaSimulator(CaOptions(directory=self.tls[0], key_pool=2))
        )
        uem = await self._stack.enter_async_context(UemSimulator(self._options()))
        return Addresses(
            ca=ca.api_url,
            ca_control=ca.control_url,
            uem=uem.api_url,
            uem_control=uem.control_url,
        )

    def _options(self) -> UemOptions:
        options = {
            "directory": self.tls[1],
            "password_file": self.secrets.api_password,
            "tenant_code_file": self.secrets.tenant_code,
            "retention": timedelta(seconds=2.5),
            "install_delay": timedelta(seconds=1.1),
        }
        return UemOptions.model_validate({**options, **self._uem_options})

    async def person(
        self,
        name: str,
        generations: tuple[tuple[float, float], ...] = ONE,
        *,
        mails: bool = True,
        **user: Any,
    ) -> Actor:
        """A person with certificates, a user in the UEM, and a mail to each certificate."""
        actor = await employ(self, name, generations, **user)
        if mails:
            await self.mails(actor)
        self.actors.append(actor)
        return actor

    async def mails(self, actor: Actor) -> None:
        """A mail to each of the person's certificates that has none yet."""
        await write_mails(self, actor, self._writer, self.aside)

    async def enrol(self, actor: Actor, **facts: Any) -> int:
        """Enrol a device of the person."""
        device = await self.uem.enrol(actor.user, **facts)
        actor.devices.append(device)
        return device

    async def sees(self, actor: Actor, what: str, fits: Fits) -> HolderState:
        """Wait until the journal's state of a holder fits."""

        async def look() -> HolderState | None:
            state = self.journal.holder(actor.holder)
            return state if state is not None and fits(state) else None

        try:
            return await until(f"{actor.name}: {what}", look)
        except TimeoutError as error:
            error.add_note(f"state: {self.journal.holder(actor.holder)!r}")
            raise

    async def completed(self, actor: Actor) -> HolderState:
        """Wait until the person's delivery is completed."""
        return await self.sees(actor, "completed", in_phase(Phase.COMPLETED))

    async def failed(self, actor: Actor, code: str) -> HolderState:
        """Wait until the delivery has failed with a code that the journal shows."""

        async def look() -> HolderState | None:
            shown = self.journal.phase(actor.holder) == (Phase.FAILED.value, code)
            return self.journal.holder(actor.holder) if shown else None

        try:
            return await until(f"{actor.name}: failed with {code}", look)
        except TimeoutError as error:
            error.add_note(f"state: {self.journal.holder(actor.holder)!r}")
            raise

    async def reads_all(self, actor: Actor) -> None:
        """Wait until each of the person's devices decrypts all of their mails."""

        async def look() -> bool:
            total = len(actor.mails)
            return all([await readable(self, actor, one) == total for one in actor.devices])

        try:
            await until(f"{actor.name}'s devices decrypt all their mails", look)
        except TimeoutError as error:
            error.add_note(f"state: {self.journal.holder(actor.holder)!r}")
            raise

    def family(self) -> list[int]:
        """The service, its forkserver and the hand-over processes of this moment."""
        return family_of(self.connector.pid)

    async def halted(self) -> int:
        """Wait until a process of the service has stopped at its crash point; which one."""

        async def look() -> int | None:
            return next((pid for pid in self.family() if stopped(pid)), None)

        return await until("a process stops at its crash point", look)

    async def cut(self, *, everything: bool) -> list[int]:
        """Kill all processes of the service at once, or only the service itself; who they were."""
        pids = self.family()
        if everything:
            kill_at_once(pids)
        await self.connector.kill()
        signal_all(pids[1:], signal.SIGCONT)
        return pids

    async def outlived(self, pids: Iterable[int]) -> None:
        """Wait until none of these processes is there any more."""

        async def gone() -> bool:
            return not any(alive(pid) for pid in pids)

        await until("nothing outlives the service", gone)

    async def back(self, changes: Mapping[str, Any] | None = None) -> None:
        """Start the service again without a crash point, its settings as at first but for these."""
        kept = {name: value for name, value in self._changes.items() if name != "testing"}
        self.connector.configure(changed(kept, changes or {}))
        await self.connector.start()
        await self.connector.ready()

    def alarms(self) -> list[dict[str, Any]]:
        """The log lines that say that an upstream is cut off."""
        lines = (self.written / "serve.log").read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines if '"upstream.changed"' in line]
        return [line for line in told if line["state"] == "open"]

    async def all_read(self) -> None:
        """Wait until all devices decrypt everything."""
        async with asyncio.TaskGroup() as group:
            for actor in self.actors:
                group.create_task(self.reads_all(actor))
