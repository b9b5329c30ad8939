"""The copy in the UEM is watched to its end, also when the delivery has ended.

*Gone* by retention is counted on the UEM's own clock, from the end of the last attempt that may
have reached it; while the two clocks disagree nothing is concluded.
"""

from connector.core.errors import Fault
from connector.core.holder import waits
from connector.core.holder.lifecycle import Holder, end, route_of
from connector.core.model import DAY, HOUR, SECOND, Millis
from connector.core.policy import Retry
from connector.core.ports import GoneLook
from connector.core.retry import backoff
from connector.core.states import COPY_OVERDUE, Copy, CopyState, Phase
from connector.core.step import outcome_of

RETENTION_WINDOW = "retention window passed on the UEM's clock"
KEPT = "kept: the UEM purges no copy"
READ_BACK = "the UEM says that it holds no copy"
DEFAULT_LOOKS = Retry(first=30 * SECOND, cap=15 * 60 * SECOND)


def looked(step: Holder, look: GoneLook | Fault) -> None:
    """The UEM answered with its clock, and with what it says of the copy if it can tell."""
    copy = step.state.copy_
    step.note(
        "copy.looked",
        outcome=outcome_of(look),
        route=step.state.route,
        server_time=None if isinstance(look, Fault) else look.server_time,
        our_time=step.now,
    )
    if isinstance(look, Fault):
        _later(step, look)
    elif look.server_time is None:
        _later(step, None)
    elif not agrees(step, look.server_time):
        _disagree(step)
    elif copy.since_server is None:
        _count_from_end(step, look.server_time)
    else:
        _conclude(step, look, look.server_time)


def agrees(step: Holder, server_time: Millis) -> bool:
    """Whether the UEM's clock and journal time say the same, so that something may be concluded."""
    return not step.rules.time_unsure and abs(server_time - step.now) <= _tolerance(step)


def _tolerance(step: Holder) -> Millis:
    route = route_of(step)
    return route.clock_tolerance if route else 300 * SECOND


def _margin(step: Holder) -> Millis:
    route = route_of(step)
    return route.retention_margin if route else HOUR


def _replace(step: Holder, **changes: object) -> None:
    step.set(copy_=step.state.copy_.model_copy(update=changes))


def _later(step: Holder, fault: Fault | None) -> None:
    attempts = step.state.copy_.attempts + 1
    route = route_of(step)
    every = route.look_every if route else DEFAULT_LOOKS
    _replace(
        step,
        attempts=attempts,
        due=step.now + backoff(every, attempts, step.rules.dice, fault) + SECOND // 10,
    )
    overdue(step)


def _disagree(step: Holder) -> None:
    if not step.state.copy_.clocks_disagree:
        step.note("copy.clocks_disagree", outcome="PRG-002", route=step.state.route)
        step.moment("clocks_disagree")
    _replace(step, clocks_disagree=True)
    _later(step, None)


def _count_from_end(step: Holder, server_time: Millis) -> None:
    """The fate of the last attempt is unknown: count from the first ``Date`` seen after its end."""
    if left := waits.until_quiet(step):
        _replace(step, due=step.now + left)
        return
    copy = step.state.copy_
    _replace(
        step,
        since=step.now,
        since_server=server_time,
        clocks_disagree=False,
        attempts=0,
        due=step.now + copy.retention + _margin(step),
    )


def _conclude(step: Holder, look: GoneLook, server_time: Millis) -> None:
    copy = step.state.copy_
    _replace(step, clocks_disagree=False)
    ends = _ends(step, copy)
    if look.copy_present is False:
        _gone(step, READ_BACK, server_time)
    elif copy.retention_from == "install" and copy.installed_server is None:
        _later(step, None)
    elif look.copy_present is None and server_time >= ends:
        _gone(step, RETENTION_WINDOW, server_time)
    elif server_time < ends:
        _replace(step, attempts=0, due=step.now + max(ends - server_time, SECOND // 10))
    else:
        _later(step, None)


def _ends(step: Holder, copy: Copy) -> Millis:
    """When the retention is over, on the UEM's clock."""
    return (copy.since_server or 0) + copy.retention + _margin(step)


def latest_look(step: Holder, copy: Copy) -> Millis:
    """Until when the next look at a copy may be put off: to the end of its retention, if known."""
    if copy.since_server is None or copy.clocks_disagree:
        return step.now
    left = _ends(step, copy) - step.now
    return step.now + max(0, min(left, copy.retention + _margin(step)))


def _gone(step: Holder, evidence: str, server_time: Millis) -> None:
    copy = step.state.copy_
    step.set(
        copy_=Copy(
            state=CopyState.GONE,
            digests=copy.digests,
            possible_since=copy.possible_since,
            since=copy.since,
            since_server=copy.since_server,
            gone_at=step.now,
            gone_at_server=server_time,
            evidence=evidence,
            retention=copy.retention,
        )
    )
    step.note(
        "copy.gone",
        reason=evidence,
        route=step.state.route,
        digests=list(copy.digests),
        server_time=server_time,
        our_time=step.now,
    )
    method = "api_confirmed" if evidence == READ_BACK else "platform_timed"
    step.moment("copy_gone", step.now - (copy.there_since or step.now), method=method)


def installed(step: Holder, server_time: Millis | None) -> None:
    """A device has the set; where the UEM counts from the installation, it counts from here.

    The look is later than the installation, and the last device later than the first.
    """
    copy = step.state.copy_
    if copy.retention_from != "install" or due(copy) is None or server_time is None:
        return
    _replace(
        step,
        since=step.now,
        since_server=server_time,
        installed_server=server_time,
        attempts=0,
        due=step.now + copy.retention + _margin(step),
    )


def alarm_at(step: Holder) -> Millis | None:
    """When a copy that is not proven gone becomes an alarm, also when the UEM does not answer.

    It counts from the first attempt that may have brought a copy: uploads of unknown fate that are
    repeated restart the retention in the UEM, and must not put the alarm off with it.
    """
    copy = step.state.copy_
    since = copy.there_since
    if since is None or copy.overdue or due(copy) is None:
        return None
    route = route_of(step)
    allowed = route.overdue_after if route else DAY
    return since + copy.retention + _margin(step) + allowed


def overdue(step: Holder) -> None:
    """Raise the alarm once, when its time has come."""
    alarm = alarm_at(step)
    if alarm is not None and step.now >= alarm:
        _replace(step, overdue=True)
        step.note("copy.overdue", outcome=COPY_OVERDUE, route=step.state.route)
        step.moment("copy_overdue")


def settle(step: Holder) -> None:
    """A delivery whose devices have ended is completed when the copy is gone, with evidence."""
    delivery = step.state.delivery
    if delivery is None or delivery.phase is not Phase.AWAITING_PURGE:
        return
    copy = step.state.copy_
    if copy.state is CopyState.GONE:
        end(step, Phase.COMPLETED, why=copy.evidence or "")
    elif copy.retention_from == "kept":
        end(step, Phase.COMPLETED, why=KEPT)


def due(copy: Copy) -> Millis | None:
    """When the copy is to be looked at next; None when there is nothing to watch."""
    if copy.state in {CopyState.NONE, CopyState.GONE} or copy.retention_from == "kept":
        return None
    return copy.due if copy.due is not None else copy.not_after
