"""What is too large for the journal stops its own subject only, and is kept as far as possible."""

import base64
import hashlib

import pytest

from connector.core.boot_time import BootTime
from connector.core.errors import Permanent
from connector.core.events import DeviceEnrolled
from connector.core.journal import DeadLetter, DeadLetterFilter, PartitionRecord, StateRow
from connector.core.model import SubjectKind, subject_key
from connector.core.policy import Retry, Rules
from connector.core.sizes import LARGEST, Place, TooLarge, dead_letter
from connector.core.states import DeviceState, Phase
from connector.worker.oversized import OnceMore, Oversized
from connector.worker.round import RoundDraft
from connector_testkit.conformance.journal_samples import event, written
from tests.worker.conftest import Stage

SICK = subject_key("acme", SubjectKind.DEVICE, "8")
OTHER = subject_key("acme", SubjectKind.HOLDER, "8")


async def test_an_event_that_makes_a_state_too_large_becomes_a_dead_letter(stage: Stage) -> None:
    """The others of its round are handled with it, and the subject is as before."""
    full = DeviceState(key=SICK, friendly_name="x")
    room = LARGEST["state"] - len(full.model_dump_json())
    full = full.model_copy(update={"friendly_name": "x" * room})
    record = await stage.journal.take_over(0)
    await written(stage.journal, record, states=[StateRow(key=SICK, state=full)])
    async with stage.running():
        await stage.send(SICK, DeviceEnrolled(), name="one too many")
        await stage.enrol("7")
        await stage.until_phase(Phase.COMPLETED, "7")
    (letter,) = await stage.journal.dead_letters(DeadLetterFilter())
    assert letter.code == "JRN-015"
    assert stage.journal.revive(letter).id == "one too many"
    assert await stage.journal.load([SICK]) == {SICK: full}
    told = [one for one in await stage.audited() if one.action == "subject.failed"]
    assert [(one.subject, one.outcome) for one in told] == [(SICK, "JRN-015")]


def draft() -> RoundDraft:
    once = Retry(first=1, cap=1)
    rules = Rules(
        routes={},
        epoch=1,
        boot=BootTime("here", 0),
        device_retry=once,
        device_deadline=1,
        deadlines_held=False,
        dice=lambda: 0.5,
    )
    return RoundDraft(PartitionRecord(partition=0), now=1, rules=rules, loaded={})


def test_an_event_to_another_is_its_senders() -> None:
    """Who would get it has nothing to do with it; a second time nothing is left to leave out."""
    oversized, one = Oversized(), draft()
    one.events, one.origins = [event(OTHER)], [SICK]
    error = TooLarge(Place("event", OTHER, 0), 1)
    with pytest.raises(OnceMore):
        oversized.trace(one, error)
    assert set(oversized.subjects) == {SICK}
    with pytest.raises(TooLarge):
        oversized.trace(one, error)
    oversized.written()
    assert not oversized.subjects


def test_a_record_of_the_partition_itself_cannot_be_left_out() -> None:
    """Then the partition stops, and says so."""
    own = subject_key("-", SubjectKind.PARTITION, "0")
    with pytest.raises(Permanent):
        Oversized().trace(draft(), TooLarge(Place("audit record", own, 0), 1))


def test_a_letter_that_is_too_large_is_written_without_its_bytes() -> None:
    """Its digest identifies it; if that is too large as well, the partition stops."""
    oversized, one = Oversized(), draft()
    one.dead_letters = [dead_letter((0, 7), "EVT-005", b"bytes", 1)]
    error = TooLarge(Place("dead letter", "", 0), 1)
    with pytest.raises(OnceMore):
        oversized.trace(one, error)
    oversized.shorten(one)
    (letter,) = one.dead_letters
    assert (letter.code, letter.original, letter.position) == ("JRN-015", "", 7)
    assert _headers(letter) == _marks("EVT-005", b"bytes")
    with pytest.raises(TooLarge):
        oversized.trace(one, error)


def test_a_record_that_is_too_large_for_a_letter_keeps_its_beginning() -> None:
    """With headers and base64 a letter is larger than its record."""
    body, headers = b"\xff" * LARGEST["dead letter"], [("name", b"value")]
    letter = dead_letter((0, 7), "EVT-005", body, 1, headers)
    assert letter.code == "JRN-015"
    assert body.startswith(base64.b64decode(letter.original))
    assert _headers(letter) == _marks("EVT-005", body)
    whole = dead_letter((0, 7), "EVT-005", body[:1000], 1, headers)
    assert base64.b64decode(whole.original) == body[:1000]
    assert _headers(whole) == {"name": b"value"}


def test_every_letter_fits_that_is_made_of_a_record() -> None:
    """For each part of it: a body, headers, or the code of the failure."""
    for body, headers in (
        (b"x" * (LARGEST["dead letter"] // 2), []),
        (b"", [("n" * (LARGEST["dead letter"] // 4), b"v" * (LARGEST["dead letter"] // 4))]),
    ):
        letter = dead_letter((0, 7), "EVT-005", body, 1, headers)
        assert letter.code == "EVT-005"
        assert len(letter.model_dump_json()) <= LARGEST["dead letter"]


def _headers(letter: DeadLetter) -> dict[str, bytes]:
    return {name: base64.b64decode(value) for name, value in letter.headers}


def _marks(code: str, body: bytes) -> dict[str, bytes]:
    return {
        "cut-code": code.encode(),
        "cut-bytes": b"%d" % len(body),
        "cut-sha256": hashlib.sha256(body).hexdigest().encode(),
    }
