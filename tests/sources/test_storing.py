"""Notifications that arrive together are stored together, and fail alone."""

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from connector.core.errors import ConnectorError, Rejected, Transient
from connector.core.events import DeviceEnrolled, Event
from connector.core.metrics import NoMetrics
from connector.core.model import SubjectKind, subject_key
from connector.sources.storing import MOST_APPENDS, MOST_TOGETHER, Storing
from tests.patience import PATIENCE


class Log:
    """Keeps what it is given, as soon as it is let."""

    def __init__(self, *, stalled: bool = False) -> None:
        """Let everything in, unless stalled."""
        self.calls: list[list[str]] = []
        self.begun = 0
        self.begins = asyncio.Semaphore(0)
        self.let = asyncio.Event()
        if not stalled:
            self.let.set()

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """Note the ids of one call."""
        self.begun += 1
        self.begins.release()
        await self.let.wait()
        self.calls.append([event.id for event in events])
        return [True] * len(events)


class Forgetful(Log):
    """Answers for one event less than it was given."""

    async def append(self, events: Sequence[Event]) -> list[bool]:
        """All but the last."""
        return (await super().append(events))[1:]


def an_event(number: str) -> Event:
    """An enrolment."""
    subject = subject_key("acme", SubjectKind.DEVICE, number)
    return Event(
        id=number,
        tenant="acme",
        subject=subject,
        source="workspace-one",
        received_at=1,
        body=DeviceEnrolled(),
    )


def unreadable() -> Event:
    """What cannot be read."""
    raise Rejected("EVT-001", "reading a notification")


async def outcomes(storing: Storing, *numbers: str) -> list[str]:
    """What becomes of notifications that arrive together; ``?`` is unreadable, ``-`` nothing."""

    async def one(number: str) -> str:
        try:
            if number == "?":
                await storing.store("workspace-one", unreadable)
            else:
                event = None if number == "-" else an_event(number)
                await storing.store("workspace-one", lambda: event)
        except (ConnectorError, ValueError) as error:
            return error.code if isinstance(error, ConnectorError) else "failed"
        return "stored"

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number)) for number in numbers]
    return [task.result() for task in tasks]


async def test_what_arrives_together_is_one_append() -> None:
    """One call of the journal carries them all, in their order."""
    log = Log()
    assert await outcomes(Storing(log, NoMetrics(), PATIENCE), "1", "2", "3") == ["stored"] * 3
    assert log.calls == [["1", "2", "3"]]


async def test_what_keeps_arriving_is_gathered() -> None:
    """A turn of the event loop that brings more is followed by another."""
    log = Log()
    storing = Storing(log, NoMetrics(), PATIENCE)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for number in range(MOST_TOGETHER + 5):
            group.create_task(storing.store("ca", partial(an_event, str(number))))
            if number % 2:
                await asyncio.sleep(0)
    assert [len(ids) for ids in log.calls] == [MOST_TOGETHER, 5]


async def test_requests_are_held_while_appends_run() -> None:
    """When one ends, all that came meanwhile is the next one, in its order."""
    log = Log(stalled=True)
    storing = Storing(log, NoMetrics(), PATIENCE, longest_held=PATIENCE)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for number in range(MOST_APPENDS):
            group.create_task(storing.store("ca", partial(an_event, str(number))))
            await log.begins.acquire()
        for name in "abc":
            group.create_task(storing.store("ca", partial(an_event, name)))
            for _ in range(10):
                await asyncio.sleep(0)
        assert log.begun == MOST_APPENDS
        log.let.set()
    assert log.calls[MOST_APPENDS:] == [["a", "b", "c"]]


async def test_requests_are_not_held_for_long() -> None:
    """Appends that stall do not keep others from being tried."""
    log = Log(stalled=True)
    storing = Storing(log, NoMetrics(), PATIENCE, longest_held=0.001)
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for number in range(MOST_APPENDS + 1):
            group.create_task(storing.store("ca", partial(an_event, str(number))))
            await log.begins.acquire()
        log.let.set()


async def test_one_that_cannot_be_read_spoils_no_other() -> None:
    """It is refused, what means nothing is dropped, and the others are stored."""
    log = Log()
    told = await outcomes(Storing(log, NoMetrics(), PATIENCE), "1", "?", "-", "2")
    assert told == ["stored", "EVT-001", "stored", "stored"]
    assert log.calls == [["1", "2"]]


async def test_a_stalled_journal_is_not_waited_for_for_ever() -> None:
    """Waiting callers get the answer; what comes later is stored when the journal is back."""
    log = Log(stalled=True)
    storing = Storing(log, NoMetrics(), 0.02)
    assert await outcomes(storing, "1", "2") == ["EVT-003", "EVT-003"]
    log.let.set()
    assert await outcomes(storing, "3") == ["stored"]


async def test_an_answer_that_does_not_fit_is_no_success() -> None:
    """A journal that answers for fewer events than it was given has stored none for certain."""
    told = await outcomes(Storing(Forgetful(), NoMetrics(), PATIENCE), "1", "2")
    assert told == ["failed", "failed"]


async def test_a_request_that_was_given_up_leaves_the_others_alone() -> None:
    """Its event is stored all the same; closing waits for it."""
    log = Log(stalled=True)
    storing = Storing(log, NoMetrics(), PATIENCE)
    async with asyncio.TaskGroup() as group:
        given_up = group.create_task(storing.store("ca", lambda: an_event("1")))
        kept = group.create_task(storing.store("ca", lambda: an_event("2")))
        await asyncio.sleep(0)
        given_up.cancel()
        log.let.set()
    await storing.close()
    assert given_up.cancelled()
    assert kept.exception() is None
    assert log.calls == [["1", "2"]]


async def test_every_request_gets_a_fault_of_its_own() -> None:
    """Errors are not shared: each has the trace of its own request."""

    class Full(Log):
        """Has no room."""

        async def append(self, events: Sequence[Event]) -> list[bool]:  # noqa: ARG002
            """Refuse."""
            raise Transient("JRN-001", "appending", retry_after=7)

    storing = Storing(Full(), NoMetrics(), PATIENCE)
    first, second = (
        asyncio.ensure_future(storing.store("ca", lambda: an_event("1"))) for _ in range(2)
    )
    await asyncio.wait([first, second], timeout=PATIENCE)
    with pytest.raises(Transient) as one:
        await first
    with pytest.raises(Transient) as other:
        await second
    assert one.value is not other.value
    assert one.value.retry_after == other.value.retry_after == 7
