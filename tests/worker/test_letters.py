"""Dead letters on a running worker: set aside, settled by people, and read again."""

import base64

from connector.core.events import DeadLetterDropped, DeviceChanged, Event
from connector.core.journal import DeadLetter, DeadLetterFilter
from connector.core.model import SubjectKind, subject_key
from tests.worker.conftest import Stage

PARTITION = subject_key("-", SubjectKind.PARTITION, "0")
DEVICE = subject_key("acme", SubjectKind.DEVICE, "7")


async def plant(stage: Stage, name: str, original: bytes) -> None:
    """A record in the journal as another program wrote it, under the id ``name``."""
    row = (0, name, stage.clock.now(), original, None)
    writer = stage.journal._opened().writer
    await writer.run(lambda connection, log: log.insert(connection, [row]))


async def letters(stage: Stage) -> list[DeadLetter]:
    return await stage.journal.dead_letters(DeadLetterFilter())


async def test_an_unreadable_record_is_set_aside_and_the_rest_goes_on(stage: Stage) -> None:
    """Byte for byte, with its place; what stands behind it is done."""
    async with stage.running():
        await plant(stage, "odd", b"\xff from the future")
        await stage.enrol()
        await stage.until(stage.holder)
        (letter,) = await letters(stage)
    assert base64.b64decode(letter.original) == b"\xff from the future"
    assert (letter.partition, letter.position, letter.code) == (0, 1, "EVT-005")


async def test_a_dropped_letter_is_gone_and_the_trail_says_who(stage: Stage) -> None:
    """List and trail change in one commit of the owner."""
    act = DeadLetterDropped(
        by="local:0 as anna", reason="foreign", position=1, code="EVT-005", letter="a" * 64
    )
    async with stage.running():
        await plant(stage, "odd", b"\xff")
        await stage.until(lambda: letters(stage))
        await stage.send(PARTITION, act)
        await stage.until(lambda: _none_left(stage))
    (entry,) = [one for one in await stage.audited() if one.action == "person.dead_letter_dropped"]
    assert (entry.actor, entry.reason) == ("local:0 as anna", "foreign")
    assert entry.details == {"position": 1, "code": "EVT-005", "letter": "a" * 64}


async def _none_left(stage: Stage) -> bool:
    return await letters(stage) == []


async def test_the_id_of_an_unreadable_record_may_come_again(stage: Stage) -> None:
    """Otherwise its replay would count as a repetition, and nothing would ever be done."""
    event = Event(
        id="i" * 40,
        tenant="acme",
        subject=DEVICE,
        source="workspace-one",
        received_at=stage.clock.now(),
        body=DeviceChanged(),
    )
    async with stage.running():
        await plant(stage, event.id, b"written by a newer program")
        assert await stage.journal.append([event]) == [False]
        await stage.until(lambda: letters(stage))
        assert await stage.journal.append([event]) == [True]
        assert await stage.journal.append([event]) == [False]
