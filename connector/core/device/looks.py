"""The result of a look at a device, and which events the holder gets for it.

Only an answer that names an end (unenrolled, wiped, retired) ends at once. *Not found* and *on the
way* after an announced enrolment are looked at again until the deadline, because the UEM's REST
interface may know later than its notifications; so is an answer that contradicts the newest
notification, for a short time.
"""

from connector.core.errors import Family, Fault, Scope
from connector.core.events import DeviceJoined, DeviceLeft
from connector.core.model import (
    SECOND,
    DeviceFacts,
    Millis,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.states import DeviceState, DeviceStatus
from connector.core.step import Step, outcome_of

OLDER_ENROLMENT: Millis = 60 * SECOND
"""By how much the UEM's own time of the enrolment must be older than the announced one before the
UEM counts as not knowing the new enrolment yet."""
SETTLING: Millis = 15 * 60 * SECOND
"""How long after a notification a look that contradicts it is repeated: the UEM may show a change
in its REST interface later than it announces it."""
UNKNOWN = Fault(code="USR-006", family=Family.PERMANENT, detail="the UEM does not know the device")
ON_THE_WAY = Fault(
    code="USR-008", family=Family.TRANSIENT, detail="the UEM shows the enrolment as not finished"
)

NOT_THERE = frozenset({UNKNOWN.code, ON_THE_WAY.code})
"""Answers of the UEM that a device is not enrolled; a look that failed is no answer."""


def looked(step: Step[DeviceState], answer: DeviceFacts | Fault | None) -> None:
    """A look ended, with a fault or an answer."""
    step.note("device.looked_up", outcome=outcome_of(answer))
    if isinstance(answer, Fault):
        _failed(step, answer)
    elif answer is None:
        _unknown(step)
    elif answer.on_the_way or (answer.enrolled and answer.holder is None):
        _again(step, ON_THE_WAY)
    elif not answer.enrolled or answer.holder is None:
        _ended(step, step.state.unenrolled_why or "not enrolled")
    else:
        _found(step, answer, answer.holder)


def overdue(step: Step[DeviceState]) -> bool:
    """Whether the deadline of the look-ups has passed, and deadlines are not suspended."""
    deadline = step.state.deadline
    looking = step.state.status is DeviceStatus.LOOKING
    return (
        looking and deadline is not None and step.now >= deadline and not step.rules.deadlines_held
    )


def lose(step: Step[DeviceState], fault: Fault | None) -> None:
    """Give the look-ups up, visibly; another notification starts them again.

    A device that the UEM knew and now does not show as enrolled is taken from its holder, too.
    """
    code = fault.code if fault else "DLV-001"
    if step.state.holder is not None and code in NOT_THERE:
        step.tell(step.state.holder, DeviceLeft(device=step.state.key, why="not found any more"))
        step.set(holder=None)
    step.set(status=DeviceStatus.LOST, deadline=None, settles_at=None, ended_at=step.now)
    step.note("device.lost", outcome=code)
    step.moment("device_lost", error_code=code)


def hand_on(step: Step[DeviceState], holder: SubjectKey) -> None:
    """Tell the previous holder that the device has another user now."""
    before = step.state.holder
    if before is not None and before != holder:
        step.tell(before, DeviceLeft(device=step.state.key, why="changed hands"))
        step.note("device.changed_hands", before=before, holder=holder)


def _failed(step: Step[DeviceState], fault: Fault) -> None:
    step.set(trouble=fault)
    hopeless = fault.family is not Family.TRANSIENT and fault.scope is Scope.SUBJECT
    if step.state.status is not DeviceStatus.LOOKING:
        _settle(step, contradicted=not hopeless)
    elif hopeless or overdue(step):
        lose(step, fault)
    elif fault.scope is Scope.SUBJECT:
        step.set(attempts=step.state.attempts + 1)


def _unknown(step: Step[DeviceState]) -> None:
    """Not found: a device seen before has left; one that was only announced may still appear."""
    if step.state.announced:
        _again(step, UNKNOWN)
    else:
        _ended(step, UNKNOWN.detail, UNKNOWN.code)


def _again(step: Step[DeviceState], fault: Fault) -> None:
    """Neither enrolled nor ended: look again until the deadline, or until it counts as ended."""
    if _said_to_have_left(step.state) and _is_settled(step):
        _ended(step, fault.detail, fault.code)
        return
    if step.state.status is not DeviceStatus.LOOKING:
        deadline = step.now + step.rules.device_deadline
        step.set(status=DeviceStatus.LOOKING, deadline=deadline, ended_at=None)
    step.set(trouble=fault)
    if overdue(step):
        lose(step, fault)
    else:
        step.set(attempts=step.state.attempts + 1)


def _ended(step: Step[DeviceState], why: str, code: str = "ok") -> None:
    """The device has left. After an announced enrolment the UEM may still show the one before."""
    state = step.state
    if state.status is not DeviceStatus.LEFT:
        if state.holder is not None:
            step.tell(state.holder, DeviceLeft(device=state.key, why=why))
        step.set(status=DeviceStatus.LEFT, holder=None, attempts=0, ended_at=step.now)
        step.note("device.left", outcome=code, reason=why)
    step.set(deadline=None, trouble=None)
    _settle(step, contradicted=state.announced)
    if step.state.settles_at is None:
        step.set(enrolled_at=None, enrolled_on=None, unenrolled_at=None, unenrolled_why="")


def _found(step: Step[DeviceState], facts: DeviceFacts, holder_id: str) -> None:
    before = step.state
    holder = subject_key(parse_subject(before.key).tenant, SubjectKind.HOLDER, holder_id)
    hand_on(step, holder)
    step.set(
        status=DeviceStatus.ENROLLED,
        holder=holder,
        enrolled_on=facts.enrolled_on,
        platform=facts.platform or before.platform,
        serial=facts.serial,
        friendly_name=facts.friendly_name,
        deadline=None,
        ended_at=None,
        trouble=None,
    )
    news = step.state != before
    if before.status is not DeviceStatus.ENROLLED:
        step.set(attempts=0)
    if news:
        _tell(step, holder)
    _settle(step, contradicted=_contradicts(step.state))


def _tell(step: Step[DeviceState], holder: SubjectKey) -> None:
    state = step.state
    step.tell(
        holder,
        DeviceJoined(
            device=state.key,
            platform=state.platform,
            serial=state.serial,
            friendly_name=state.friendly_name,
            enrolled_at=state.enrolled_at or step.now,
            enrolled_on=state.enrolled_on,
            announced_at=state.announced_at,
        ),
    )


def _contradicts(state: DeviceState) -> bool:
    """Whether a recent notification contradicts that the device is enrolled like this.

    Times given by senders are ignored here, because they may be wrong.
    """
    shown, announced = state.enrolled_on, state.announced_at or 0
    older = shown is not None and shown + OLDER_ENROLMENT < announced
    return state.unenrolled_at is not None or (state.announced and older)


def _said_to_have_left(state: DeviceState) -> bool:
    """Whether the newest notification, by the sender's times, is an un-enrolment."""
    left = state.unenrolled_at
    return left is not None and left >= (state.enrolled_at or 0)


def _is_settled(step: Step[DeviceState]) -> bool:
    return step.state.settles_at is None or step.now >= step.state.settles_at


def _settle(step: Step[DeviceState], *, contradicted: bool) -> None:
    """Look again while the UEM may not show yet what it announced; after that the look counts."""
    if contradicted and not _is_settled(step):
        step.set(attempts=step.state.attempts + 1)
        return
    step.set(settles_at=None, attempts=0, announced=False)
    if step.state.status is DeviceStatus.ENROLLED:
        step.set(unenrolled_at=None, unenrolled_why="")
