"""Escrow backend ``http``: our own small contract, for a company's home-grown escrow.

Protocol: ``schemas/escrow-http.openapi.yaml``. Every answer must be about exactly what was asked;
:mod:`~connector.integrations.http_escrow.wire` checks what it says against the certificates.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, NamedTuple, Self, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError, model_validator

from connector.core.errors import ConnectorError, Permanent, Transient
from connector.core.key_material import KeyMaterial
from connector.core.model import OpenRequest, RequestState, Sha256Hex
from connector.core.ports import EscrowCapabilities, EscrowListing, Recovery, RequestPermits
from connector.core.reach import Reach
from connector.core.upstream import UpstreamSettings
from connector.decoding import media_type
from connector.integrations.http_escrow.wire import (
    WireListing,
    WireRequest,
    WireRequests,
    listing,
    open_requests,
    parse,
    same,
)
from connector.upstream import CA, Answer, Kind, Upstream

JSON, PKCS12 = "application/json", "application/pkcs12"
ASKING_JSON: Mapping[str, str] = {"Accept": JSON}
SENDING_JSON: Mapping[str, str] = {"Accept": JSON, "Content-Type": JSON}
FETCHING: Mapping[str, str] = {"Accept": PKCS12, "Content-Type": JSON}
FIRST_FAILURE = 400
NOBODYS_REQUEST = "00000000-0000-4000-8000-000000000000"
JUDGED = frozenset({400, 401, 403, 404, 409})
JUDGED_PROBE = JUDGED - {401, 403}
"""What refuses a request about no person refuses all."""
Model = TypeVar("Model", bound=BaseModel)


class Meaning(NamedTuple):
    """What a problem code of the contract means to us; all of them concern one subject."""

    family: type[ConnectorError]
    code: str
    detail: str


PROBLEMS: dict[str, Meaning] = {
    "invalid_request": Meaning(Permanent, "CA-400", "the CA rejects our request as invalid"),
    "person_not_allowed": Meaning(
        Permanent, "CA-403", "the CA denies access to this person's keys"
    ),
    "person_unknown": Meaning(Permanent, "CA-404", "the CA does not know the person"),
    "generation_unknown": Meaning(Permanent, "CA-413", "the person has no such certificate"),
    "generation_revoked": Meaning(Permanent, "CA-413", "the signing certificate is revoked"),
    "not_recoverable": Meaning(Permanent, "CA-413", "the key is not recoverable"),
    "request_conflict": Meaning(Permanent, "CA-414", "the id belongs to another request"),
    "request_unknown": Meaning(Transient, "CA-409", "the CA no longer knows the request"),
    "request_not_granted": Meaning(Transient, "CA-409", "the request is not granted"),
    "request_already_fetched": Meaning(Transient, "CA-409", "the key was fetched before"),
}
"""Their codes besides :data:`WE_ARE_REFUSED`; the rest say no more than their status does."""
WE_ARE_REFUSED = "client_not_allowed"
"""The one code of a 403 that is not about a person."""


class Problem(BaseModel):
    """The one member of a problem document that decides anything (RFC 9457)."""

    code: str = ""


class HttpEscrowSettings(UpstreamSettings):
    """The address of the escrow, and the client certificate that identifies the connector."""

    requester: str = Field(
        default="pki-connector",
        min_length=1,
        max_length=128,
        description="Name of this installation in recovery requests.",
    )

    @model_validator(mode="after")
    def _has_a_client_certificate(self) -> Self:
        pair = (self.client_certificate_file, self.client_key_file)
        if self.address.startswith("https://") and None in pair:
            raise ValueError(
                "client_certificate_file and client_key_file are needed: the contract is mutual TLS"
            )
        return self


class HttpEscrow:
    """One client of the contract; see :class:`connector.core.ports.EscrowBackend`.

    The TLS files of ``settings`` are read each time it is opened.
    """

    name: ClassVar[str] = "http"
    settings_model: ClassVar[type[BaseModel]] = HttpEscrowSettings
    capabilities: ClassVar[EscrowCapabilities] = EscrowCapabilities(requests=True)

    def __init__(
        self, name: str, settings: HttpEscrowSettings, permits: RequestPermits | None = None
    ) -> None:
        self._requester = settings.requester
        self._reach = settings.reach()
        self._upstream = Upstream(name, settings, CA, permits, probe=self.probe)

    def reach(self) -> Reach:
        """The escrow, and the TLS files."""
        return self._reach

    async def __aenter__(self) -> Self:
        """Read the TLS files, open the connection pool.

        Raises:
            Permanent: ``CFG-003`` when a file is unusable.
        """
        await self._upstream.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection pool; closing twice is harmless."""
        await self._upstream.__aexit__()

    async def probe(self) -> None:
        """Asks for a request that does not exist; that there is none is the answer."""
        path = ("v1", "requests", NOBODYS_REQUEST)
        answer = await self._upstream.look(
            path, headers=ASKING_JSON, judged=JUDGED_PROBE, of_all=True
        )
        if answer.status >= FIRST_FAILURE and _problem_code(answer) != "request_unknown":
            raise await self._refusal(answer)

    async def list(self, person: str) -> EscrowListing:
        """All generations of ``person``, checked against their certificates.

        Raises:
            Permanent: ``CA-404`` unknown person, ``CA-008`` contradictions, ``CA-412`` another's.
        """
        answer = await self._look("persons", person, "generations")
        return listing(await self._read(WireListing, answer), person)

    async def find_open(self, person: str) -> tuple[OpenRequest, ...]:
        """This client's requests for ``person`` that have not ended."""
        answer = await self._look("persons", person, "requests")
        return open_requests(await self._read(WireRequests, answer), person)

    async def begin(self, recovery: Recovery) -> RequestState:
        """Ask for one generation; the same id never asks twice.

        Raises:
            Permanent: ``CA-413`` not handed out, ``CA-414`` id in use for another generation.
        """
        body = {
            "person": recovery.person,
            "fingerprint": recovery.fingerprint,
            "reason": recovery.reason,
            "requester": self._requester,
        }
        answer = await self._upstream.request(
            "PUT",
            ("v1", "requests", recovery.id),
            headers=SENDING_JSON,
            body=orjson.dumps(body),
            judged=JUDGED,
        )
        wire = await self._read(WireRequest, answer)
        same(wire.request_id, recovery.id)
        same(wire.person, recovery.person)
        same(wire.fingerprint, recovery.fingerprint)
        return RequestState(wire.state)

    async def look(self, request_id: str) -> RequestState:
        """How a request stands; ``GONE`` when the CA does not know it."""
        answer = await self._look("requests", request_id)
        if _problem_code(answer) == "request_unknown":
            return RequestState.GONE
        wire = await self._read(WireRequest, answer)
        same(wire.request_id, request_id)
        return RequestState(wire.state)

    async def fetch(
        self, request_id: str, fingerprint: Sha256Hex, password: KeyMaterial
    ) -> KeyMaterial:
        """The PKCS#12 of a granted request under ``password``. Never repeated here.

        The CA refuses when the request is for another generation; the code that opens the bundle
        checks that it is the right one.

        Raises:
            Transient: ``CA-409`` when it is not granted (any more).
            Permanent: ``CA-414`` when the request is for another generation.
        """
        # Any byte decodes as Latin-1: no exception can come to hold the password.
        body = {"fingerprint": fingerprint, "password": password.reveal().decode("latin-1")}
        answer = await self._upstream.request(
            "POST",
            ("v1", "requests", request_id, "fetch"),
            headers=FETCHING,
            body=orjson.dumps(body),
            judged=JUDGED,
        )
        await self._expect(PKCS12, answer)
        material = KeyMaterial(answer.body)
        answer.body[:] = bytes(len(answer.body))
        return material

    async def clean_up(self, request_id: str) -> None:
        """End a request; one that is not known (any more) is ended already."""
        answer = await self._upstream.request(
            "DELETE", ("v1", "requests", request_id), headers=ASKING_JSON, judged=JUDGED
        )
        if answer.status >= FIRST_FAILURE and _problem_code(answer) != "request_unknown":
            raise await self._refusal(answer)

    async def _look(self, *path: str) -> Answer:
        return await self._upstream.look(("v1", *path), headers=ASKING_JSON, judged=JUDGED)

    async def _read(self, model: type[Model], answer: Answer) -> Model:
        """Parse a successful answer as ``model``."""
        await self._expect(JSON, answer)
        charset = media_type(answer.headers.get("Content-Type", "")).charset
        return parse(model, answer.body, charset)

    async def _expect(self, content_type: str, answer: Answer) -> None:
        """Refuse a failure, and a success of another media type."""
        if answer.status >= FIRST_FAILURE:
            raise await self._refusal(answer)
        if answer.content_type != content_type:
            raise self._upstream.fault(
                Kind.NONSENSE, f"reading an answer that is not {content_type}"
            )

    async def _refusal(self, answer: Answer) -> ConnectorError:
        code = _problem_code(answer)
        if answer.status == HTTPStatus.FORBIDDEN and code == WE_ARE_REFUSED:
            return self._upstream.status_fault(answer.status, answer.headers, Kind.REFUSED)
        meaning = PROBLEMS.get(code)
        if meaning is None:
            return await self._upstream.failure(answer.status, answer.headers, answer.url)
        return meaning.family(meaning.code, f"asking the CA: {meaning.detail}")


def _problem_code(answer: Answer) -> str:
    """The stable code of a problem document; empty for a success and for anything else."""
    if answer.status < FIRST_FAILURE:
        return ""
    try:
        return Problem.model_validate_json(answer.body).code
    except ValidationError:
        return ""
