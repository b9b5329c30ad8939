"""Acme's CA as an escrow backend: certificates, recovery requests, keys."""

import hashlib
import json
from typing import ClassVar, TypeVar

from pydantic import Base64Bytes, BaseModel

from acme_connector.interface import AcmePlugin, Wire
from connector.certificates.listing import generation
from connector.core.addresses import canonical_address
from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.key_material import KeyMaterial
from connector.core.model import (
    Millis,
    OpenRequest,
    PersonRecord,
    RequestState,
    Sha256Hex,
    Usage,
)
from connector.core.ports import (
    EscrowCapabilities,
    EscrowedCertificate,
    EscrowListing,
    Recovery,
)
from connector.upstream import CA, Answer, Kind

Model = TypeVar("Model", bound=BaseModel)
PKCS12 = "application/pkcs12"

REFUSALS: dict[str, tuple[type[ConnectorError], str]] = {
    "unknown_person": (Permanent, "CA-404"),
    "unknown_certificate": (Permanent, "CA-413"),
    "other_certificate": (Permanent, "CA-414"),
    "unknown_request": (Transient, "CA-409"),
    "not_granted": (Transient, "CA-409"),
}
"""What Acme's words mean: the family says who has to act next, the code explains it to people."""


class Escrowed(Wire):
    """One certificate, with those of its issuers."""

    certificate: Base64Bytes
    chain: tuple[Base64Bytes, ...]
    usage: Usage
    revoked_at: Millis | None = None


class Person(Wire):
    """A person with all certificates, of any age."""

    person: str
    mails: tuple[str, ...]
    certificates: tuple[Escrowed, ...]


class Request(Wire):
    """A recovery request."""

    id: str
    person: str
    fingerprint: Sha256Hex
    state: RequestState


class Requests(Wire):
    """The requests of a person that have not ended."""

    requests: tuple[Request, ...]


class AcmeCa(AcmePlugin):
    """One Acme system; see :class:`connector.core.ports.EscrowBackend`."""

    capabilities: ClassVar[EscrowCapabilities] = EscrowCapabilities()
    area, codes, foreign = "ca", CA, "CA-002"

    async def list(self, person: str) -> EscrowListing:
        """All generations, expired and revoked ones too."""
        found = self._taken(Person, await self._look("persons", person))
        _same(found.person, person)
        addresses = tuple(map(canonical_address, found.mails))
        return EscrowListing(
            person=PersonRecord(person=person, addresses=addresses),
            certificates=tuple(map(_listed, found.certificates)),
        )

    async def find_open(self, person: str) -> tuple[OpenRequest, ...]:
        """The requests that have not ended."""
        answer = await self._look("persons", person, "requests")
        found = self._taken(Requests, answer).requests
        for one in found:
            _same(one.person, person)
        return tuple(
            OpenRequest(id=one.id, fingerprint=one.fingerprint, state=one.state) for one in found
        )

    async def begin(self, recovery: Recovery) -> RequestState:
        """Put a request under *our* id: sent twice, it is the same request."""
        asked = {"person": recovery.person, "fingerprint": recovery.fingerprint}
        body = json.dumps({**asked, "reason": recovery.reason}).encode()
        answer = await self._act("PUT", "requests", recovery.id, body=body)
        found = self._taken(Request, answer)
        _same(found.id, recovery.id)
        _same(found.person, recovery.person)
        _same(found.fingerprint, recovery.fingerprint)
        return found.state

    async def look(self, request_id: str) -> RequestState:
        """How a request stands; gone only in Acme's own words."""
        answer = await self._look("requests", request_id)
        if self._word(answer) == "unknown_request":
            return RequestState.GONE
        found = self._taken(Request, answer)
        _same(found.id, request_id)
        return found.state

    async def fetch(
        self, request_id: str, fingerprint: Sha256Hex, password: KeyMaterial
    ) -> KeyMaterial:
        """The key under ``password``, which travels in the body, never in the address.

        Whether it is the right key is proven by the hand-over, which opens the bundle.
        """
        path = ("requests", request_id, "key", fingerprint)
        answer = await self._act("POST", *path, body=password.reveal())
        if word := self._word(answer):
            raise _refused(word)
        if answer.content_type != PKCS12:
            raise self._http.fault(Kind.NONSENSE, "fetching a key: no PKCS#12")
        material = KeyMaterial(answer.body)
        answer.body[:] = bytes(len(answer.body))  # that was a copy: overwrite the first one
        return material

    async def clean_up(self, request_id: str) -> None:
        """End a request; one that is not known any more has ended already."""
        word = self._word(await self._act("DELETE", "requests", request_id))
        if word not in {"", "unknown_request"}:
            raise _refused(word)

    def _taken(self, model: type[Model], answer: Answer) -> Model:
        """A success as ``model``; a refusal is raised as what it means."""
        if word := self._word(answer):
            raise _refused(word)
        return self._read(model, answer)


def _refused(word: str) -> ConnectorError:
    """The error for a refusal. Its text is ours: what came in may name people."""
    family, code = REFUSALS.get(word, (Permanent, "CA-400"))
    return family(code, "asking Acme's CA: refused")


def _same(answered: str, asked: str) -> None:
    """Refuse an answer about something else than what was asked."""
    if answered != asked:
        raise Permanent("CA-412", "asking Acme's CA: the answer is about something else")


def _listed(one: Escrowed) -> EscrowedCertificate:
    """``generation`` reads a certificate of any age, also one that cannot be sent."""
    fingerprint = hashlib.sha256(one.certificate).hexdigest()
    facts = {"revoked_at": one.revoked_at}
    return EscrowedCertificate(
        generation=generation(one.certificate, fingerprint, one.usage, facts),
        certificate=one.certificate,
        chain=one.chain,
    )
