"""Finding the confirmed installation of our profile in a device's event log.

The inner shape of ``EventDataList`` is assumed: objects with ``Name`` and ``Value``. Any text in it
that is our profile's id or name is taken as its mention.
"""

from connector.core.model import Millis
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.times import read_time


def confirmed_at(entries: list[Members], event: str, names: frozenset[str]) -> Millis | None:
    """The newest time (UEM's clock) of ``event`` about a profile of these names; None if none."""
    wanted = _squeezed(event)
    times = [
        read_time(entry.text("timestamp"))
        for entry in entries
        if _squeezed(entry.text("event")) == wanted and _mentions(entry, names)
    ]
    return max((time for time in times if time is not None), default=None)


def _mentions(entry: Members, names: frozenset[str]) -> bool:
    data = entry.objects("eventdatalist") or [entry.inner("eventdatalist")]
    return any(text in names for each in data for _, text in each.scalars() if text)


def _squeezed(event: str) -> str:
    """Old releases write event names without spaces, new ones with."""
    return event.replace(" ", "").lower()
