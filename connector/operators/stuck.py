"""Subjects that need a person: by code, how many, since when."""

from collections.abc import Mapping

from connector.catalogue import catalogue
from connector.core.errors import Family
from connector.core.journal import Journal, StatusFilter
from connector.core.states import COPY_OVERDUE, DeviceStatus, Phase
from connector.operators.verbs.status import Kind, Stuck
from connector.operators.views import summary

LOOKED_AT = 200
"""Subjects of one code whose age is looked at; more would make a glance slow."""
STOPPED = frozenset({Phase.FAILED, Phase.COMPLETED})
"""Nothing is tried any more, so that what has a code there goes on only by a person."""


async def stuck(journal: Journal) -> tuple[Stuck, ...]:
    """Codes of subjects that need a person, most frequent first; see :func:`needing`."""
    counts = needing(await journal.codes())
    worst = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple([await _since(journal, *which, number) for which, number in worst])


def needing(codes: Mapping[tuple[str, str, str], int]) -> dict[tuple[Kind, str], int]:
    """How many subjects need a person, by kind and code, of what :meth:`Journal.codes` counts.

    Those are holders whose delivery failed, or ended without the set on one of their devices, whose
    copy is overdue, or whose open delivery has a code that does not pass by itself; and devices
    whose enrolment the UEM did not confirm.
    """
    counts: dict[tuple[Kind, str], int] = {}
    for (kind, phase, code), number in codes.items():
        if kind == "holder" and _holds_up(phase, code):
            counts["holder", code] = counts.get(("holder", code), 0) + number
        elif kind == "device" and phase == DeviceStatus.LOST:
            counts["device", code] = counts.get(("device", code), 0) + number
    return counts


def _holds_up(phase: str, code: str) -> bool:
    """Whether a holder in this phase with this code needs a person."""
    if phase == Phase.CANCELLED:
        return code == COPY_OVERDUE
    entry = catalogue().get(code)
    return phase in STOPPED or (entry is not None and entry.family is Family.PERMANENT)


async def _since(journal: Journal, kind: Kind, code: str, number: int) -> Stuck:
    phase = DeviceStatus.LOST.value if kind == "device" else None
    query = StatusFilter(kind=kind, code=code, phase=phase, limit=LOOKED_AT)
    states = await journal.status(query)
    times = [since for state in states if (since := summary(state).since) is not None]
    return Stuck(kind=kind, code=code, count=number, since=min(times, default=None))
