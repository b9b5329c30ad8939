"""What the service concludes from the end of a hand-over process. Pure.

A process that ended without an answer sent nothing if it had not reported an upload yet; otherwise
the outcome of the upload is unknown. An answer that is invalid, or contradicts the reported steps,
is not trusted: all keys of the job count as disclosed, and a copy may be at the target.
"""

import signal
from collections import Counter
from dataclasses import dataclass
from os import WIFSIGNALED, WTERMSIG, waitstatus_to_exitcode

from connector.core.errors import ConnectorError, Fault, Permanent, Transient
from connector.core.handover import (
    Accepted,
    Changed,
    HandoverJob,
    HandoverOutcome,
    NotSent,
    Refused,
    Unknown,
)
from connector.core.model import Millis
from connector.keys.handover.transcript import Transcript
from connector.keys.handover.wire import Mark, decode_outcome

LARGEST_BUNDLE = 1024 * 1024
LATEST: Millis = 253_402_300_799_999
"""The last millisecond of the year 9999."""


@dataclass
class Observed:
    """What was seen of one process.

    ``transcript``: what it wrote. ``overran``: it was ended because its time was up.
    ``cancelled``: it was ended by a pause. ``status``: its wait status, None if it never started
    or the status is not known.
    """

    transcript: Transcript
    overran: bool = False
    cancelled: bool = False
    status: int | None = None


def judge(job: HandoverJob, observed: Observed) -> HandoverOutcome:
    """The outcome of a hand-over whose process is gone."""
    if not observed.transcript.is_complete:
        return _without_answer(observed)
    outcome = _answer(observed.transcript)
    if outcome is not None and _fits(outcome, job, observed.transcript):
        return outcome
    fault = Permanent("HND-003", "reading the answer of a hand-over process").fault()
    return Unknown(fault=fault, disclosed=len(job.entries))


def _answer(transcript: Transcript) -> HandoverOutcome | None:
    if transcript.overflowed or len(transcript.answers) != 1:
        return None
    try:
        return decode_outcome(transcript.answers[0])
    except ValueError:
        return None


def _fits(outcome: HandoverOutcome, job: HandoverJob, transcript: Transcript) -> bool:
    """Whether an answer agrees with the reported steps and with the job."""
    fault = None if isinstance(outcome, Accepted | Changed) else outcome.fault
    if fault is not None and not _concerns(fault, job):
        return False
    sent = transcript.count(Mark.SENDING) > 0
    fetched = transcript.count(Mark.FETCHING)
    match outcome:
        case Accepted():
            bundles = Counter((one.slot, one.fingerprint) for one in outcome.bundles)
            wanted = Counter((one.slot, one.fingerprint) for one in job.entries)
            whole = outcome.digest == job.digest and bundles == wanted
            return sent and whole and _is_sane(outcome)
        case Refused() | Unknown():
            return sent and outcome.disclosed == fetched
        case NotSent():
            return not sent and outcome.disclosed == fetched
        case Changed():
            return not sent and fetched == 0


def _concerns(fault: Fault, job: HandoverJob) -> bool:
    """Whether a fault names this job's upstreams only, and its text is safe to print."""
    ours = {None, f"ca:{job.escrow.name}", f"uem:{job.target.name}"}
    return fault.upstream in ours and fault.detail.isprintable()


def _is_sane(receipt: Accepted) -> bool:
    """Whether a receipt's numbers are in ranges that can be computed with and stored."""
    at = receipt.server_time
    sizes = all(0 < one.size <= LARGEST_BUNDLE for one in receipt.bundles)
    return sizes and (at is None or 0 < at <= LATEST)


def _without_answer(observed: Observed) -> HandoverOutcome:
    fetched = observed.transcript.count(Mark.FETCHING)
    fault = _cause(observed).fault()
    if observed.transcript.count(Mark.SENDING):
        return Unknown(fault=fault, disclosed=fetched)
    return NotSent(fault=fault, disclosed=fetched)


def _cause(observed: Observed) -> ConnectorError:
    ended_by = _signal(observed.status)
    if observed.cancelled:
        return Transient("HND-006", "handing over: ended before the upload")
    if observed.overran or ended_by == signal.SIGALRM:
        return Transient("HND-001", "handing over: longer than its limit")
    if ended_by == signal.SIGXCPU:
        return Permanent("KEY-210", "checking keys: the limit of processor time was reached")
    if observed.status is None and observed.transcript.is_empty:
        return Transient("HND-005", "handing over: no process was started")
    return Transient("HND-002", f"handing over: process ended by {_name(observed.status)}")


def _name(status: int | None) -> str:
    if status is None:
        return "the end of the forkserver"
    code = waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _signal(status: int | None) -> int | None:
    if status is None or not WIFSIGNALED(status):
        return None
    return WTERMSIG(status)
