"""What an older program goes on with although it does not know all of it."""

from pydantic import ConfigDict

from connector.core.model import Record


class LenientRecord(Record):
    """A frozen record that keeps members it does not know, and writes them again.

    For what an older program has to go on with after a rollback: a member of a later version must
    neither stop it nor be lost.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
