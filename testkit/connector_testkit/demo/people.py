"""Who plays in the demo: two people, their certificates, three devices, and mail from before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector.core.model import Usage
from connector_testkit.demo.mail import MailWriter
from connector_testkit.demo.stage import Stage
from connector_testkit.simulators.ca.commands import CertificateInfo, Issue, NewPerson
from connector_testkit.simulators.uem.control import ControlError


@dataclass(slots=True)
class Mail:
    """An encrypted mail, and what it says."""

    text: str
    message: bytes
    generation: str


@dataclass(slots=True)
class Actor:
    """A person with their user in the UEM, their devices and their mail."""

    name: str
    user: int = 0
    devices: list[int] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The person's mail address."""
        return f"{self.name}@example.com"

    @property
    def holder(self) -> str:
        """The holder's key in the connector."""
        return f"acme-uem/user/{self.user}"


GENERATIONS = {
    "alice": ((1500, 730), (700, 1095), (30, 730)),
    "bob": ((100, 730),),
}
"""Encryption certificates by (days since issuance, days of validity), oldest first."""


async def employ(
    stage: Stage,
    name: str,
    generations: Sequence[tuple[float, float]] | None = None,
    **user: Any,
) -> Actor:
    """Make a person at the CA, their certificates, and their user in the UEM.

    ``generations`` are as in :data:`GENERATIONS`, which is where they come from otherwise;
    ``user`` are more facts about the user, such as its ``id``.
    """
    actor = Actor(name)
    await stage.ca.put_person(NewPerson(person=name, name=name, addresses=(actor.address,)))
    for issued, valid in GENERATIONS[name] if generations is None else generations:
        await stage.ca.issue(
            Issue(person=name, issued_days_ago=issued, valid_days=valid, notify=False)
        )
    await stage.ca.issue(Issue(person=name, usage=Usage.SIGNING, issued_days_ago=30, notify=False))
    actor.user = await stage.uem.add_user(name, email=actor.address, **user)
    return actor


async def encryption_certificates(stage: Stage, actor: Actor) -> list[CertificateInfo]:
    """All encryption certificates of the person, oldest first."""
    listed = await stage.ca.certificates(actor.name)
    return [one for one in listed if one.usage is not Usage.SIGNING]


async def write_mails(stage: Stage, actor: Actor, writer: MailWriter, folder: Path) -> None:
    """Encrypt one mail to every certificate of the person that has none yet."""
    have = {mail.generation for mail in actor.mails}
    for number, one in enumerate(await encryption_certificates(stage, actor), start=1):
        if one.fingerprint in have:
            continue
        text = f"To {actor.name}, encrypted to generation {number}: the meeting is at noon.\n"
        message = writer.encrypt(text, one.certificate, folder)
        actor.mails.append(Mail(text, message, one.fingerprint))


async def readable(stage: Stage, actor: Actor, device: int) -> int:
    """How many of the person's mails a device decrypts to exactly their text."""
    opened = 0
    for mail in actor.mails:
        try:
            answer = await stage.uem.decrypt(device, mail.message)
        except ControlError:
            continue
        opened += answer["plaintext"].replace("\r\n", "\n") == mail.text
    return opened
