"""What is concluded from a transcript and a wait status."""

import json
import signal

import pytest

from connector.core.errors import Fault
from connector.core.handover import (
    Accepted,
    HandoverJob,
    HandoverOutcome,
    NotSent,
    PluginReference,
    Unknown,
)
from connector.core.model import SetEntry, Slot, set_digest
from connector.core.selection import SelectionRules, SigningPolicy
from connector.keys.handover.outcome import Observed, judge
from connector.keys.handover.transcript import Transcript
from connector.keys.handover.wire import ANSWER_LIMIT, Mark, encode_mark

PLUGIN = PluginReference(plugin="http", name="ca", settings={})
ENTRY = SetEntry(slot=Slot.ENCRYPTION, fingerprint="a" * 64, public_key="b" * 64)
JOB = HandoverJob(
    attempt=1,
    holder="1",
    person="ada",
    route="staff",
    escrow=PLUGIN,
    target=PLUGIN,
    entries=(ENTRY,),
    requests=(),
    digest=set_digest([ENTRY]),
    address="ada@example.org",
    now=0,
    rules=SelectionRules(signing=SigningPolicy.NEVER),
    limit=10,
)
FETCHING, SENDING = encode_mark(Mark.FETCHING), encode_mark(Mark.SENDING)
EXITED, KILLED, TIMED, BURNT = 1 << 8, signal.SIGKILL, signal.SIGALRM, signal.SIGXCPU


def judged(*pieces: bytes, status: int | None = EXITED, **more: bool) -> HandoverOutcome:
    transcript = Transcript()
    for piece in pieces:
        transcript.feed(piece)
    transcript.close()
    return judge(JOB, Observed(transcript=transcript, status=status, **more))


@pytest.mark.parametrize(
    ("status", "more", "code"),
    [
        (KILLED, {}, "HND-002"),
        (EXITED, {}, "HND-002"),
        (TIMED, {}, "HND-001"),
        (KILLED, {"overran": True}, "HND-001"),
        (KILLED, {"cancelled": True}, "HND-006"),
        (BURNT, {}, "KEY-210"),
    ],
)
def test_death_is_judged_by_the_last_mark(status: int, more: dict[str, bool], code: str) -> None:
    """Before the upload's mark nothing was sent, after it that is unknown; each has a code."""
    early = judged(FETCHING, status=status, **more)
    late = judged(FETCHING, SENDING, status=status, **more)
    assert isinstance(early, NotSent)
    assert isinstance(late, Unknown)
    assert {early.fault.code, late.fault.code} == {code}
    assert early.disclosed == late.disclosed == 1


def test_process_that_never_started() -> None:
    """No status and no word: it was not started, and nothing left escrow."""
    outcome = judged(status=None)
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-005", 0)


def test_detail_names_the_end() -> None:
    """The operator reads which signal or exit status it was."""
    killed, exited = judged(status=KILLED), judged(status=EXITED)
    assert isinstance(killed, NotSent)
    assert isinstance(exited, NotSent)
    assert killed.fault.detail.endswith("SIGKILL")
    assert exited.fault.detail.endswith("exit status 1")


def test_marks_may_come_in_pieces() -> None:
    """Where the stream is cut does not matter."""
    whole = FETCHING + SENDING
    for cut in range(len(whole)):
        assert isinstance(judged(whole[:cut], whole[cut:], status=KILLED), Unknown)


def test_miscounted_disclosure_is_no_answer() -> None:
    """An answer that claims fewer fetched keys than were announced is believed nothing."""
    fault = Fault(code="CA-001", family="transient")  # type: ignore[arg-type] # as in JSON
    answer = NotSent(fault=fault, disclosed=0).model_dump_json().encode() + b"\n"
    honest, liar = judged(answer), judged(FETCHING, answer)
    assert isinstance(honest, NotSent)
    assert isinstance(liar, Unknown)
    assert liar.fault.code == "HND-003"


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ({}, NotSent),
        ({"scope": "upstream", "upstream": "ca:ca"}, NotSent),
        ({"scope": "upstream", "upstream": "ca:another"}, Unknown),
        ({"detail": "\x1b]0;steering a terminal\x07"}, Unknown),
        ({"retry_after": 10**400}, Unknown),
    ],
)
def test_fault_that_is_not_of_this_job_is_not_believed(
    claim: dict[str, object], kind: type[HandoverOutcome]
) -> None:
    """A process that was taken over cuts no other upstream off and writes to no terminal."""
    fault = {"code": "CA-001", "family": "transient"} | claim
    told = {"outcome": "not_sent", "fault": fault, "disclosed": 1}
    answer = json.dumps(told).encode() + b"\n"
    assert isinstance(judged(FETCHING, answer), kind)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ({}, Accepted),
        ({"server_time": None}, Accepted),
        ({"server_time": -1}, Unknown),
        ({"server_time": 10**18}, Unknown),
        ({"bundles": [{"slot": "encryption", "fingerprint": "a" * 64, "size": -1}]}, Unknown),
    ],
)
def test_receipt_with_impossible_numbers_is_no_receipt(
    claim: dict[str, object], kind: type[HandoverOutcome]
) -> None:
    """What the copy's end is reckoned from, and what the audit trail keeps, are sane numbers."""
    receipt = {
        "outcome": "accepted",
        "digest": JOB.digest,
        "bundles": [{"slot": "encryption", "fingerprint": "a" * 64, "size": 3000}],
        "server_time": 1_772_700_000_000,
        "memory_locked": True,
    }
    answer = json.dumps(receipt | claim).encode() + b"\n"
    assert isinstance(judged(FETCHING, SENDING, answer), kind)


@pytest.mark.parametrize("tail", [b"x" * (ANSWER_LIMIT + 1), b"x", b"{}\n{}\n", b"\n"])
def test_anything_else_is_nonsense(tail: bytes) -> None:
    """Too much, an unfinished line, two answers or an empty one are no answer."""
    outcome = judged(FETCHING, tail)
    assert isinstance(outcome, Unknown)
    assert outcome.fault.code == "HND-003"
