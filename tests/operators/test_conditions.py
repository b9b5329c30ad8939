"""Conditions that the journal shows."""

from connector.catalogue import catalogue
from connector.core.conditions import Severity
from connector.core.rows import HeldUp
from connector.operators.client import AdminClient
from tests.operators.world import DEVICE, AdminWorld
from tests.support import asked
from tests.support.clocks import NOW

KEY = "corp/user/12"


async def test_subjects_that_wait_after_a_failure_are_a_condition(
    world: AdminWorld, client: AdminClient
) -> None:
    """By code over all partitions: how many, since when, one of them, and what to do."""
    late, first = HeldUp(count=2, since=NOW, subject=DEVICE), HeldUp(count=1, since=7, subject=KEY)
    await world.hold_up(0, "JRN-015", late)
    await world.hold_up(1, "JRN-015", first)
    (one,) = (await asked.overview(client)).conditions
    assert (one.severity, one.code, one.since) == (Severity.WARNING, "JRN-015", 7)
    assert one.text.startswith("3 subject(s) ")
    assert KEY in one.text
    assert one.action == catalogue()["JRN-015"].action
