"""Read lists completely, page by page.

``page`` counts from 0. A server may give smaller pages than asked for, so their size proves
nothing: the end is an empty answer, or as many entries as it announced in all. The order of pages
is stable only with ``orderby``; entries that come twice are dropped.
"""

from collections.abc import Iterable, Mapping

from connector.integrations.workspace_one.api import Api, incomplete
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.operations import Operation
from connector.upstream import Kind

TOTALS = ("total", "totalresults", "total_count")
PAGES = 200
"""More than any honest list of one user or device has; who goes on for ever is stopped."""


class Pages:
    """Reads lists of one tenant, ``size`` entries at a time."""

    def __init__(self, api: Api, size: int) -> None:
        self._api = api
        self._size = size

    async def all(
        self,
        operation: Operation,
        member: str,
        identifier: str = "",
        query: Mapping[str, str] | None = None,
    ) -> list[Members] | None:
        """The entries of the list ``member``; None when the answer is empty or "not found".

        Raises:
            Transient: ``UEM-009`` when it ends before the announced number of entries.
            Permanent: ``UEM-005`` when there is no such list, ``UEM-006`` when it never ends.
        """
        found: dict[str, Members] = {}
        total = None
        for number in range(PAGES):
            paging = {"page": str(number), "pagesize": str(self._size)}
            page = await self._page(operation, identifier, {**(query or {}), **paging})
            entries = [] if page is None else page.objects(member)
            if entries is None:
                raise self._api.fault(Kind.NONSENSE, f"reading {operation.value}: no {member}")
            if page is None and number == 0:
                return None
            total = total if page is None else page.number(*TOTALS)
            if not _add(entries, found) or (total is not None and len(found) >= total):
                break
        else:
            raise self._api.fault(Kind.TOO_MUCH, f"reading {operation.value}: over {PAGES} pages")
        if total is not None and len(found) < total:
            raise incomplete(f"reading {operation.value}: {len(found)} of {total} entries")
        return list(found.values())

    async def _page(
        self, operation: Operation, identifier: str, query: Mapping[str, str]
    ) -> Members | None:
        answer = await self._api.answer(operation, identifier, query)
        return self._api.object_in(answer) if answer is not None and answer.body else None


def _add(entries: Iterable[Members], found: dict[str, Members]) -> bool:
    """Add the entries that were not there yet; says whether there were any.

    An entry without an id cannot be recognised and counts as new.
    """
    before = len(found)
    for entry in entries:
        found.setdefault(entry.identifier("id") or f"entry {len(found)}", entry)
    return len(found) > before
