"""Waiting with one timer for all."""

import asyncio

import pytest

from connector.intake.patience import Patience


async def test_a_wait_that_is_too_long_ends() -> None:
    """Whoever waits for what never comes is told so, and can go on afterwards."""
    patience = Patience(0.02)
    with pytest.raises(TimeoutError), patience.wait():
        await asyncio.Event().wait()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_short_wait_is_left_alone() -> None:
    """Who got what he waited for is not woken up later."""
    patience, there = Patience(0.02), asyncio.Event()
    there.set()
    with patience.wait():
        await there.wait()
    with pytest.raises(TimeoutError), patience.wait():
        await asyncio.Event().wait()


async def test_a_cancelled_wait_stays_cancelled() -> None:
    """Somebody else's cancellation is not mistaken for the end of patience."""
    waiting = asyncio.Event()

    async def wait() -> None:
        with Patience(60).wait():
            waiting.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(wait())
        await waiting.wait()
        task.cancel()
    assert task.cancelled()
