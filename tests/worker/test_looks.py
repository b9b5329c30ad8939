"""Looks that found nothing new are counted and summed up; everything else has its own record."""

from connector.core.audit import AuditEntry
from connector.core.model import HOUR, SECOND
from connector.core.states import HolderState, State
from connector.worker.looks import QUIET, SUMMED, fold

KEY = "corp/user/1"


def entry(action: str = "install.looked", outcome: str = "ok") -> AuditEntry:
    return AuditEntry(at=1, subject=KEY, action=action, outcome=outcome)


class Trail:
    """A holder, and what is written about them."""

    def __init__(self) -> None:
        self.state: State = HolderState(key=KEY)
        self.written: list[AuditEntry] = []
        self.now = 1_000_000

    def step(self, *audit: AuditEntry, alone: bool = True, after: int = 30 * SECOND) -> None:
        self.now += after
        self.state, written = fold(self.state, self.state, audit, self.now, alone=alone)
        self.written += written

    @property
    def actions(self) -> list[str]:
        return [one.action for one in self.written]


def test_a_phone_that_sleeps_makes_one_record_an_hour() -> None:
    """With how often was looked, and with which outcomes."""
    trail = Trail()
    for number in range(3 * 120):
        trail.step(entry(outcome="ok" if number % 2 else "UEM-500"))
    assert trail.actions == [SUMMED] * len(trail.actions)
    assert len(trail.actions) in {2, 3}
    first = trail.written[0]
    counts = first.details["counts"]
    assert isinstance(counts, dict)
    assert set(counts) == {"install.looked ok", "install.looked UEM-500"}
    assert isinstance(first.details["since"], int)


def test_what_happens_is_written_behind_the_looks_before_it() -> None:
    """In the order in which it was."""
    trail = Trail()
    trail.step(entry())
    trail.step(entry(), entry("device.installed"))
    assert trail.actions == [SUMMED, "install.looked", "device.installed"]
    trail.step(entry("copy.gone"))
    assert trail.actions[3:] == ["copy.gone"]


def test_no_look_is_lost_or_counted_twice() -> None:
    """All that were counted are in the records."""
    trail = Trail()
    for _ in range(500):
        trail.step(entry())
    trail.step(entry("copy.gone"))
    total = 0
    for one in trail.written:
        counts = one.details.get("counts", {})
        assert isinstance(counts, dict)
        total += sum(number for number in counts.values() if isinstance(number, int))
    assert total == 500


def test_disclosure_and_acts_are_never_summed() -> None:
    """A listing shows which certificates a person has; an act changes something."""
    for action in ("escrow.listed", "escrow.checked", "hand_over.started", "look.stale_outcome"):
        trail = Trail()
        trail.step(entry(action))
        assert trail.actions == [action]
        assert action not in QUIET


def test_a_look_that_led_to_something_has_its_record() -> None:
    """Others were notified, or the delivery went on."""
    trail = Trail()
    trail.step(entry("holder.looked_up"), alone=False)
    assert trail.actions == ["holder.looked_up"]


def test_a_quiet_hour_is_summed_up_with_the_next_look() -> None:
    """Nothing wakes a subject only to be written about."""
    trail = Trail()
    trail.step(entry())
    assert trail.written == []
    trail.step(entry(), after=2 * HOUR)
    assert trail.actions == [SUMMED]
