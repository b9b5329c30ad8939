"""The UEM's own copies of its users' certificate sets, and their retention."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from connector_testkit.simulators.uem.records import CertificateSet
from connector_testkit.simulators.uem.tenant import Tenant


class Store:
    """Keeps one set per user; a new one replaces the old one whole.

    The product has a setting in hours for how long it keeps a set. What starts the hours is not
    public: by default the upload, by switch the first installation on a device.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._counted_from: dict[int, datetime] = {}

    def put(self, user: int, content: CertificateSet) -> None:
        """Replace the user's set, unless the group is set to keep none."""
        if not self._tenant.behaviour.keeps_uploads:
            return
        previous = self._tenant.copies.get(user)  # its retention ends with it
        if previous is not None:
            self._counted_from.pop(previous.upload, None)
        self._tenant.copies[user] = content
        if self._tenant.behaviour.retention_from == "upload":
            self._count(user, content.upload, content.uploaded_at)

    def installed(self, user: int, upload: int, at: datetime) -> None:
        """Note that a device installed the set, where that starts the retention."""
        starts = self._tenant.behaviour.retention_from == "install"
        if starts and upload not in self._counted_from:
            self._count(user, upload, at)

    def reschedule(self) -> None:
        """Apply a changed retention to the sets that are kept now."""
        for user, content in self._tenant.copies.items():
            start = self._counted_from.get(content.upload)
            if start is not None:
                self._count(user, content.upload, start)

    def purge(self, user: int, why: Literal["retention", "order", "deleted"], at: datetime) -> bool:
        """Delete a user's set; False when there was none."""
        content = self._tenant.copies.pop(user, None)
        if content is None:
            return False
        self._counted_from.pop(content.upload, None)
        self._tenant.ledger.note("purge", at, user=user, upload=content.upload, why=why)
        return True

    def clear(self) -> None:
        """Forget all sets without a word."""
        self._tenant.copies.clear()
        self._counted_from.clear()

    def _count(self, user: int, upload: int, start: datetime) -> None:
        self._counted_from[upload] = start
        retention = self._tenant.behaviour.retention
        if retention is not None:
            self._tenant.timetable.at(start + retention, self._expiry(user, upload))

    def _expiry(self, user: int, upload: int) -> Callable[[datetime], None]:
        def expire(due: datetime) -> None:
            """Purge, unless the set was replaced or the retention changed meanwhile."""
            start = self._counted_from.get(upload)
            retention = self._tenant.behaviour.retention
            if start is not None and retention is not None and start + retention <= due:
                self.purge(user, "retention", due)

        return expire
