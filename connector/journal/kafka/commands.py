"""Commands to a partition, found ahead of all that waits before them.

Only so many events wait in memory. While more of a partition wait with the brokers, a second
consumer, the scout, looks through them for commands; it looks at keys only, and ends where the
first one has caught up with it.
"""

from collections import deque
from collections.abc import Sequence

from connector.core.model import is_partition
from connector.journal.kafka.cloudevents import Incoming


class Lane:
    """The commands to one partition that were met and are not committed yet.

    ``looked``: the offset up to which nothing was left out. ``end``: what was durable at the
    take-over lies before it. ``scouting``: the scout is ahead of the reader of events.
    """

    def __init__(self) -> None:
        self.begin(0, 0)

    def begin(self, after: int, end: int) -> None:
        """Begin behind a position; what was there is forgotten."""
        self.looked = after
        self.end = end
        self.scouting = False
        self._found: deque[Incoming] = deque()

    def look(self, records: Sequence[Incoming]) -> bool:
        """Take what either reader brought, in its order; whether a command was among it."""
        before = len(self._found)
        self._found.extend(
            one for one in records if one.offset >= self.looked and _is_command(one.key)
        )
        self.looked = max(self.looked, records[-1].offset + 1)
        return len(self._found) > before

    def behind(self, position: int) -> list[Incoming]:
        """Commands behind a position, in order."""
        return [one for one in self._found if one.offset >= position]

    def pass_by(self, position: int) -> None:
        """Let go what a committed round has applied."""
        while self._found and self._found[0].offset < position:
            self._found.popleft()


def _is_command(key: bytes | None) -> bool:
    return key is not None and is_partition(key.decode(errors="replace"))
