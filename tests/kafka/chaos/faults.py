"""What is done to a running process of the service, and how it is brought back."""

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from connector_testkit.demo.pod import Pod
from connector_testkit.demo.process_tree import family, kill_at_once, signal_all
from tests.kafka.chaos.pace import Pace

STARTS = 5
"""A process that cannot reach the brokers at its start ends, and is started again so often."""


class UnexpectedEndError(AssertionError):
    """A process that served has ended by itself."""


async def up(pod: Pod) -> None:
    """Start it, as often as it takes, and wait until it serves."""
    for _ in range(STARTS - 1):
        await pod.start()
        with suppress(RuntimeError):
            await pod.ready()
            return
    await pod.start()
    await pod.ready()


def still_up(pod: Pod) -> None:
    """It must not have ended by itself."""
    if not pod.running:
        raise UnexpectedEndError(f"{pod.name} ended by itself; see {pod.folder / 'serve.log'}")


async def power_cut(pod: Pod, pace: Pace, seconds: float) -> None:
    """All its processes are gone at once."""
    kill_at_once(family(pod.pid))
    await pod.kill()
    await pace.rest(seconds)
    await up(pod)


async def service_alone(pod: Pod, pace: Pace, seconds: float) -> None:
    """It dies; its children have to notice."""
    await pod.kill()
    await pace.rest(seconds)
    await up(pod)


async def terminate(pod: Pod, pace: Pace, seconds: float) -> None:
    """It is asked to end, as before an upgrade, and does."""
    code = await pod.stop()
    if code:
        raise UnexpectedEndError(f"{pod.name} was asked to end and ended with {code}")
    await pace.rest(seconds)
    await up(pod)


async def stop_alone(pod: Pod, pace: Pace, seconds: float) -> None:
    """It stands still while its children go on, and then goes on as if nothing had been."""
    await _stand_still([pod.pid], pace, seconds)


async def stop_all(pod: Pod, pace: Pace, seconds: float) -> None:
    """It stands still with its children, as a machine that is suspended."""
    await _stand_still(family(pod.pid), pace, seconds)


async def child(pod: Pod, _: Pace, __: float) -> None:
    """The hand-over process of this moment is killed, or the process that hand-overs come from."""
    for pid in family(pod.pid)[:0:-1][:1]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def _stand_still(pids: list[int], pace: Pace, seconds: float) -> None:
    signal_all(pids, signal.SIGSTOP)
    try:
        await pace.rest(seconds)
    finally:
        signal_all(pids, signal.SIGCONT)


BLOWS: dict[str, Callable[[Pod, Pace, float], Awaitable[None]]] = {
    one.__name__: one for one in (power_cut, service_alone, terminate, stop_alone, stop_all, child)
}
