"""Dead letters over the operators' socket: looked at, put in again, given up."""

import base64
import hashlib

import pytest
from pydantic import ValidationError

from connector.core.errors import Rejected
from connector.core.events import DeadLetterDropped, DeadLetterReplayed, DeviceChanged, Event
from connector.core.model import SubjectKind, subject_key
from connector.operators.client import AdminClient
from connector.operators.verbs.dead_letters import (
    DropLetters,
    LetterQuery,
    ReplayLetters,
)
from tests.operators.world import AdminWorld
from tests.support import asked
from tests.support.clocks import NOW

READABLE = Event(
    id="a" * 40,
    tenant="corp",
    subject=subject_key("corp", SubjectKind.DEVICE, "15"),
    source="workspace-one",
    received_at=NOW - 5_000,
    body=DeviceChanged(what="compliance"),
)
NONSENSE = b"\x00\xff not an event"


def readable() -> bytes:
    return READABLE.model_dump_json().encode()


async def test_a_listing_names_places_and_what_can_be_read(
    world: AdminWorld, client: AdminClient
) -> None:
    """Size and digest belong to the original bytes, which are not sent."""
    await world.bury(0, 3, readable(), at=NOW - 10)
    await world.bury(1, 7, NONSENSE, at=NOW - 20)
    page = await asked.letters(client, LetterQuery())
    first, second = page.items
    assert (first.place, first.reads_as, first.subject) == (
        "0/3",
        "device_changed",
        READABLE.subject,
    )
    assert (second.place, second.reads_as, second.at) == ("1/7", "", NOW - 20)
    assert (second.size, second.digest) == (len(NONSENSE), hashlib.sha256(NONSENSE).hexdigest())
    assert (page.after, page.now) == (None, NOW)


@pytest.mark.parametrize("stored", [b"\x00", b"{}", b'"text"', b'{"newer": 1}'])
async def test_a_letter_that_cannot_be_read_stops_nothing(
    world: AdminWorld, client: AdminClient, stored: bytes
) -> None:
    """It is listed with what is stored, is found by no time, and can be dropped."""
    await world.bury(0, 3, readable())
    await world.bury(0, 4, NONSENSE)
    await world.journal._opened().writer.run(
        lambda connection, _: connection.execute(
            "UPDATE dead_letters SET letter = ? WHERE position = 4", (stored,)
        )
    )
    first, second = (await asked.letters(client, LetterQuery())).items
    assert (first.reads_as, second.reads_as) == ("device_changed", "")
    assert (second.code, second.size) == ("EVT-005", len(stored))
    for query in (LetterQuery(since=0), LetterQuery(code="EVT-001"), LetterQuery(until=NOW)):
        assert "0/4" not in {one.place for one in (await asked.letters(client, query)).items}


async def test_a_listing_goes_on_behind_a_place(world: AdminWorld, client: AdminClient) -> None:
    """Page by page, every letter once."""
    for place in (-2, 1, 5):
        await world.bury(0, place, NONSENSE)
    await world.bury(1, 1, NONSENSE)
    query, seen = LetterQuery(limit=2), []
    while True:
        page = await asked.letters(client, query)
        seen += [view.place for view in page.items]
        if page.after is None:
            break
        query = query.model_copy(update={"after": page.after})
    assert seen == ["0/-2", "0/1", "0/5", "1/1"]


async def test_letters_are_chosen_by_code_time_and_partition(
    world: AdminWorld, client: AdminClient
) -> None:
    """All of them together, if several are named."""
    await world.bury(0, 1, NONSENSE, at=10)
    await world.bury(0, 2, NONSENSE, at=20, code="EVT-001")
    await world.bury(1, 1, NONSENSE, at=30)

    async def places(**query: object) -> list[str]:
        page = await asked.letters(client, LetterQuery.model_validate(query))
        return [view.place for view in page.items]

    assert await places(code="EVT-001") == ["0/2"]
    assert await places(since=20) == ["0/2", "1/1"]
    assert await places(until=20) == ["0/1"]
    assert await places(partition=1) == ["1/1"]
    assert await places(code="EVT-005", since=11) == ["1/1"]


async def test_one_letter_is_shown_byte_for_byte(world: AdminWorld, client: AdminClient) -> None:
    """With the event that it can be read as, if it can."""
    await world.bury(0, 3, readable())
    await world.bury(0, 4, NONSENSE)
    assert (await asked.letter(client, "0/3")).event == READABLE
    shown = await asked.letter(client, "0/4")
    assert (base64.b64decode(shown.letter.original), shown.event) == (NONSENSE, None)
    with pytest.raises(Rejected) as refused:
        await asked.letter(client, "0/5")
    assert refused.value.code == "DLV-010"


async def test_a_replay_appends_the_event_and_writes_down_who(
    world: AdminWorld, client: AdminClient
) -> None:
    """The id is the same; the time of receipt is that of the replay, from which ids are kept."""
    await world.bury(0, 3, readable())
    receipt = await asked.settle(client, ReplayLetters(places=("0/3",), reason="upgraded"))
    (outcome,) = receipt.outcomes
    assert (outcome.result, outcome.known, outcome.reads_as) == (
        "replayed",
        False,
        "device_changed",
    )
    (again,) = await world.events(READABLE.subject)
    assert again == READABLE.model_copy(update={"received_at": NOW})
    (act,) = await world.events(subject_key("-", SubjectKind.PARTITION, "0"))
    assert isinstance(act.body, DeadLetterReplayed)
    assert (act.body.by.endswith("as anna"), act.body.reason) == (True, "upgraded")
    assert (act.body.position, act.body.letter) == (3, hashlib.sha256(readable()).hexdigest())


async def test_a_replay_of_a_known_event_is_told(world: AdminWorld, client: AdminClient) -> None:
    """It came by another way meanwhile: nothing is done twice, and the letter is settled."""
    await world.journal.append([READABLE])
    await world.bury(0, 3, readable())
    (outcome,) = (await asked.settle(client, ReplayLetters(places=("0/3",)))).outcomes
    assert (outcome.result, outcome.known) == ("replayed", True)
    assert len(await world.events(READABLE.subject)) == 1


async def test_what_cannot_be_read_stays_dead(world: AdminWorld, client: AdminClient) -> None:
    """It is listed with its code, nothing is appended, and the others are still replayed."""
    await world.bury(0, 3, NONSENSE)
    await world.bury(0, 4, readable())
    act = ReplayLetters(places=("0/3", "0/4", "0/99"))
    outcomes = (await asked.settle(client, act)).outcomes
    assert [outcome.result for outcome in outcomes] == ["dead", "replayed", "missing"]
    assert outcomes[0].code == "EVT-005"
    assert len(await world.events()) == 2


@pytest.mark.parametrize("act", ["replay", "drop"])
async def test_a_dry_run_changes_nothing(world: AdminWorld, client: AdminClient, act: str) -> None:
    """It says what would become of each letter."""
    await world.bury(0, 3, readable())
    kind = ReplayLetters if act == "replay" else DropLetters
    wanted = kind(places=("0/3",), reason="look", dry_run=True)
    (outcome,) = (await asked.settle(client, wanted)).outcomes
    assert outcome.result == {"replay": "replayed", "drop": "dropped"}[act]
    assert await world.events() == []


async def test_a_drop_needs_a_reason_and_is_written_down(
    world: AdminWorld, client: AdminClient
) -> None:
    """The digest says later which letter it was."""
    await world.bury(1, 7, NONSENSE)
    with pytest.raises(ValidationError, match="reason"):
        DropLetters.model_validate({"places": ("1/7",)})
    await asked.settle(client, DropLetters(places=("1/7",), reason="foreign"))
    (event,) = await world.events()
    assert event.subject == subject_key("-", SubjectKind.PARTITION, "1")
    assert isinstance(event.body, DeadLetterDropped)
    assert event.body.letter == hashlib.sha256(NONSENSE).hexdigest()


async def test_the_same_request_again_is_one_act(world: AdminWorld, client: AdminClient) -> None:
    """A command line whose connection broke may send it once more."""
    await world.bury(0, 3, NONSENSE)
    await world.bury(0, 4, NONSENSE)
    for places in (("0/3",), ("0/3", "0/4")):
        await asked.settle(client, DropLetters(places=places, reason="foreign"), "key")
    bodies = [event.body for event in await world.events()]
    dropped = [body.position for body in bodies if isinstance(body, DeadLetterDropped)]
    assert dropped == [3, 4]
