"""Cases of the journal suite: commands to a partition, found ahead of all that waits."""

from connector.core.events import DeadLetterDropped, Event, Paused, Resumed
from connector.core.journal import Commands, Journal, Positioned
from connector.core.model import SubjectKind, subject_key
from connector_testkit.conformance.journal_samples import (
    JournalWorld,
    event,
    numbered,
    read_ids,
    refusal,
    some_subjects,
    soon_of,
    written,
)

BACKLOG = 1500
"""More than any journal keeps in memory for its reader."""


def command(name: str, partition: int = 0, *, release: bool = False) -> Event:
    """A brake, or its release, for one partition."""
    kind = Resumed if release else Paused
    body = kind(by="local:0", reason=name)
    key = subject_key("-", SubjectKind.PARTITION, str(partition))
    return event(key, name).model_copy(update={"source": "operator", "body": body})


async def looked_through(journal: Journal, partition: int, after: int) -> tuple[Positioned, ...]:
    """Commands behind a position, once all that was durable at the take-over was looked at."""

    async def whole() -> Commands:
        while not (commands := await journal.commands(partition, after)).whole:
            await journal.wait(partition, 0.05)
        return commands

    return (await soon_of(whole())).found


async def command_ids(journal: Journal, partition: int = 0, after: int = 0) -> list[str]:
    """Ids of the commands behind a position."""
    return [one.event.id for one in await looked_through(journal, partition, after)]


class CommandCases:
    """A command is found at once, once, in order, and only by the partition that it names."""

    async def test_a_command_is_found_behind_a_backlog(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append(numbered(subject, BACKLOG))
        await world.journal.append([command("brake")])
        await world.restart()
        record = await world.journal.take_over(0)
        found = await looked_through(world.journal, 0, record.commanded)
        assert [one.event for one in found] == [command("brake")]
        assert found[0].position > record.position
        assert await command_ids(world.journal, 1) == []

    async def test_a_command_that_comes_behind_a_backlog_is_found(self, journal: Journal) -> None:
        (subject,) = some_subjects(journal, 1)
        record = await journal.take_over(0)
        await journal.append(numbered(subject, BACKLOG))
        assert len(await journal.read(0, record.position, 10)) == 10
        await journal.append([command("brake")])

        async def found() -> list[str]:
            while not (ids := await command_ids(journal, 0, record.commanded)):
                await journal.wait(0, 0.05)
            return ids

        assert await soon_of(found()) == [command("brake").id]

    async def test_the_newest_command_is_known_before_an_act(self, journal: Journal) -> None:
        """Asked for the newest, the journal leaves out nothing that was durable before."""
        (subject,) = some_subjects(journal, 1)
        record = await journal.take_over(0)
        for name in ("first", "second", "third"):
            await journal.append(numbered(subject, 20))
            await journal.append([command(name)])
            commands = await journal.commands(0, record.commanded, newest=True)
            assert commands.whole
            assert commands.found[-1].event == command(name)

    async def test_commands_are_given_in_order_and_in_their_turn_as_well(
        self, journal: Journal
    ) -> None:
        (subject,) = some_subjects(journal, 1)
        await journal.append([command("on")])
        await journal.append([event(subject)])
        await journal.append([command("off", release=True)])
        ids = [command("on").id, command("off").id]
        assert await command_ids(journal) == ids
        assert await read_ids(journal, 0) == [ids[0], event(subject).id, ids[1]]

    async def test_an_applied_command_is_given_no_more(self, world: JournalWorld) -> None:
        (subject,) = some_subjects(world.journal, 1)
        await world.journal.append([event(subject), command("on")])
        record = await world.journal.take_over(0)
        (found,) = await looked_through(world.journal, 0, record.commanded)
        ahead = record.model_copy(update={"commands": found.position})
        record = await written(world.journal, ahead)
        await world.journal.append([command("on"), command("off", release=True)])
        await world.restart()
        record = await world.journal.take_over(0)
        assert (record.position, record.commanded) == (0, found.position)
        assert await command_ids(world.journal, 0, record.commanded) == [command("off").id]

    async def test_a_command_that_was_read_in_its_turn_is_given_no_more(
        self, world: JournalWorld
    ) -> None:
        await world.journal.append([command("on")])
        (entry,) = await world.journal.read(0, 0, 1)
        await written(world.journal, await world.journal.take_over(0), position=entry.position)
        await world.restart()
        record = await world.journal.take_over(0)
        assert await command_ids(world.journal, 0, record.commanded) == []

    async def test_an_act_on_a_letter_is_a_command(self, journal: Journal) -> None:
        body = DeadLetterDropped(by="local:0", position=3, code="EVT-005", letter="0" * 64)
        act = command("drop").model_copy(update={"body": body})
        await journal.append([act])
        assert await command_ids(journal) == [act.id]

    async def test_a_closed_journal_gives_no_commands(self, world: JournalWorld) -> None:
        await world.journal.close()
        assert (await refusal(world.journal.commands(0, 0))).code == "JRN-001"
