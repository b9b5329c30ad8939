"""Which numbers in a state are times of ours, and how late they may be after a step back."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from connector.core.boot_time import Awaited
from connector.core.model import DAY, Generation, Millis, Record
from connector.core.states import State

PAST = {
    *("since", "at", "lost_at", "opened_at", "phase_since", "uploaded_at", "ended_at"),
    *("joined_at", "announced_at", "missing_since", "pinned_at", "pushed_at", "code_since"),
    *("not_installed_seen_at", "looked_at", "looked_up_at", "possible_since", "gone_at"),
    *("started_at", "enrolled_at", "unenrolled_at", "changed_at", "unused_since", "automatic"),
}
AWAITED = {"due", "deadline", "push_due", "requests_due", "not_after", "not_before", "settles_at"}
THEIRS = {
    *("since_server", "gone_at_server", "installed_server", "uploaded_server_time"),
    *("enrolled_on", "last_seen", "missing_seen"),
}
"""On the UEM's clock."""
NUMBERS = {
    *("schema_version", "version", "attempt", "attempts", "requests_attempts", "epoch", "limit"),
    *("pushes", "push_failures", "expired_rounds", "changed_rounds", "retention", "counts"),
}
NOT_OURS = (Generation, Awaited)
"""Records whose times are of the CA, and of the boot's clock."""
LONGEST = 14 * DAY
KEPT = 91 * DAY
"""Longer than what has ended stays."""


def times(value: Any, name: str = "", place: str = "") -> Iterator[tuple[str, str, Millis]]:
    """Every number in a state: its place, the member that it is in, and the number."""
    if isinstance(value, int) and not isinstance(value, bool):
        yield place, name, value
    elif isinstance(value, BaseModel) and not isinstance(value, NOT_OURS):
        for member in type(value).model_fields:
            yield from times(getattr(value, member), member, f"{place}.{member}")
    elif isinstance(value, dict | tuple):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for at, one in inner:
            yield from times(one, name, f"{place}[{at}]")


def require_corrected(before: State, after: State, now: Millis) -> None:
    """No time is later than it may be, nor later than it was."""
    was = {place: at for place, _, at in times(before)}
    for place, name, at in times(after):
        if name in PAST:
            assert at <= now, place
        if name in PAST | AWAITED and ".wants" not in place:
            assert at <= was.get(place, at), place
        if name in AWAITED:
            assert at <= now + (KEPT if ".wants" in place else LONGEST), place


def late(value: Any, at: Millis) -> Any:
    """A record with every time of ours at ``at``, also where there is none yet."""
    if isinstance(value, dict):
        return {key: late(one, at) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(late(one, at) for one in value)
    if not isinstance(value, Record) or isinstance(value, NOT_OURS):
        return value
    inner = {name: late(getattr(value, name), at) for name in type(value).model_fields}
    ours = [name for name in inner if name in PAST | AWAITED and name != "automatic"]
    return value.model_copy(update=inner | dict.fromkeys(ours, at))
