"""Correct the states of a partition after its journal time stepped back, some in every round.

The partition's record says how far that has come, in the commit that contains the corrected states:
a new owner goes on from there. Which states a wrong clock wrote is not known, so all are looked at.
"""

from collections.abc import Sequence

from connector.core.audit import AuditEntry
from connector.core.correction import Correction
from connector.core.facts import TimeSteppedBack
from connector.core.journal import Journal, PartitionRecord
from connector.core.model import SubjectKey, SubjectKind, subject_key
from connector.worker.round import RoundDraft

PER_ROUND = 64


async def page(journal: Journal, record: PartitionRecord) -> list[SubjectKey] | None:
    """The next subjects to be corrected; None when there is nothing to correct."""
    if record.correction is None:
        return None
    return await journal.subjects(record.partition, record.correction.after, PER_ROUND)


def begin(record: PartitionRecord) -> PartitionRecord:
    """Journal time steps back: every state is to be looked at, also if it was a moment ago."""
    before = record.correction or Correction()
    return record.model_copy(update={"correction": before.model_copy(update={"after": ""})})


def correct(draft: RoundDraft, keys: Sequence[SubjectKey]) -> None:
    """Correct a page of subjects, and note in the record how far it goes.

    A state that cannot be read is left out: it is held anyway, with its code.
    """
    done = draft.record.correction or Correction()
    changed = done.changed
    for key in keys:
        if key in draft.loaded and key not in draft.barred:
            before = draft.state(key)
            changed += draft.apply(key, TimeSteppedBack()) is not before
    after: Correction | None = Correction(
        after=keys[-1] if keys else done.after,
        subjects=done.subjects + len(keys),
        changed=changed,
    )
    if len(keys) < PER_ROUND:
        draft.audit.append(_entry(draft, done.subjects + len(keys), changed))
        after = None
    draft.record = draft.record.model_copy(update={"correction": after})


def _entry(draft: RoundDraft, subjects: int, changed: int) -> AuditEntry:
    return AuditEntry(
        at=draft.now,
        subject=subject_key("-", SubjectKind.PARTITION, str(draft.record.partition)),
        action="clock.states_corrected",
        details={"subjects": subjects, "changed": changed},
    )
