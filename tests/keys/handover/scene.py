"""A person with keys in escrow, written to a folder for the scripted plug-ins, and jobs for her."""

import asyncio
import datetime as dt
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from connector.core.handover import HandoverJob, PluginReference
from connector.core.model import (
    Generation,
    OpenRequest,
    PersonRecord,
    RequestState,
    Usage,
    set_digest,
)
from connector.core.selection import SelectionRules, SigningPolicy, select
from tests.patience import PATIENCE

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
ADDRESS = "ada@example.org"
RULES = SelectionRules(signing=SigningPolicy.REQUIRED)
RECORD = PersonRecord(person="ada", addresses=(ADDRESS,))


def milliseconds(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True)
class Person:
    """What was written to ``folder``."""

    folder: Path
    generations: tuple[Generation, ...]

    @classmethod
    def written(cls, folder: Path, current: bytes, archived: bytes) -> "Person":
        """Write listing, certificates and keys of a current and an expired generation."""
        generations = (
            _generation(folder, current, NOW - YEAR / 2, Usage.BOTH),
            _generation(folder, archived, NOW - 5 * YEAR, Usage.ENCRYPTION),
        )
        listing = [json.loads(one.model_dump_json()) for one in generations]
        (folder / "listing.json").write_text(json.dumps(listing))
        return cls(folder, generations)

    def job(
        self,
        *,
        escrow: dict[str, str] | None = None,
        target: dict[str, str] | None = None,
        hosts: Sequence[dict[str, Any]] = (),
        **changes: Any,
    ) -> HandoverJob:
        """A job that is right in everything, with what the plug-ins do, and changes.

        ``hosts``: what the escrow backend declares that it connects to.
        """
        chosen = select(
            self.generations,
            person=RECORD,
            address=ADDRESS,
            rules=RULES,
            now=milliseconds(NOW),
        )
        fields: dict[str, Any] = {
            "attempt": 1,
            "holder": "4711",
            "person": "ada",
            "route": "staff",
            "escrow": self._plugin("ca", escrow, hosts),
            "target": self._plugin("uem", target),
            "entries": chosen.entries,
            "requests": tuple(_granted(one) for one in self.generations),
            "digest": chosen.digest,
            "address": ADDRESS,
            "now": milliseconds(NOW),
            "rules": RULES,
            "limit": 10,
        }
        return HandoverJob(**{**fields, **changes})

    def single_use(self) -> None:
        """From now on the CA lists all keys as such that can be fetched only once."""
        file = self.folder / "listing.json"
        listed = json.loads(file.read_text())
        file.write_text(json.dumps([one | {"single_use": True} for one in listed]))

    def without_archived(self) -> dict[str, Any]:
        """Changes to a job that was approved before the archived generation was known."""
        entries = tuple(
            entry for entry in self.job().entries if entry.fingerprint == self.current.fingerprint
        )
        return {"entries": entries, "digest": set_digest(entries)}

    @property
    def current(self) -> Generation:
        return self.generations[0]

    @property
    def archived(self) -> Generation:
        return self.generations[1]

    def _plugin(
        self, name: str, acts: dict[str, str] | None, hosts: Sequence[dict[str, Any]] = ()
    ) -> PluginReference:
        settings: dict[str, Any] = {
            "folder": str(self.folder),
            "acts": acts or {},
            "hosts": list(hosts),
        }
        return PluginReference(plugin="scripted", name=name, settings=settings)


def _granted(generation: Generation) -> OpenRequest:
    return OpenRequest(
        id=f"request-{generation.fingerprint[:8]}",
        fingerprint=generation.fingerprint,
        state=RequestState.GRANTED,
    )


def _generation(folder: Path, pkcs8: bytes, start: dt.datetime, usage: Usage) -> Generation:
    key = load_der_private_key(pkcs8, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ada")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + YEAR)
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(Encoding.DER)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    fingerprint = hashlib.sha256(der).hexdigest()
    (folder / f"{fingerprint}.cer").write_bytes(der)
    (folder / f"{fingerprint}.key").write_bytes(pkcs8)
    return Generation(
        fingerprint=fingerprint,
        public_key=hashlib.sha256(spki).hexdigest(),
        usage=usage,
        issuer=name.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        not_before=milliseconds(start),
        not_after=milliseconds(start + YEAR),
        addresses=(ADDRESS,),
        key_size=key.key_size,
    )


class Reached:
    """Hears from stopped hand-over processes how far they got; used as ``async with``."""

    def __init__(self, person: Person) -> None:
        self._path = person.folder / "reached"

    async def __aenter__(self) -> Self:
        os.mkfifo(self._path)
        pipe = os.fdopen(os.open(self._path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
        loop = asyncio.get_running_loop()
        self._lines = asyncio.StreamReader()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._lines), pipe
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    async def next(self) -> tuple[str, int]:
        """The verb before which a process stopped, and its id."""
        verb, pid = (await self.line()).split()
        return verb, int(pid)

    async def line(self) -> str:
        """The next line that a process wrote."""
        async with asyncio.timeout(PATIENCE):
            return (await self._lines.readline()).decode()
