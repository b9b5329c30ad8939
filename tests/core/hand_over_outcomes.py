"""What becomes of acts in the small picture: at the CA, and of a hand-over by its fate."""

from connector.core.errors import ConnectorError, Family, Fault
from connector.core.facts import Acted, Begun, CleanedUp, Pushed
from connector.core.handover import Accepted, HandoverOutcome, NotSent, Refused, Unknown
from connector.core.model import Millis, parse_subject
from connector.core.selection import Selection, select
from connector.core.states import Effect, HolderState, Running
from tests.core.names import BROKEN, REFUSED, ROUTE, UNANSWERED
from tests.core.upstreams import PERSON_OF, Ca, Uem

APPLIED = {"accepted", "unanswered", "crash_after", "silent"}
"""Outcomes in which the UEM takes the set over at once, with any answer to the connector."""


def perform(uem: Uem, ca: Ca, running: Running) -> Acted:
    """Do an act other than a hand-over."""
    match running.effect:
        case Effect.BEGIN:
            begun = tuple(ca.begin(running.person, request) for request in running.requests)
            return Begun(running.attempt, begun)
        case Effect.CLEAN_UP:
            for request in running.requests:
                ca.requests.pop(request.id, None)
            return CleanedUp(running.attempt, running.requests)
        case _:
            for device in running.devices:
                uem.push(parse_subject(device).id)
            return Pushed(running.attempt, running.devices)


def expected(uem: Uem, ca: Ca, state: HolderState, now: Millis) -> Selection | None:
    """The set that the CA's list makes for a holder at this moment, if it makes one."""
    user = parse_subject(state.key).id
    person = PERSON_OF[user]
    rules = ROUTE.selection().model_copy(
        update={
            "dropped": frozenset(drop.fingerprint for drop in state.dropped),
            "delivered": {sent.public_key: sent.fingerprint for sent in state.delivered},
        }
    )
    try:
        return select(
            ca.listed[person],
            person=ca.person(person),
            address=uem.user(user).mail,
            rules=rules,
            now=now,
        )
    except ConnectorError:
        return None


def current_of(state: HolderState) -> str:
    """The fingerprint of the current encryption certificate on its way."""
    return state.delivery.entries[1].fingerprint if state.delivery else ""


def fetch_and_upload(uem: Uem, ca: Ca, state: HolderState, running: Running, now: Millis) -> None:
    """The keys leave escrow, and the UEM takes the set."""
    user = parse_subject(state.key).id
    entries = state.delivery.entries if state.delivery else ()
    ca.fetched({entry.fingerprint for entry in entries}, PERSON_OF[user])
    uem.upload(user, running.digest or "", current_of(state), now)


def outcome_of(fate: str, digest: str, server_time: Millis) -> HandoverOutcome | None:
    """What the connector hears; None when it hears nothing."""
    match fate:
        case "accepted":
            return Accepted(digest=digest, bundles=(), server_time=server_time, memory_locked=True)
        case "not_sent":
            return NotSent(fault=BROKEN)
        case "lapsed":
            return NotSent(fault=Fault(code="CA-409", family=Family.TRANSIENT))
        case "refused":
            return Refused(fault=REFUSED)
        case "unanswered" | "late":
            return Unknown(fault=UNANSWERED)
        case _:
            return None
