"""A pause: what does not upload yet is ended, an upload runs on."""

import asyncio
import os
import signal

import pytest

from connector import boot
from connector.core.handover import Accepted, NotSent, Unknown
from connector.keys.handover.parent import HandOver
from connector_testkit.demo.polling import until
from tests.keys.handover.conftest import COMMAND
from tests.keys.handover.scene import Person, Reached

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


async def test_pause_ends_what_does_not_upload_yet(hand_over: HandOver, person: Person) -> None:
    """The one that fetches is ended and has sent nothing; the one that uploads gets through."""
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        fetching = group.create_task(hand_over.run(person.job(escrow={"fetch": "stop"}), 10))
        uploading = group.create_task(hand_over.run(person.job(target={"after": "stop"}), 10))
        where = dict([await reached.next(), await reached.next()])
        hand_over.cancel_unsent()
        outcome = await fetching
        os.kill(where["after"], signal.SIGCONT)
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-006", 1)
    assert isinstance(uploading.result(), Accepted)


async def test_pause_ends_what_waits_to_send_again(person: Person) -> None:
    """Nothing is on its way between two tries; whether the first was taken stays open."""
    sent = asyncio.Event()

    def requested(upstream: str) -> None:
        if upstream.startswith("uem:"):
            sent.set()

    job = person.job(target={"after": "fail=UEM-010"})
    hand_over = HandOver(accept_unlocked_memory=True, command=COMMAND, requested=requested)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(hand_over.run(job, 30))
        await sent.wait()

        async def ended() -> bool:
            hand_over.cancel_unsent()
            return running.done()

        await until("the process is ended", ended)
    await hand_over.stop()
    outcome = running.result()
    assert isinstance(outcome, Unknown)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-006", 2)


async def test_pause_before_the_job_is_read(hand_over: HandOver, person: Person) -> None:
    """A process that has not read its job yet is ended as well."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(hand_over.run(person.job(target={"after": "stall"}), 10))
        group.create_task(_cancel(hand_over))
    outcome = running.result()
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-006", 0)


async def _cancel(hand_over: HandOver) -> None:
    hand_over.cancel_unsent()


async def test_time_that_is_over_before_it_begins(hand_over: HandOver, person: Person) -> None:
    """A service that slept since its decision starts no process, however long its limit is."""
    outcome = await hand_over.run(person.job(), 10, boot.seconds() - 0.01)
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-006", 0)


async def test_pause_while_the_forkserver_starts_anew(person: Person) -> None:
    """A job that waits for it is not begun, and one that is not meant goes on."""
    hand_over = HandOver(accept_unlocked_memory=True, command=COMMAND)
    await hand_over.start()
    await hand_over.stop()
    async with asyncio.TaskGroup() as group:
        paused = group.create_task(hand_over.run(person.job(), 20))
        other = group.create_task(hand_over.run(person.job(holder="another"), 20))
        await asyncio.sleep(0)
        hand_over.cancel_unsent(lambda job: job.holder != "another")
    await hand_over.stop()
    outcome = paused.result()
    assert isinstance(outcome, NotSent)
    assert (outcome.fault.code, outcome.disclosed) == ("HND-006", 0)
    assert isinstance(other.result(), Accepted)


async def test_pause_of_others_ends_nothing(hand_over: HandOver, person: Person) -> None:
    """A brake of one route, or a partition that goes, concerns its own hand-overs only."""
    async with Reached(person) as reached, asyncio.TaskGroup() as group:
        fetching = group.create_task(hand_over.run(person.job(escrow={"fetch": "stop"}), 1.0))
        await reached.next()
        hand_over.cancel_unsent(lambda job: job.holder != person.job().holder)
    outcome = fetching.result()
    assert isinstance(outcome, NotSent)
    assert outcome.fault.code == "HND-001", "its own limit ended it, and nothing before that"
