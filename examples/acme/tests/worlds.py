"""Acme as the suites want it: filled, disturbed, and looked at from the outside."""

from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Literal

import aiohttp

from acme_connector.escrow import AcmeCa
from acme_connector.feed import AcmeFeed
from acme_connector.interface import AcmeSettings
from acme_connector.source import AcmeSource
from acme_connector.target import AcmeMdm
from connector.core.feed import FeedSender, FeedSettings
from connector.core.handover import PluginReference
from connector.core.model import Usage
from connector.core.secret import Credential
from connector.core.source import Sender, Source
from connector_testkit.conformance.source import Posted
from connector_testkit.conformance.target_world import Pair, Trouble
from toy import PROFILE, Toy
from toy_server import ToyServer

TOKEN = "marker-token-of-acme"


class World:
    """One Acme system, its server, and how to log in there."""

    def __init__(self, acme: Toy, server: ToyServer, folder: Path) -> None:
        """Write the token file, and a wrong one."""
        self.acme = acme
        self.server = server
        self._folder = folder
        for name, token in (("right", TOKEN), ("wrong", "another-token")):
            (folder / name).write_text(token, encoding="utf-8")

    def settings(self, patience: float = 10, token: str = "right") -> AcmeSettings:
        """Settings as an operator writes them."""
        values = {"address": self.server.url, "token_file": self._folder / token}
        return AcmeSettings.model_validate({**values, "timeout": patience, "throttle_wait": 5})

    async def go_away(self) -> None:
        """Stop listening."""
        await self.server.__aexit__()

    async def recover(self) -> None:
        """Behave again."""
        self.server.disturb(None)


class MdmWorld(World):
    """See :class:`connector_testkit.conformance.target_world.TargetWorld`."""

    profiles: dict[str, str] = {"*": PROFILE}  # noqa: RUF012 - as the protocol has it
    secrets = (TOKEN,)

    def __init__(self, acme: Toy, server: ToyServer, folder: Path) -> None:
        """Start without users."""
        super().__init__(acme, server, folder)
        self._numbers = count(1)

    def target(self, patience: float = 10) -> AcmeMdm:
        return AcmeMdm("main", self.settings(patience))

    def reference(self, patience: float = 10) -> PluginReference:
        settings = self.settings(patience).model_dump(mode="json")
        return PluginReference(plugin="acme", name="main", settings=settings)

    def stranger(self) -> AcmeMdm:
        return AcmeMdm("main", self.settings(token="wrong"))

    async def add_holder(self) -> str:
        user = f"u{next(self._numbers)}"
        self.acme.add_user(user, f"mara{user}")
        return user

    async def add_device(self, holder: str) -> str:
        device = f"d{next(self._numbers)}"
        self.acme.add_device(device, holder)
        return device

    async def remove_device(self, device: str) -> None:
        self.acme.devices[device]["enrolled"] = False

    async def give_device(self, device: str, holder: str) -> None:
        self.acme.devices[device]["user"] = holder

    async def taken(self, holder: str) -> list[frozenset[Pair]]:
        return [pairs for user, pairs in self.acme.taken if user == holder]

    async def installed(self, device: str, fingerprint: str) -> None:
        """Acme's devices need no time for it."""
        assert fingerprint in self.acme.devices[device]["certificates"]

    async def later(self) -> None:
        self.acme.ahead += 2

    async def disturb(self, trouble: Trouble) -> None:
        self.server.disturb(trouble)

    async def forget(self, holder: str) -> None:
        self.acme.copies.pop(holder)


class CaWorld(World):
    """See :class:`connector_testkit.conformance.escrow_world.EscrowWorld`."""

    person = "mara"

    def __init__(self, acme: Toy, server: ToyServer, folder: Path) -> None:
        """One person with an old and a new certificate."""
        super().__init__(acme, server, folder)
        issued = [acme.issue(self.person, Usage.ENCRYPTION, days) for days in (800, 30)]
        self.fingerprints = [one.fingerprint for one in issued]
        self.secrets = (TOKEN,)

    def backend(self) -> AcmeCa:
        return AcmeCa("main", self.settings())

    def stranger(self) -> AcmeCa:
        return AcmeCa("main", self.settings(token="wrong"))

    async def ask_people(self) -> None:
        self.acme.people_decide = True

    async def decide(self, request_id: str, *, grant: bool) -> None:
        self.acme.requests[request_id]["state"] = "granted" if grant else "denied"

    async def stall(self) -> None:
        self.server.disturb(Trouble.STALLS)

    async def stalled(self) -> None:
        await self.server.stalled.wait()


class FeedOfMdm(World):
    """See :class:`connector_testkit.conformance.feed.FeedWorld`."""

    name = "main"
    source = AcmeSource.capabilities
    secrets = (TOKEN,)
    kind: ClassVar[Literal["uem", "ca"]] = "uem"
    part, news = "mdm", "device.enrolled"

    def __init__(self, acme: Toy, server: ToyServer, folder: Path) -> None:
        """Start with empty feeds."""
        super().__init__(acme, server, folder)
        self._numbers = count(1)

    def feed(self, patience: float = 10) -> AcmeFeed:
        return self._made(self.settings(patience))

    def stranger(self) -> AcmeFeed:
        return self._made(self.settings(token="wrong"))

    def _made(self, settings: AcmeSettings) -> AcmeFeed:
        return AcmeFeed(FeedSender(self.kind, self.name, settings, FeedSettings()))

    async def happen(self) -> None:
        self.acme.tell(self.part, self.news, f"about-{next(self._numbers)}")

    async def chatter(self) -> None:
        self.acme.tell(self.part, "device.renamed", "about-1")

    async def disturb(self, trouble: Trouble) -> None:
        self.server.disturb(trouble)


class FeedOfCa(FeedOfMdm):
    """The CA's feed has events about certificates."""

    kind: ClassVar[Literal["uem", "ca"]] = "ca"
    part, news = "ca", "certificates.changed"


class Hooks:
    """See :class:`connector_testkit.conformance.source.SourceStage`."""

    source: ClassVar[type[Source]] = AcmeSource
    settings: ClassVar[dict[str, Any]] = {
        "credentials": [{"user": "acme", "password_file": name} for name in ("0", "1")]
    }

    def password(self, sender: str, secret: int | str) -> str:
        """Each sender has two."""
        return f"marker-{sender}-{secret}"

    def sender(self, name: str) -> Sender:
        settings = AcmeSource.settings_model.model_validate(self.settings)
        return Sender(name, settings, lambda path: Credential(self.password(name, path.name)))

    def post(self, sender: str, body: bytes, *, secret: int = 0) -> Posted:
        proof = aiohttp.encode_basic_auth("acme", self.password(sender, secret), "utf-8")
        return Posted({"Content-Type": "application/json", "Authorization": proof}, body)

    def news(self, number: int) -> bytes:
        return b'{"event": "device.enrolled", "about": "d%d", "at": 4000000000000}' % number

    def chatter(self) -> bytes:
        return b'{"event": "device.renamed", "about": "d1", "at": 1}'

    def secrets(self) -> tuple[str, ...]:
        return ("marker-first", "marker-second")
