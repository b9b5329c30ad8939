"""The copy of a holder's keys in the UEM, and an act whose outcome is not known yet."""

from enum import StrEnum
from typing import Literal

from connector.core.boot_time import Awaited
from connector.core.model import Millis, Record, Sha256Hex


class CopyState(StrEnum):
    """What the UEM holds of a holder's keys, as far as is known."""

    NONE = "none"
    PERHAPS = "perhaps"
    PRESENT = "present"
    GONE = "gone"


class Copy(Record):
    """The copy in the UEM, watched to its end.

    ``digests`` are all sets that may be there. ``since_server`` is the UEM's clock from which
    retention counts, ``since`` ours at the same moment; ``not_after`` ends an upload with unknown
    outcome, after which the first UEM ``Date`` seen becomes ``since_server``. ``possible_since`` is
    when the first attempt began that may have brought a copy, with none proven gone in between.
    ``retention_from`` is what the UEM counts from; where that is the installation,
    ``installed_server`` is the UEM's clock at the look that showed the last one. ``awaited``: how
    long the last upload with unknown outcome may still arrive; ``not_after`` is when to check it.
    """

    state: CopyState = CopyState.NONE
    digests: tuple[Sha256Hex, ...] = ()
    possible_since: Millis | None = None
    since: Millis | None = None
    since_server: Millis | None = None
    not_after: Millis | None = None
    due: Millis | None = None
    attempts: int = 0
    gone_at: Millis | None = None
    gone_at_server: Millis | None = None
    evidence: str | None = None
    overdue: bool = False
    clocks_disagree: bool = False
    retention: Millis = 0
    retention_from: Literal["upload", "install", "kept"] = "upload"
    installed_server: Millis | None = None
    awaited: Awaited | None = None

    @property
    def there_since(self) -> Millis | None:
        """Since when there may be a copy; records of earlier versions have it less exactly."""
        return self.possible_since or self.since or self.not_after
