"""Dead letters: list, re-queue or drop them.

A letter that can now be parsed (after an upgrade, or a record written by hand) is appended like any
event: its id is the same, so that it is not applied twice. Re-queuing or dropping is an event to
the letter's partition, whose owner records it in the audit log and removes the letter, in one
commit. After a crash in between the letter is still there and can be re-queued again.
"""

from dataclasses import replace

from connector.core.errors import ConnectorError, Rejected
from connector.core.events import DeadLetterDropped, DeadLetterReplayed, Event
from connector.core.journal import DeadLetter, DeadLetterFilter, Journal
from connector.core.model import Millis, SubjectKind, subject_key
from connector.operators.acts import NO_TENANT, Stamp, events_for
from connector.operators.verbs.dead_letters import (
    LetterDetail,
    LetterOutcome,
    LetterPage,
    LetterQuery,
    LetterReceipt,
    LetterView,
    PlaceName,
    SettleLetters,
    digest_of,
    original_of,
    place_name,
    place_of,
)


class DeadLetters:
    """The dead letters of a journal, for operators."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def listing(self, query: LetterQuery, now: Millis) -> LetterPage:
        """A page of letters, by place."""
        after = place_of(query.after) if query.after else None
        wanted = DeadLetterFilter.model_validate({**query.model_dump(), "after": after})
        letters = await self._journal.dead_letters(wanted)
        last = letters[-1] if len(letters) == query.limit else None
        return LetterPage(
            items=tuple(_view(letter, self._revived(letter)[0]) for letter in letters),
            after=place_name(last.partition, last.position) if last else None,
            now=now,
        )

    async def detail(self, name: PlaceName, now: Millis) -> LetterDetail:
        """One letter.

        Raises:
            Rejected: ``DLV-010`` when there is none at this place.
        """
        letter = await self._find(name)
        if letter is None:
            raise Rejected("DLV-010", "there is no dead letter at this position")
        event, _ = self._revived(letter)
        return LetterDetail(view=_view(letter, event), letter=letter, event=event, now=now)

    async def settle(self, act: SettleLetters, stamp: Stamp) -> LetterReceipt:
        """Re-queue or drop letters one after another, in the given order.

        Raises:
            Transient: ``JRN-001``; letters named before this one are settled.
        """
        settle_one = self._replay if act.act == "replay" else self._drop
        outcomes = []
        for name in dict.fromkeys(act.places):
            letter = await self._find(name)
            if letter is None:
                outcomes.append(LetterOutcome(place=name, result="missing"))
                continue
            outcomes.append(await settle_one(letter, act, stamp))
        return LetterReceipt(act=act.act, dry_run=act.dry_run, outcomes=tuple(outcomes))

    async def _replay(self, letter: DeadLetter, act: SettleLetters, stamp: Stamp) -> LetterOutcome:
        name = place_name(letter.partition, letter.position)
        event, code = self._revived(letter)
        if event is None:
            return LetterOutcome(place=name, result="dead", code=code)
        known = False
        if not act.dry_run:
            (new,) = await self._journal.append(
                [event.model_copy(update={"received_at": stamp.now})]
            )
            known = not new
            await self._write_down(letter, DeadLetterReplayed, act, stamp)
        return LetterOutcome(
            place=name,
            result="replayed",
            reads_as=event.body.kind,
            subject=event.subject,
            event=event.id,
            known=known,
        )

    async def _drop(self, letter: DeadLetter, act: SettleLetters, stamp: Stamp) -> LetterOutcome:
        if not act.dry_run:
            await self._write_down(letter, DeadLetterDropped, act, stamp)
        name = place_name(letter.partition, letter.position)
        return LetterOutcome(place=name, result="dropped", code=letter.code)

    async def _write_down(
        self,
        letter: DeadLetter,
        kind: type[DeadLetterReplayed | DeadLetterDropped],
        act: SettleLetters,
        stamp: Stamp,
    ) -> None:
        body = kind(
            by=stamp.operator.by,
            reason=act.reason,
            position=letter.position,
            code=letter.code,
            letter=digest_of(letter),
        )
        name = place_name(letter.partition, letter.position)
        once = replace(stamp, unique=f"{stamp.unique}:{name}")
        subject = subject_key(NO_TENANT, SubjectKind.PARTITION, str(letter.partition))
        await self._journal.append(events_for(once, subject, [body]))

    async def _find(self, name: PlaceName) -> DeadLetter | None:
        partition, position = place_of(name)
        query = DeadLetterFilter(partition=partition, after=(partition, position - 1), limit=1)
        found = await self._journal.dead_letters(query)
        return found[0] if found and found[0].position == position else None

    def _revived(self, letter: DeadLetter) -> tuple[Event | None, str]:
        """The event, or the code of the reason why it still cannot be parsed."""
        try:
            return self._journal.revive(letter), ""
        except ConnectorError as error:
            return None, error.code


def _view(letter: DeadLetter, event: Event | None) -> LetterView:
    return LetterView(
        place=place_name(letter.partition, letter.position),
        code=letter.code,
        at=letter.at,
        size=len(original_of(letter)),
        digest=digest_of(letter),
        reads_as=event.body.kind if event else "",
        subject=event.subject if event else None,
    )
