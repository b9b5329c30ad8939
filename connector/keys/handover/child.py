"""One hand-over process, from the fork to its end.

The order matters: lock down, read the job, arm the timer and the watch over the service's end,
enter the sandbox, allow key material, do the steps, answer, exit without cleaning up. The exit
itself erases the keys.
"""

import asyncio
import gc
import os
import socket
from collections.abc import Callable
from pathlib import Path

import uvloop

from connector import boot
from connector.core.errors import ConnectorError, Fault, Permanent, Transient
from connector.core.handover import HandoverJob, HandoverOutcome, NotSent
from connector.core.key_material import allow_key_material
from connector.core.ports import EscrowBackend, Target
from connector.core.reach import Protection, Reach
from connector.crash import CrashPoint, armed, never
from connector.keys.handover import hardening, lockdown, sandbox
from connector.keys.handover.plugins import open_plugins
from connector.keys.handover.steps import HandOverSteps
from connector.keys.handover.wire import ENVELOPE_LIMIT, Envelope, Mark, encode, encode_mark

PROCESSOR_SECONDS = 5
PROCESSOR_SECONDS_PER_KEY = 3
"""The full check of the largest key allowed takes about 1.5 s."""

ENVELOPE_SECONDS = 5.0
"""How long a process waits for its job."""

ANSWER_SECONDS = 0.2
"""Left before the kernel's timer, so that running into the limit can still be answered."""


class Process:
    """Implements ``Surroundings``, which the steps need, for this process."""

    def __init__(
        self,
        channel: socket.socket,
        deadline: float,
        token_bytes: Callable[[int], bytes],
        crash_point: CrashPoint,
    ) -> None:
        """Talk over ``channel``, until ``deadline`` on the clock of the boot.

        ``crash_point`` is called with the name of each place passed.
        """
        self._channel = channel
        self._deadline = deadline
        self.token_bytes = token_bytes
        self.crash_point = crash_point

    def mark(self, mark: Mark) -> None:
        """Report the next step to the service."""
        self._channel.sendall(encode_mark(mark))

    def monotonic(self) -> float:
        """The clock of the machine's boot, which the deadline refers to."""
        return boot.seconds()

    def seconds_left(self) -> float:
        """Seconds until the process must answer that its time is over."""
        return self._deadline - ANSWER_SECONDS - self.monotonic()

    async def pause(self, seconds: float) -> None:
        """Sleep for ``seconds``."""
        await asyncio.sleep(seconds)


def main(channel: int, token_bytes: Callable[[int], bytes]) -> None:
    """Run one hand-over over a connected socket, and answer on it.

    Args:
        channel: descriptor of the socket.
        token_bytes: source of randomness for passwords.
    """
    gc.disable()
    lockdown.close_everything_else(channel)
    lockdown.forget_signal_handlers()
    hardening.forbid_gains()
    hardening.forbid_looking_in()
    lockdown.end_at(boot.seconds() + ENVELOPE_SECONDS)
    with socket.socket(fileno=lockdown.CHANNEL) as connected:
        envelope = Envelope.model_validate_json(_line(connected))
        process = Process(connected, envelope.deadline, token_bytes, _crash_point(envelope.job))
        connected.sendall(encode(_outcome(envelope, process)))


def _outcome(envelope: Envelope, process: Process) -> HandoverOutcome:
    job = envelope.job
    try:
        escrow, target = open_plugins(job)
        protection = _locked_down(envelope, escrow.reach() + target.reach())
    except ConnectorError as error:
        return NotSent(fault=error.fault())
    except Exception as error:  # noqa: BLE001 - a plug-in's mistake costs one attempt, not more
        return NotSent(fault=_mistake(error))
    return uvloop.run(_hand_over(HandOverSteps(job, process, protection), escrow, target))


def _mistake(error: Exception) -> Fault:
    return Permanent("HND-009", f"handing over: {type(error).__name__}").fault()


def _line(channel: socket.socket) -> bytes:
    received = bytearray()
    while not received.endswith(b"\n") and len(received) <= ENVELOPE_LIMIT:
        piece = channel.recv(64 * 1024)
        if not piece:
            os._exit(1)
        received += piece
    return bytes(received)


def _locked_down(envelope: Envelope, reach: Reach) -> Protection:
    """Take the last steps of the lock-down; ``reach`` is what the plug-ins declared."""
    job = envelope.job
    processor = PROCESSOR_SECONDS + PROCESSOR_SECONDS_PER_KEY * len(job.entries)
    lockdown.limit_resources(lockdown.Limits(processor))
    locked = lockdown.lock_memory()
    lockdown.require_unswappable(locked=locked, accept_unlocked=envelope.accept_unlocked_memory)
    lockdown.end_at(envelope.deadline)
    lockdown.end_with_the_service()
    issuers = Reach(files=() if job.issuers_file is None else (Path(job.issuers_file),))
    built = sandbox.enter(reach + issuers, envelope.sandbox)
    allow_key_material()
    return Protection(locked, built)


def _crash_point(job: HandoverJob) -> CrashPoint:
    return never if job.crash_at is None else armed(job.crash_at, by=job.crash_by)


async def _hand_over(
    steps: HandOverSteps, escrow: EscrowBackend, target: Target
) -> HandoverOutcome:
    try:
        async with asyncio.timeout(steps.around.seconds_left()), escrow, target:
            return await steps.carry_out(escrow, target)
    except ConnectorError as error:
        return steps.failed(error.fault())
    except TimeoutError:
        return steps.failed(Transient("HND-001", "handing over: longer than its limit").fault())
    except Exception as error:  # noqa: BLE001 - a plug-in's mistake costs one attempt, not more
        return steps.failed(_mistake(error))
