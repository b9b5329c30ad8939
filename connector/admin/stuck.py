"""What does not go on by itself: which codes wait for a person, how many, since when."""

from connector.admin.records import Stuck
from connector.admin.views import summary
from connector.catalogue import catalogue
from connector.core.errors import Family
from connector.core.journal import Journal, StatusFilter
from connector.core.states import Phase

LOOKED_AT = 200
"""Holders of one code whose age is looked at; more would make a glance slow."""


async def stuck(journal: Journal) -> tuple[Stuck, ...]:
    """Codes of holders that need a person, most frequent first.

    Those are failed deliveries, and open ones with a code that does not pass by itself.
    """
    counts: dict[str, int] = {}
    for (kind, phase, code), number in (await journal.codes()).items():
        if kind == "holder" and (phase == Phase.FAILED or _is_permanent(code)):
            counts[code] = counts.get(code, 0) + number
    worst = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple([await _since(journal, code, number) for code, number in worst])


async def _since(journal: Journal, code: str, number: int) -> Stuck:
    states = await journal.status(StatusFilter(kind="holder", code=code, limit=LOOKED_AT))
    times = [since for state in states if (since := summary(state).since) is not None]
    return Stuck(code=code, count=number, since=min(times, default=None))


def _is_permanent(code: str) -> bool:
    entry = catalogue().get(code)
    return entry is not None and entry.family is Family.PERMANENT
