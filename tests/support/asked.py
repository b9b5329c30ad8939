"""Questions to a running service, in the words of tests."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from connector.core.audit import AuditRecord
from connector.core.journal import StatusFilter
from connector.operators.client import AdminClient
from connector.operators.verbs.acts import Act, Receipt
from connector.operators.verbs.audit import (
    AUDIT,
    CUT,
    VERIFY,
    AuditQuery,
    AuditReport,
    CutTrail,
    Published,
    VerifyQuery,
)
from connector.operators.verbs.dead_letters import (
    LETTER,
    LETTERS,
    LetterDetail,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    PlaceQuery,
    SettleLetters,
)
from connector.operators.verbs.status import (
    OVERVIEW,
    SUBJECT,
    SUBJECTS,
    VERSION,
    Kind,
    ListQuery,
    Overview,
    SubjectDetail,
    SubjectPage,
    SubjectQuery,
)
from connector.operators.verbs.table import VERBS
from connector.operators.verbs.verb import Nothing, Verb

A = TypeVar("A", bound=BaseModel)


async def overview(client: AdminClient) -> Overview:
    return await client.ask(OVERVIEW, Nothing())


async def version(client: AdminClient) -> str:
    return (await client.ask(VERSION, Nothing())).version


async def listing(client: AdminClient, query: StatusFilter) -> SubjectPage:
    return await client.ask(SUBJECTS, ListQuery.model_validate(query.model_dump()))


async def detail(client: AdminClient, kind: Kind, name: str) -> SubjectDetail:
    return await client.ask(SUBJECT, SubjectQuery(kind=kind, name=name))


async def act(client: AdminClient, wanted: Act, key: str = "") -> Receipt:
    return await client.ask(_verb_of(wanted, Receipt), wanted, key)


async def settle(client: AdminClient, wanted: SettleLetters, key: str = "") -> LetterReceipt:
    return await client.ask(_verb_of(wanted, LetterReceipt), wanted, key)


async def letters(client: AdminClient, query: LetterQuery) -> LetterPage:
    return await client.ask(LETTERS, query)


async def letter(client: AdminClient, place: str) -> LetterDetail:
    return await client.ask(LETTER, PlaceQuery(place=place))


async def verify(client: AdminClient, published: Sequence[Published] = ()) -> AuditReport:
    return await client.ask(VERIFY, VerifyQuery(published=tuple(published)))


async def cut(client: AdminClient, wanted: CutTrail) -> Receipt:
    return await client.ask(CUT, wanted)


def audit(
    client: AdminClient, partition: int | None = None, after: int = 0
) -> AsyncIterator[AuditRecord]:
    return client.stream(AUDIT, AuditQuery(partition=partition, after=after))


def _verb_of(wanted: object, gives: type[A]) -> Verb[Any, A]:
    (verb,) = [one for one in VERBS if one.takes is type(wanted)]
    assert isinstance(verb, Verb)
    assert verb.gives is gives
    return verb
