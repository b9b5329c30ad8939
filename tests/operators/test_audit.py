"""Export and check of the audit trail."""

import pytest
from pydantic import JsonValue

from connector.core.audit import CUT, AuditEntry, AuditRecord, AuditRow, concerns, link
from connector.core.errors import Permanent, Rejected
from connector.core.events import AuditCut
from connector.core.secret import Credential
from connector.operators.chain_check import ChainCheck
from connector.operators.client import AdminClient
from connector.operators.verbs.audit import ChainEnd, CutTrail, Published
from tests.operators.world import PARTITIONS, AdminWorld, holder
from tests.support import asked
from tests.support.clocks import NOW

KEY = Credential("k" * 40)


def chain(count: int) -> list[AuditRecord]:
    entries = [AuditEntry(at=NOW, subject="corp/user/1", action=f"a{n}") for n in range(count)]
    return list(link(KEY, partition=0, epoch=1, head="", count=0, entries=entries))


@pytest.mark.parametrize(
    ("subject", "details", "expected"),
    [
        ("corp/user/1", {}, True),
        ("corp/device/7", {"holder": "corp/user/1"}, True),
        ("corp/device/7", {"devices": ["corp/device/8", "corp/user/1"]}, True),
        ("corp/device/7", {"devices": {"corp/user/1": "jailbroken"}}, True),
        ("corp/device/7", {"holder": "corp/user/12", "attempt": 1}, False),
    ],
)
def test_what_concerns_a_subject(
    subject: str,
    details: dict[str, JsonValue],
    expected: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Records about it, and those of others that name it anywhere in their details."""
    entry = AuditEntry(at=NOW, subject=subject, action="test", details=details)
    assert concerns(entry, {"corp/user/1"}) is expected


def problems(records: list[AuditRecord], *published: Published) -> list[str]:
    check = ChainCheck(KEY, 0, published)
    for record in records:
        check.take(AuditRow(record.sequence, record))
    return [finding.problem for finding in check.report().findings]


def test_a_whole_chain_has_no_findings() -> None:
    """A chain fits every head that was published while it grew, and its end."""
    records = chain(5)
    marks = [Published(partition=0, count=n, head=records[n - 1].mac) for n in (1, 3, 5)]
    assert problems(records, *marks, Published(partition=0, head=records[-1].mac)) == []
    assert problems([]) == []


def test_a_changed_record_is_found() -> None:
    """A changed word breaks the MAC of the record."""
    records = chain(3)
    forged = records[1].entry.model_copy(update={"outcome": "CA-001"})
    records[1] = records[1].model_copy(update={"entry": forged})
    assert problems(records) == ["the MAC does not match the record"]


@pytest.mark.parametrize("change", ["missing", "doubled", "swapped"])
def test_a_missing_doubled_or_swapped_record_is_found(change: str) -> None:
    """Sequence and MAC show it."""
    first, second, third = chain(3)
    broken = {
        "missing": [first, third],
        "doubled": [first, second, second, third],
        "swapped": [second, first, third],
    }[change]
    assert problems(broken)


def test_a_cut_off_end_shows_against_what_was_published() -> None:
    """Without a published count it cannot be seen; with one it can."""
    records = chain(4)
    assert problems(records[:2]) == []
    assert problems(records[:2], Published(partition=0, count=4)) == ["4 records were published"]
    other = Published(partition=0, head=records[3].mac)
    assert problems(records[:2], other) == ["not the published head"]


def test_a_chain_made_anew_shows_against_an_old_head() -> None:
    """The key is enough to make a chain, but not one with the head published before."""
    head = Published(partition=0, count=2, head="f" * 64)
    assert problems(chain(4), head) == ["not the published head"]


def test_the_beginning_of_a_head_is_enough() -> None:
    """The metric has twelve digits of it; they fit at the count at which they were published."""
    records = chain(4)
    known = Published(partition=0, count=2, head=records[1].mac[:12])
    assert problems(records, known) == []
    changed = Published(partition=0, count=2, head=records[2].mac[:12])
    assert problems(records, changed) == ["not the published head"]


async def test_the_trail_is_exported_as_it_is(world: AdminWorld, client: AdminClient) -> None:
    """All partitions one after another, or one of them behind a sequence number."""
    await world.put(*(holder(number) for number in range(10, 30)))
    every = [record async for record in asked.audit(client)]
    assert len(every) == 20
    assert {record.partition for record in every} == set(range(PARTITIONS))
    late = [record async for record in asked.audit(client, 1, after=2)]
    assert late == [record for record in every if record.partition == 1][2:]


async def test_a_partition_that_is_not_there_is_refused(client: AdminClient) -> None:
    """Before anything is sent."""
    with pytest.raises(Rejected) as refused:
        await anext(asked.audit(client, 99))
    assert refused.value.code == "EVT-007"


async def test_the_service_checks_its_trail(world: AdminWorld, client: AdminClient) -> None:
    """Every partition is whole; a head that never was is found."""
    await world.put(*(holder(number) for number in range(10, 16)))
    report = await asked.verify(client)
    assert report.whole
    assert sum(chain.count for chain in report.chains) == 6
    forged = await asked.verify(client, [Published(partition=0, count=1, head="e" * 64)])
    assert not forged.whole


async def test_records_cut_off_in_the_journal_are_found(
    world: AdminWorld, client: AdminClient
) -> None:
    """The partition's own record says how long the chain is."""
    await world.put(holder(12), holder(13), holder(14))
    longest = max((await asked.verify(client)).chains, key=lambda chain: chain.count)
    await world.journal._opened().writer.run(
        lambda connection, _: connection.execute(
            "DELETE FROM audit WHERE partition = ? AND sequence = ?",
            (longest.partition, longest.count),
        )
    )
    report = await asked.verify(client)
    findings = [finding.problem for chain in report.chains for finding in chain.findings]
    assert findings[0] == f"{longest.count} records were published"


def cut_trail(records: list[AuditRecord], upto: int, **told: JsonValue) -> list[AuditRecord]:
    """What is left behind a cut, with a record at the end that tells of it."""
    last = records[upto - 1]
    details: dict[str, JsonValue] = {"through": upto, "head": last.mac, **told}
    entry = AuditEntry(at=NOW, subject="-/partition/0", action=CUT, details=details)
    end = records[-1]
    witness = link(KEY, partition=0, epoch=1, head=end.mac, count=end.sequence, entries=[entry])
    return [*records[upto:], *witness]


def cut_problems(records: list[AuditRecord], start: tuple[int, str]) -> list[str]:
    check = ChainCheck(KEY, 0, [Published(partition=0, count=1, head="0" * 64)], start)
    for record in records:
        check.take(AuditRow(record.sequence, record))
    return [finding.problem for finding in check.report().findings]


def test_a_cut_trail_is_whole_when_it_tells_of_the_cut() -> None:
    """It is chained to the head of what was given up; older published heads are not asked for."""
    records = chain(5)
    assert cut_problems(cut_trail(records, 3), (3, records[2].mac)) == []


@pytest.mark.parametrize(
    "told", [{"through": 2}, {"head": "e" * 64}, {"through": "3"}], ids=["place", "head", "text"]
)
def test_a_cut_that_nobody_tells_of_is_found(told: dict[str, JsonValue]) -> None:
    """Who moves the beginning in the journal cannot write the record that has to say so."""
    records = chain(5)
    problem = "the trail was cut here, and no record documents the cut"
    assert cut_problems(cut_trail(records, 3, **told), (3, records[2].mac)) == [problem]


def test_a_cut_at_another_place_is_found() -> None:
    """More is gone than the journal admits."""
    records = chain(5)
    assert cut_problems(cut_trail(records, 3)[1:], (3, records[2].mac))


async def cut_world(world: AdminWorld, client: AdminClient) -> list[ChainEnd]:
    await world.put(*(holder(number) for number in range(10, 30)))
    report = await asked.verify(client)
    return [
        ChainEnd(partition=chain.partition, count=chain.count, head=chain.head)
        for chain in report.chains
    ]


async def test_a_cut_becomes_an_event_to_each_partition(
    world: AdminWorld, client: AdminClient
) -> None:
    """The owner applies it, in the order of the journal."""
    ends = await cut_world(world, client)
    receipt = await asked.cut(client, CutTrail(ends=tuple(ends), reason="archived"))
    assert receipt.subjects == ("-/partition/0", "-/partition/1")
    bodies = [event.body for event in await world.events()]
    cuts = [(body.through, body.reason) for body in bodies if isinstance(body, AuditCut)]
    assert cuts == [(end.count, "archived") for end in ends]


async def test_ends_that_are_not_the_journals_are_refused(
    world: AdminWorld, client: AdminClient
) -> None:
    """Another head, a record that is not there yet, a partition that never was."""
    end, _ = await cut_world(world, client)
    for wrong in ({"head": "e" * 64}, {"count": end.count + 1}, {"partition": 9}):
        act = CutTrail(ends=(end.model_copy(update=wrong),), reason="archived")
        with pytest.raises(Rejected) as refused:
            await asked.cut(client, act)
        assert refused.value.code == "AUD-003"
    assert await world.events() == []


async def test_a_broken_trail_is_not_cut(world: AdminWorld, client: AdminClient) -> None:
    """All of it is evidence."""
    end, _ = await cut_world(world, client)
    await world.journal._opened().writer.run(
        lambda connection, _: connection.execute("DELETE FROM audit WHERE sequence = 2")
    )
    with pytest.raises(Permanent) as refused:
        await asked.cut(client, CutTrail(ends=(end,), reason="archived"))
    assert refused.value.code == "AUD-001"
