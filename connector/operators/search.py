"""Find the one subject that an operator means."""

from collections.abc import AsyncIterator, Iterable

from connector.core.errors import Rejected
from connector.core.journal import Journal, StatusFilter
from connector.core.model import SubjectKey, SubjectKind, parse_subject, subject_key
from connector.core.rows import UnreadableState
from connector.core.states import DeviceState, HolderState
from connector.operators.verbs.status import Kind
from connector.operators.views import State

PAGE = 500
MOST_KEYS = 5
"""Maximum number of matching keys that a refusal lists."""
KINDS: dict[Kind, SubjectKind] = {
    "holder": SubjectKind.HOLDER,
    "device": SubjectKind.DEVICE,
    "person": SubjectKind.PERSON,
}


async def every(journal: Journal, query: StatusFilter) -> AsyncIterator[State]:
    """All subjects that match a filter, page by page, except unreadable ones."""
    page = query.model_copy(update={"limit": PAGE})
    while states := await journal.status(page):
        for state in states:
            if not isinstance(state, UnreadableState):
                yield state
        page = page.model_copy(update={"after": states[-1].key})


async def find(journal: Journal, kind: Kind, wanted: str, tenants: Iterable[str]) -> State:
    """The subject with this key, or the only one with this id, user name, mail or delivery.

    An id may be the user name of another user, so names are looked through for an id as well.

    Args:
        journal: where the states are.
        kind: which kind of subject.
        wanted: the search text.
        tenants: names of the UEMs (of the CAs, for persons), to try ``wanted`` as an id.

    Raises:
        Rejected: ``DLV-007`` when there is none; ``EVT-007`` when several fit, with their keys.
    """
    key = as_key(kind, wanted)
    found = dict(await journal.load([key] if key else _as_ids(kind, wanted, tenants)))
    if not key and kind != "person":
        named = every(journal, StatusFilter(kind=kind))
        found |= {state.key: state async for state in named if _named(state, wanted)}
    if not found:
        raise Rejected("DLV-007", f"no such {kind} in the journal")
    if len(found) > 1:
        keys = ", ".join(sorted(found)[:MOST_KEYS])
        raise Rejected("EVT-007", f"{len(found)} of kind {kind} fit; name one by its key: {keys}")
    return next(iter(found.values()))


def as_key(kind: Kind, wanted: str) -> SubjectKey | None:
    """The key that ``wanted`` is a spelling of, if it is a complete key of this kind.

    Another spelling must not name another subject, with an identity and a history of its own.
    """
    try:
        subject = parse_subject(wanted)
    except ValueError:
        return None
    if subject.kind is not KINDS[kind] or not subject.tenant or not subject.id:
        return None
    return subject_key(subject.tenant, subject.kind, _canonical(kind, subject.id))


def _as_ids(kind: Kind, wanted: str, tenants: Iterable[str]) -> list[SubjectKey]:
    return [subject_key(tenant, KINDS[kind], _canonical(kind, wanted)) for tenant in tenants]


def _canonical(kind: Kind, typed: str) -> str:
    """An id as the UEM writes it: numbers without leading zeros. A CA's names stay as they are."""
    if kind == "person" or not (typed.isascii() and typed.isdecimal()):
        return typed
    return typed.lstrip("0") or "0"


def _named(state: State, wanted: str) -> bool:
    text = wanted.casefold()
    match state:
        case HolderState():
            names = [state.name, state.mail]
            names += [delivery.id for delivery in (state.delivery, *state.history) if delivery]
        case DeviceState():
            names = [state.friendly_name, state.serial]
        case _:
            names = []
    return text in {name.casefold() for name in names if name}
