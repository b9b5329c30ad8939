"""Look up at the UEM subjects that the journal does not know. Looks only."""

from typing import NamedTuple

from connector.core.errors import ConnectorError, Rejected
from connector.core.model import SubjectKey, parse_subject
from connector.operators.planner import Planner
from connector.operators.search import KINDS, as_key
from connector.operators.verbs.status import Kind

FORMS: dict[Kind, str] = {
    "holder": "say TENANT/user/ID, a user name, a mail address, device/ID or a serial number",
    "device": "say TENANT/device/ID, an id, a serial number or the device's name",
    "person": "say CA/person/ID or an id",
}


async def users_at_the_uem(planner: Planner, kind: Kind, wanted: str) -> list[SubjectKey]:
    """The users that a search may mean, or whose device it is; a person at a CA has none.

    Raises:
        ConnectorError: what a UEM raised.
    """
    key = as_key(kind, wanted)
    if kind == "person":
        return []
    if kind == "holder" and key:
        return await planner.named(key)
    if kind == "holder":
        return await planner.find(wanted)
    typed = parse_subject(key).id if key else wanted
    return [
        user
        for user in await planner.find(f"{KINDS['device']}/{typed}")
        if key is None or parse_subject(user).tenant == parse_subject(key).tenant
    ]


def the_only(found: list[SubjectKey], wanted: str) -> SubjectKey:
    """The one user that was found.

    Raises:
        Rejected: ``DLV-007`` when there is none, ``EVT-007`` for several.
    """
    if not found:
        raise Rejected("DLV-007", f"neither journal nor UEM knows {wanted}; {FORMS['holder']}")
    if len(found) > 1:
        raise Rejected("EVT-007", f"several users fit: {', '.join(found)}; name one by its key")
    return found[0]


class Seen(NamedTuple):
    """The users at the UEM that a subject may be, or the error of the look-up."""

    users: list[SubjectKey]
    error: ConnectorError | None = None


async def look_for(planner: Planner, kind: Kind, wanted: str) -> Seen:
    """What the UEM knows of a subject that the journal does not know."""
    try:
        return Seen(await users_at_the_uem(planner, kind, wanted))
    except ConnectorError as error:
        return Seen([], error)


def not_known(kind: Kind, wanted: str, seen: Seen) -> Rejected:
    """``DLV-007``: the journal does not know the subject; with what the UEM says of it."""
    missing = f"the journal knows no {kind} {wanted}"
    if seen.error is not None:
        away = f"and the UEM cannot be asked now ({seen.error.code} {seen.error.detail})"
        return Rejected("DLV-007", f"{missing}, {away}; {FORMS[kind]}")
    if seen.users:
        whose = "" if kind == "holder" else "a device of "
        there = f"the UEM knows {whose}{', '.join(seen.users)}"
        lost = f"if a notification was lost, deliver {seen.users[0]}"
        return Rejected("DLV-007", f"{missing}; {there}: {lost}")
    asked = "" if kind == "person" else ", nor does the UEM"
    return Rejected("DLV-007", f"{missing}{asked}; {FORMS[kind]}")
