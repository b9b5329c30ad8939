"""Cases of the journal suite: dead letters, listed, settled and read again."""

import base64
from collections.abc import Callable

from connector.core.errors import ConnectorError
from connector.core.events import Event
from connector.core.journal import DeadLetter, DeadLetterFilter, Journal
from connector.core.model import SubjectKind, subject_key
from connector_testkit.conformance.journal_samples import (
    JournalWorld,
    event,
    some_subjects,
    written,
)

BINARY = bytes(range(256))


def letter(partition: int, position: int, *, code: str = "EVT-005", at: int = 1) -> DeadLetter:
    """A letter whose body is no text, with a header that is none either."""
    body = base64.b64encode(BINARY).decode()
    return DeadLetter(
        partition=partition,
        position=position,
        code=code,
        original=body,
        at=at,
        headers=(("ce_id", body),),
    )


def holding(one: Event) -> DeadLetter:
    """A letter whose body is an event's JSON."""
    body = base64.b64encode(one.model_dump_json().encode()).decode()
    return DeadLetter(partition=0, position=1, code="EVT-005", original=body, at=1)


def revival(journal: Journal, one: DeadLetter) -> str:
    """The code with which a letter stays dead, or nothing."""
    try:
        journal.revive(one)
    except ConnectorError as error:
        return error.code
    return ""


class LetterCases:
    """A dead letter is kept whole until a person settles it."""

    async def test_letters_are_listed_by_place_page_by_page(self, journal: Journal) -> None:
        letters = [letter(partition, place) for partition in (0, 1) for place in (1, 2, 30)]
        for partition in (1, 0):
            mine = [one for one in letters if one.partition == partition]
            await written(journal, await journal.take_over(partition), dead_letters=mine)
        assert await journal.dead_letters(DeadLetterFilter()) == letters
        assert await journal.dead_letters(DeadLetterFilter(limit=2)) == letters[:2]
        after = DeadLetterFilter(after=(0, 2), limit=2)
        assert await journal.dead_letters(after) == letters[2:4]

    async def test_letters_are_chosen_by_code_partition_and_time(self, journal: Journal) -> None:
        here = [letter(0, 1, at=10), letter(0, 2, code="EVT-001", at=20)]
        there = [letter(1, 1, at=30)]
        await written(journal, await journal.take_over(0), dead_letters=here)
        await written(journal, await journal.take_over(1), dead_letters=there)
        choices: list[tuple[DeadLetterFilter, Callable[[DeadLetter], bool]]] = [
            (DeadLetterFilter(code="EVT-005"), lambda one: one.code == "EVT-005"),
            (DeadLetterFilter(partition=1), lambda one: one.partition == 1),
            (DeadLetterFilter(since=20), lambda one: one.at >= 20),
            (DeadLetterFilter(until=20), lambda one: one.at < 20),
            (DeadLetterFilter(code="EVT-005", since=11, until=31), lambda one: one.at == 30),
        ]
        for query, fits in choices:
            assert await journal.dead_letters(query) == [one for one in here + there if fits(one)]

    async def test_a_settled_letter_is_listed_no_more(self, world: JournalWorld) -> None:
        letters = [letter(0, place) for place in (1, 2, 3)]
        record = await world.journal.take_over(0)
        record = await written(world.journal, record, dead_letters=letters)
        await written(world.journal, record, settled=[2])
        await world.restart()
        left = [letters[0], letters[2]]
        assert await world.journal.dead_letters(DeadLetterFilter()) == left

    async def test_settling_is_for_the_own_partition_and_harmless_when_repeated(
        self, journal: Journal
    ) -> None:
        mine, other = letter(0, 7), letter(1, 7)
        record = await written(journal, await journal.take_over(0), dead_letters=[mine])
        await written(journal, await journal.take_over(1), dead_letters=[other])
        record = await written(journal, record, settled=[7, 8])
        await written(journal, record, settled=[7])
        assert await journal.dead_letters(DeadLetterFilter()) == [other]

    async def test_a_letter_from_elsewhere_has_a_place_below_zero(self, journal: Journal) -> None:
        brought = letter(0, -3)
        record = await written(journal, await journal.take_over(0), dead_letters=[brought])
        assert await journal.dead_letters(DeadLetterFilter()) == [brought]
        await written(journal, record, settled=[-3])
        assert await journal.dead_letters(DeadLetterFilter()) == []

    async def test_what_was_read_as_a_letter_is_not_revived(self, world: JournalWorld) -> None:
        await world.plant(0, b'{"kind": "from the future"}')
        (found,) = await world.journal.read(0, 0, 10)
        assert isinstance(found, DeadLetter)
        assert revival(world.journal, found) == "EVT-005"

    async def test_a_letter_that_holds_an_event_is_revived(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        assert journal.revive(holding(event(subject))) == event(subject)

    async def test_an_event_of_nobody_is_not_revived(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        beyond = subject_key("-", SubjectKind.PARTITION, str(journal.partitions))
        for wrong in ("nobody", "a/b/c", beyond):
            odd = event(subject).model_copy(update={"subject": wrong})
            assert revival(journal, holding(odd)) == "EVT-005"

    async def test_a_record_with_an_unreadable_subject_is_a_letter(
        self, world: JournalWorld
    ) -> None:
        (subject,) = some_subjects(world.journal, 1)
        odd = event(subject).model_copy(update={"subject": "not/a key/"})
        await world.plant(0, odd.model_dump_json().encode())
        (found,) = await world.journal.read(0, 0, 10)
        assert isinstance(found, DeadLetter)
