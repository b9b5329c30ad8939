"""The check of one partition's chain, record by record.

A chain may have been continued under another key, and a person may have accepted that a stretch of
it is broken. Both are stated by records that can only be made with the key, so that the check
needs only the log and its keys.
"""

import hashlib
from collections.abc import Iterable, Sequence

from connector.core.audit import (
    ACCEPTED,
    GENESIS,
    MISFIT,
    REKEYED,
    UNREADABLE,
    AuditRecord,
    AuditRow,
    Finding,
    fits,
    key_name,
    misplaced,
    resumed,
    says_cut,
    verify,
)
from connector.core.secret import Credential
from connector.operators.verbs.audit import Accepted, ChainReport, Published

MOST_FINDINGS = 100


class ChainCheck:
    """Takes rows in order (:meth:`take`) and returns the findings (:meth:`report`).

    Args:
        key: the present key of the chain.
        partition: whose chain it is.
        published: heads and counts that the chain must have reached.
        start: (sequence, MAC) of the last record that was cut; then one of those that are left
            must say so. What was published of earlier ones is not asked for again.
        old: keys that the chain was made with before.
        exported: it is the chain of an export, which has no unreadable records.
    """

    def __init__(
        self,
        key: Credential,
        partition: int,
        published: Iterable[Published],
        start: tuple[int, str] = (0, GENESIS),
        old: Sequence[Credential] = (),
        *,
        exported: bool = False,
    ) -> None:
        self._current = key_name(key)
        self._keys = {key_name(one): one for one in (*old, key)}
        self._active: str | None = None
        self._partition = partition
        self._start = start
        self._exported = exported
        known = list(published)
        self._ends = [one for one in known if one.count is None]
        marks = [one for one in known if (one.count or 0) > start[0]]
        self._marks = sorted(marks, key=lambda one: one.count or 0)
        self._last = start
        self._stored = self._unreadable = hashlib.sha256()
        self._witnessed = start[0] == 0
        self._unchecked = 0
        self._accepted: list[Accepted] = []
        self._reset()

    def take(self, row: AuditRow) -> None:
        """Check the next row; an unreadable one does not advance the chain."""
        record = row.record
        if record is None:
            self.find(row.sequence, UNREADABLE)
            self._unreadable.update(b"%d %d " % (row.sequence, len(row.stored)) + row.stored)
            return
        for problem in misplaced(self._last[0], row.sequence, record):
            self.find(row.sequence, problem)
        self._settle(row.sequence, record)
        if self._found:
            self._stored.update(record.model_dump_json().encode())
        self._last = (row.sequence, record.mac)
        self._witnessed = self._witnessed or says_cut(record.entry, self._start)
        while self._marks and (self._marks[0].count or 0) <= row.sequence:
            self._compare(self._marks.pop(0))

    def report(self) -> ChainReport:
        """The findings, after the last record."""
        shorter = max((mark.count or 0 for mark in self._marks), default=0)
        for known in (*self._marks, *self._ends):
            self._compare(known)
        if not self._witnessed:
            self.find(self._start[0], "the trail was cut here, and no record documents the cut")
        if self._active not in {None, self._current}:
            self.find(self._last[0], "the trail continues with a key other than the current one")
        count, head = self._last
        return ChainReport(
            partition=self._partition,
            count=count,
            head=head if count else "",
            cut=self._start[0],
            findings=tuple(self._findings),
            found=self._found,
            first=self._first,
            stored=self._stored.hexdigest(),
            unreadable=self._unreadable.hexdigest(),
            published=shorter,
            unchecked=self._unchecked,
            accepted=tuple(self._accepted),
        )

    def find(self, sequence: int, problem: str) -> None:
        """Add a finding; only the first ones are kept, all are counted."""
        if not self._found:
            self._first = sequence
            self._stored.update(f"{self._last[0]} {self._last[1]} ".encode())
        self._found += 1
        if problem != MISFIT:
            self._only_misfits = False
        if self._found <= MOST_FINDINGS:
            self._findings.append(
                Finding(partition=self._partition, sequence=sequence, problem=problem)
            )

    def _reset(self) -> None:
        """No finding is open."""
        self._findings: list[Finding] = []
        self._found = 0
        self._first = 0
        self._only_misfits = True
        self._stored, self._unreadable = hashlib.sha256(), hashlib.sha256()

    def _fits(self, record: AuditRecord) -> bool:
        """Check with the key in use; if none is known yet, use the first that fits."""
        names = self._keys if self._active is None else (self._active,)
        for name in names:
            if fits(self._keys[name], self._last[1], record):
                self._active = name
                return True
        return False

    def _settle(self, sequence: int, record: AuditRecord) -> None:
        """Whether the record was made with a known key; apply what it states on earlier ones."""
        before = self._active
        ours = record.partition == self._partition
        if not ours or not (self._fits(record) or self._bridges(record)):
            self.find(sequence, MISFIT)
        elif record.entry.action == REKEYED and before is None:
            self._rekey(record)
        elif record.entry.action == ACCEPTED and self._found:
            self._accept(record)

    def _bridges(self, record: AuditRecord) -> bool:
        """Whether a record's MAC proves its position by itself, under a known key."""
        behind = resumed(record)
        name = record.entry.details.get("new_key", record.entry.details.get("key"))
        if behind is None or not isinstance(name, str) or name not in self._keys:
            return False
        if record.entry.action == ACCEPTED and name not in {self._active, self._current}:
            return False
        if not fits(self._keys[name], behind[1], record):
            return False
        self._active = name
        return True

    def _rekey(self, record: AuditRecord) -> None:
        """Records of an unknown key cannot be checked; their end is what this record names."""
        unknown = record.entry.details.get("old_key") not in self._keys
        if self._found and self._only_misfits and unknown:
            self._unchecked = record.sequence - 1
            self._reset()

    def _accept(self, record: AuditRecord) -> None:
        """Accept all findings so far, if what is stored is what the person saw.

        That is the whole stretch from the last record before the damage, which vouches for all
        that precede it.
        """
        entry = record.entry
        if entry.details.get("digest") != self._stored.hexdigest():
            return
        if entry.details.get("unreadable") != self._unreadable.hexdigest() and not self._exported:
            return
        self._accepted.append(
            Accepted(
                first=self._first,
                through=record.sequence - 1,
                found=self._found,
                by=entry.actor,
                reason=entry.reason,
                at=entry.at,
            )
        )
        self._accepted = self._accepted[-MOST_FINDINGS:]
        self._reset()

    def _compare(self, known: Published) -> None:
        for finding in verify(
            self._keys[self._current],
            self._partition,
            (),
            head=known.head,
            count=known.count,
            start=self._last,
        ):
            self.find(finding.sequence, finding.problem)
