"""The story of the demo. Every line with a tick was looked at from the outside.

What counts is what the simulated UEM and its devices hold and did, never what the connector says.
"""

import asyncio
import signal
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from rich.console import Console

from connector_testkit.demo.kafka_program import BrokerUnavailable
from connector_testkit.demo.mail import MailWriter
from connector_testkit.demo.narrator import CheckFailedError, Narrator
from connector_testkit.demo.people import (
    Actor,
    employ,
    encryption_certificates,
    readable,
    write_mails,
)
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import ASK, POLL, patience, until
from connector_testkit.demo.secret_scan import Searcher
from connector_testkit.demo.signals import SIGNALLED, unless_signalled
from connector_testkit.demo.stage import Stage
from connector_testkit.simulators.ca.commands import Operation


async def run(console: Console, kind: type[Stage] = Stage) -> int:
    """Play the demo on a stage of this kind, in a temporary folder.

    Returns:
        0 when everything that was checked held, 1 otherwise; 128 and the signal's number when it
        was ended by one.
    """
    narrator = Narrator(console)
    code = await unless_signalled(_played(narrator, kind))
    if code > SIGNALLED:
        with suppress(OSError):  # the terminal may be gone
            name = signal.Signals(code - SIGNALLED).name
            narrator.say(f"  ✘ Ended by {name}; the demo's processes and files were removed.")
    return code


async def _played(narrator: Narrator, kind: type[Stage]) -> int:
    with tempfile.TemporaryDirectory(prefix="pki-connector-demo-") as folder:
        try:
            await Script(kind(Path(folder)), narrator).play()
        except BrokerUnavailable as error:
            narrator.say(f"  ✘ No Kafka broker: {error}. `make demo` does not need one.")
            return 1
        except (CheckFailedError, OSError, RuntimeError) as error:
            narrator.say(f"  ✘ FAILED: {str(error) or 'timed out'}")
            _tail(Path(folder), narrator)
            return 1
    narrator.say(f"Done: {narrator.checked} checks passed.")
    return 0


def _tail(folder: Path, narrator: Narrator) -> None:
    for log in sorted((folder / "connector").rglob("serve.log")):
        narrator.say(f"    {log.relative_to(folder)} ends with")
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]:
            narrator.say(f"    {line}")


class Script:
    """The acts of the demo, one after the other."""

    def __init__(self, stage: Stage, narrator: Narrator) -> None:
        self._stage = stage
        self._tell = narrator
        self._writer = MailWriter()

    async def play(self) -> None:
        """All of it.

        Raises:
            CheckFailedError: something was not as it should be.
            TimeoutError: something that should happen did not.
        """
        self._tell.say(self._stage.opening)
        async with self._stage as stage:
            status = await stage.uem.test_webhook()
            self._tell.check(
                "the UEM's test connection reaches the connector", status == HTTPStatus.OK
            )
            await self._before()
            await self._first_device()
            await self._killed_on_the_way()
            await self._purged()
            await self._renewed()
            await self._left()
            await self._shown()
            await self._nothing_leaked()

    async def _until(
        self, what: str, holds: Callable[[], Awaitable[bool]], every: float = POLL
    ) -> None:
        """Wait for something seen from the outside, then tick it off."""
        try:
            await until(what, holds, every=every)
        except TimeoutError as error:
            raise CheckFailedError(str(error)) from None
        self._tell.check(what, holds=True)

    async def _before(self) -> None:
        """Two people have certificates, and mail that no phone can decrypt yet."""
        stage = self._stage
        self._alice, self._bob = await employ(stage, "alice"), await employ(stage, "bob")
        self._actors = (self._alice, self._bob)
        for actor in self._actors:
            await write_mails(stage, actor, self._writer, stage.aside)
        self._tell.say(
            "alice has three generations of encryption keys (one expired), bob one;"
            f" {len(self._alice.mails) + len(self._bob.mails)} messages encrypted by"
            f" {self._writer.tool}"
        )

    async def _enrol(self, actor: Actor, name: str) -> int:
        device = await self._stage.uem.enrol(actor.user, name=name)
        actor.devices.append(device)
        self._tell.say(f"{name} (device {device}) enrols; the UEM posts its webhook")
        return device

    async def _reads_all(self, actor: Actor, device: int) -> None:
        total = len(actor.mails)

        async def holds() -> bool:
            return await readable(self._stage, actor, device) == total

        await self._until(
            f"device {device} decrypts {total} of {total} messages of {actor.name}", holds
        )

    async def _first_device(self) -> None:
        device = await self._enrol(self._bob, "bob's phone")
        await self._reads_all(self._bob, device)

    async def _killed_on_the_way(self) -> None:
        """While alice's keys are on their way, a connector is killed as by a power failure."""
        stage, alice = self._stage, self._alice
        fetched = sum(one.operation is Operation.FETCH for one in await stage.ca.ledger())
        uploads = len(await stage.uem.ledger("upload"))
        phone = await self._enrol(alice, "alice's phone")
        tablet = await self._enrol(alice, "alice's tablet")
        async with asyncio.timeout(patience()):
            await stage.ca.wait_for(Operation.FETCH, fetched + 1)
        killed = stage.busy()
        await killed.kill()
        sent = len(await stage.uem.ledger("upload")) - uploads
        self._tell.say(
            f"kill -9 of {killed.name} while alice's first key leaves escrow"
            f" ({sent} uploads so far)"
        )
        self._tell.say(await stage.recover(killed))
        for device in (phone, tablet):
            await self._reads_all(alice, device)
        if not killed.running:
            await stage.rejoin(killed)
            self._tell.say(f"{killed.name} is restarted, and the UEM posts to it")

    async def _purged(self) -> None:
        """The retention passes; the copies are gone, and the connector names its evidence."""
        uem = self._stage.uem

        async def no_copy() -> bool:
            return not await uem.copies()

        await self._until("the UEM's ledger shows no copy of any key", no_copy)
        for actor in self._actors:
            await self._concluded(actor)

    async def _concluded(self, actor: Actor) -> None:
        async def holds() -> bool:
            return bool((await self._holder(actor))["copy"]["state"] == "gone")

        await self._until(f"the connector reports {actor.name}'s copy as gone", holds, ASK)
        evidence = (await self._holder(actor))["copy"]["evidence"]
        self._tell.say(f"    evidence: {evidence}")

    async def _holder(self, actor: Actor) -> dict[str, Any]:
        """What the connector says of a holder."""
        return dict(await self._stage.connector.ask("status", "holder", actor.holder))

    async def _renewed(self) -> None:
        """The CA renews alice's certificate: everything goes out once more, old keys included."""
        stage, alice = self._stage, self._alice
        last = max((entry["seq"] for entry in await stage.uem.ledger()), default=0)
        renewed = await stage.ca.renew("alice")
        await write_mails(stage, alice, self._writer, stage.aside)
        self._tell.say(
            "the CA renews alice's certificate and posts its webhook; a new message is encrypted"
        )
        upload = await stage.uem.wait_for(
            "upload", lambda entry: entry["user"] == alice.user, since=last, within=patience()
        )
        wanted = {one.fingerprint for one in await encryption_certificates(stage, alice)}
        self._tell.check(
            f"the upload contains all {len(wanted)} encryption generations",
            wanted <= set(_fingerprints(upload)) and renewed.fingerprint in wanted,
        )
        for device in alice.devices:
            await stage.uem.wait_for(
                "install", partial(_concerns, device), since=last, within=patience()
            )
            self._tell.check(f"the profile was pushed to device {device} again", holds=True)
            await self._reads_all(alice, device)

    async def _left(self) -> None:
        stage, bob = self._stage, self._bob
        device = bob.devices[0]
        await stage.uem.unenrol(device)
        self._tell.say(f"device {device} of bob unenrols")

        async def holds() -> bool:
            return not (await self._holder(bob))["devices"]

        await self._until("the connector shows no device of bob", holds, ASK)
        self._tell.check(
            "the device no longer has the keys", await readable(stage, bob, device) == 0
        )
        await self._concluded(self._alice)
        for actor, devices in ((bob, 0), (self._alice, len(self._alice.devices))):
            self._tell.check(
                f"status shows {devices} of {devices} devices of {actor.name} with the newest set",
                await self._counted(actor) == (devices, devices),
            )

    async def _counted(self, actor: Actor) -> tuple[int, int]:
        """How many devices ``status`` counts for a user: with the newest set, and in all."""
        listed = (await self._stage.connector.ask("status", "holder"))["items"]
        line = next(line for line in listed if line["key"] == actor.holder)
        return line["installed"], line["devices"]

    async def _shown(self) -> None:
        console = self._tell.console
        columns = console.width if console.is_terminal else None
        for command in (("status", "holder"), ("status", "holder", self._alice.holder)):
            code, table = await self._stage.connector.tell(*command, columns=columns)
            self._tell.console.print(table, markup=False, highlight=False, soft_wrap=True)
            self._tell.check(f"`pki-connector {' '.join(command)}` succeeds", code == 0)
        await self._said_alike()
        code, _ = await self._stage.connector.tell("audit", "verify")
        self._tell.check("`pki-connector audit verify` finds the audit log intact", code == 0)

    async def _said_alike(self) -> None:
        """Every connector of the cluster reports the same state of each holder."""
        for pod in self._stage.pods[1:]:

            async def holds(pod: Pod = pod) -> bool:
                said = [await one.ask("status", "holder") for one in (self._stage.connector, pod)]
                return bool(said[0]["items"] == said[1]["items"])

            await self._until(f"{pod.name} shows the same state of all users", holds, ASK)

    async def _nothing_leaked(self) -> None:
        """Every key and password that travelled is looked for wherever it could have been left."""
        stage = self._stage
        searcher = Searcher(await stage.planted())
        found = [await asyncio.to_thread(searcher.in_process, pid) for pid in stage.processes()]
        self._tell.check(
            f"{searcher.count} planted secrets: 0 hits in {stage.whose} memory, environment and"
            " arguments",
            not any(found),
        )
        for pod in stage.pods:
            self._tell.check(f"{pod.name} exits with code 0 on SIGTERM", await pod.stop() == 0)
        for where, folder in stage.places().items():
            in_files = await asyncio.to_thread(searcher.in_files, folder)
            self._tell.check(f"0 hits in every {where}", not in_files)


def _concerns(device: int, entry: dict[str, Any]) -> bool:
    return bool(entry["device"] == device)


def _fingerprints(entry: object) -> list[str]:
    """All certificate fingerprints in a ledger entry, wherever they stand."""
    match entry:
        case dict():
            return [found for value in entry.values() for found in _fingerprints(value)]
        case list():
            return [found for value in entry for found in _fingerprints(value)]
        case str() if len(entry) == 64:  # noqa: PLR2004 - SHA-256 in hexadecimal
            return [entry]
        case _:
            return []
