"""What operators see."""

from typing import Any

import pytest

from connector.core.errors import Family, Fault, Rejected
from connector.core.journal import StatusFilter
from connector.core.model import DAY, Objection
from connector.core.rows import UnreadableState
from connector.core.states import (
    CopyState,
    DeviceInDelivery,
    DevicePhase,
    DeviceStatus,
    HolderState,
    InstalledSet,
    Phase,
)
from connector.operators.client import AdminClient
from connector.operators.verbs.acts import RetryMany
from tests.operators.world import ARCHIVED, CURRENT, DEVICE, AdminWorld, device, holder
from tests.support import asked
from tests.support.clocks import NOW


async def test_a_holder_is_one_line(world: AdminWorld, client: AdminClient) -> None:
    """A line tells phase, age, next step, the copy, and how many devices have the set."""
    await world.put(holder())
    page = await asked.listing(client, StatusFilter(kind="holder"))
    (line,) = page.items
    assert (line.key, line.mail, line.route) == ("corp/user/12", "mara12@example.com", "staff")
    assert (line.phase, line.since) == ("awaiting_install", NOW - 3_600_000)
    assert (line.installed, line.devices, line.copy_state) == (0, 1, "present")
    assert (line.next_step, line.next_due) == ("look_installed", NOW + 90_000)
    assert page.after is None


async def test_a_listing_is_narrowed_and_continued(world: AdminWorld, client: AdminClient) -> None:
    """By phase, route and code; what does not fit a page follows behind its last key."""
    failed = [holder(number, Phase.FAILED) for number in range(10, 15)]
    await world.put(holder(20), *failed)
    first = await asked.listing(client, StatusFilter(kind="holder", code="CA-410", limit=3))
    assert [line.code for line in first.items] == ["CA-410"] * 3
    assert first.after == first.items[-1].key
    query = StatusFilter(kind="holder", phase="failed", after=first.after, limit=3)
    rest = await asked.listing(client, query)
    assert [line.key for line in rest.items] == ["corp/user/13", "corp/user/14"]
    assert rest.after is None


async def test_a_state_of_another_version_is_listed(world: AdminWorld, client: AdminClient) -> None:
    """With its key and code, beside all others, which are found by name as before."""
    foreign = UnreadableState(
        key="corp/user/11",
        kind="holder",
        phase="of tomorrow",
        route="staff",
        code="",
        version=1,
        act_epoch=None,
        state=b"{}",
    )
    await world.put(holder(10), foreign, holder(12))
    lines = (await asked.listing(client, StatusFilter(kind="holder"))).items
    assert [(line.key, line.code) for line in lines if line.code == "EVT-005"] == [
        (foreign.key, "EVT-005")
    ]
    assert len(lines) == 3
    assert (
        await asked.detail(client, "holder", "mara12@example.com")
    ).summary.key == "corp/user/12"


async def test_a_name_that_is_gone_ends_a_listing(world: AdminWorld, client: AdminClient) -> None:
    """An unknown route is refused; one that was taken out of the settings is listed to its end."""
    with pytest.raises(Rejected) as refused:
        await asked.listing(client, StatusFilter(kind="holder", route="gone"))
    assert refused.value.code == "EVT-007"
    await world.put(holder(10, route="gone"), holder(11, route="gone"))
    full = await asked.listing(client, StatusFilter(kind="holder", route="gone", limit=2))
    rest = StatusFilter(kind="holder", route="gone", after=full.after or "", limit=2)
    assert len(full.items) == 2
    assert (await asked.listing(client, rest)).items == ()


@pytest.mark.parametrize(
    "wanted", ["corp/user/12", "12", "mara12", "MARA12@example.com", "delivery-12"]
)
async def test_a_holder_is_found_by_what_people_know(
    world: AdminWorld, client: AdminClient, wanted: str
) -> None:
    """By key, id, user name, mail, or the id of the delivery."""
    await world.put(holder(12), holder(13))
    assert (await asked.detail(client, "holder", wanted)).state.key == "corp/user/12"


async def test_a_device_is_found(world: AdminWorld, client: AdminClient) -> None:
    """A device by its id or its name."""
    await world.put(device())
    for wanted in ("15", "phone", DEVICE):
        seen = await asked.detail(client, "device", wanted)
        assert (seen.summary.phase, seen.summary.detail) == ("enrolled", "corp/user/12")


@pytest.mark.parametrize("wanted", ["99", "corp/user/99", "other/user/12", "nobody"])
async def test_who_is_not_known_is_told(
    world: AdminWorld, client: AdminClient, wanted: str
) -> None:
    """A subject that the journal does not know has a code of its own."""
    await world.put(holder(12))
    with pytest.raises(Rejected) as refused:
        await asked.detail(client, "holder", wanted)
    assert refused.value.code == "DLV-007"


async def test_an_ambiguous_name_is_refused(world: AdminWorld, client: AdminClient) -> None:
    """When two fit, none is chosen."""
    await world.put(holder(12, name="mara"), holder(13, name="mara"))
    with pytest.raises(Rejected, match="2 of kind holder") as refused:
        await asked.detail(client, "holder", "mara")
    assert refused.value.code == "EVT-007"


@pytest.mark.parametrize(
    ("phase", "uploaded", "standing"),
    [
        (DevicePhase.WAITING, None, "scheduled"),
        (DevicePhase.WAITING, NOW, "sent"),
        (DevicePhase.INSTALLED, NOW, "present assumed"),
        (DevicePhase.NOT_INSTALLED, NOW, "missing"),
        (DevicePhase.LEFT, NOW, "unknown"),
    ],
)
async def test_generations_stand_on_devices(
    world: AdminWorld,
    client: AdminClient,
    phase: DevicePhase,
    uploaded: int | None,
    standing: str,
) -> None:
    """Each generation of the set stands on a device as far as the device is."""
    state = holder()
    assert isinstance(state, HolderState)
    assert state.delivery is not None
    entry = DeviceInDelivery(phase=phase, since=NOW, joined_at=NOW)
    changed = state.delivery.model_copy(
        update={"devices": {DEVICE: entry}, "uploaded_at": uploaded}
    )
    await world.put(state.model_copy(update={"delivery": changed}))
    rows = (await asked.detail(client, "holder", "12")).generations
    assert [(row.fingerprint, row.slot) for row in rows] == [
        (CURRENT, "encryption"),
        (ARCHIVED, "archived"),
    ]
    assert list(dict.fromkeys(row.devices[DEVICE] for row in rows)) == standing.split()
    assert rows[1].delivered_at == NOW - DAY


@pytest.mark.parametrize(
    ("known", "standing"),
    [({}, "present"), ({"assumed": (ARCHIVED,)}, "assumed"), ({"unseen": (ARCHIVED,)}, "sent")],
)
async def test_earlier_generations_are_present_only_where_they_were_seen(
    world: AdminWorld, client: AdminClient, known: dict[str, Any], standing: str
) -> None:
    """The evidence is of the current one."""
    state = holder()
    assert isinstance(state, HolderState)
    assert state.delivery is not None
    assert state.delivery.digest is not None
    has = InstalledSet(digest=state.delivery.digest, at=NOW, evidence="seen", **known)
    devices = {DEVICE: state.devices[DEVICE].model_copy(update={"has": has})}
    await world.put(state.model_copy(update={"devices": devices}))
    rows = (await asked.detail(client, "holder", "12")).generations
    assert [row.devices[DEVICE] for row in rows] == ["present", standing]


async def test_a_generation_outside_the_set_is_missing(
    world: AdminWorld, client: AdminClient
) -> None:
    """What is not in the set is missing on every device; an unknown device stands nowhere."""
    state = holder(12)
    assert isinstance(state, HolderState)
    assert state.delivery is not None
    delivery = state.delivery.model_copy(update={"entries": state.delivery.entries[:1]})
    await world.put(state.model_copy(update={"delivery": delivery}), holder(13, delivery=None))
    rows = (await asked.detail(client, "holder", "12")).generations
    assert [row.devices[DEVICE] for row in rows] == ["sent", "missing"]
    unknown = (await asked.detail(client, "holder", "13")).generations
    assert {row.devices[DEVICE] for row in unknown} == {"unknown"}


async def test_a_generation_that_cannot_be_sent_says_why(
    world: AdminWorld, client: AdminClient
) -> None:
    """Its code and the reason; of a certificate that cannot be read no dates are shown."""
    state = holder(12)
    assert isinstance(state, HolderState)
    odd = state.generations[-1].model_copy(
        update={
            "objection": Objection(code="KEY-109", why="its dates cannot be read"),
            "not_before": 0,
            "not_after": 0,
        }
    )
    await world.put(state.model_copy(update={"generations": (*state.generations[:-1], odd)}))
    rows = (await asked.detail(client, "holder", "12")).generations
    (row,) = [row for row in rows if row.fingerprint == odd.fingerprint]
    assert row.objection == "KEY-109: its dates cannot be read"
    assert (row.not_before, row.not_after) == (None, None)
    assert [row.objection for row in rows if row.fingerprint != odd.fingerprint] == [""]


async def test_an_overdue_copy_is_marked(world: AdminWorld, client: AdminClient) -> None:
    """A copy that should be gone stands out in the listing."""
    state = holder()
    assert isinstance(state, HolderState)
    overdue = state.copy_.model_copy(update={"state": CopyState.PERHAPS, "overdue": True})
    await world.put(state.model_copy(update={"copy_": overdue}))
    (line,) = (await asked.listing(client, StatusFilter(kind="holder"))).items
    assert line.copy_state == "perhaps (overdue)"


async def test_the_service_at_a_glance(world: AdminWorld, client: AdminClient) -> None:
    """Counts, upstreams, and what each partition knows of itself."""
    await world.put(holder(12), device())
    seen = await asked.overview(client)
    assert {(row.kind, row.phase, row.count) for row in seen.counts} == {
        ("holder", "awaiting_install", 1),
        ("device", "enrolled", 1),
    }
    assert [(one.name, one.state, one.code) for one in seen.upstreams] == [
        ("ca:main", "open", "CA-001")
    ]
    assert sum(partition.audit_count for partition in seen.partitions) == 2
    assert (seen.version, seen.dead_letters) == ("1.2.3", 0)
    assert await asked.version(client) == "1.2.3"


async def test_what_needs_a_person_is_counted_by_code(
    world: AdminWorld, client: AdminClient
) -> None:
    """Failed deliveries, most frequent code first, with the age of the first; nothing that goes."""
    other = Fault(code="IDN-001", family=Family.PERMANENT, detail="another pair")
    conflict = holder(20, Phase.FAILED)
    assert isinstance(conflict, HolderState)
    assert conflict.delivery is not None
    changed = conflict.delivery.model_copy(update={"trouble": other})
    await world.put(
        holder(10, Phase.FAILED), holder(11, Phase.FAILED), holder(12), device(),
        conflict.model_copy(update={"delivery": changed}),
    )  # fmt: skip
    seen = await asked.overview(client)
    assert [(one.code, one.count, one.since) for one in seen.needs_person] == [
        ("CA-410", 2, NOW - 3_600_000),
        ("IDN-001", 1, NOW - 3_600_000),
    ]


async def test_whatever_goes_on_only_by_a_person_is_counted(
    world: AdminWorld, client: AdminClient
) -> None:
    """A device left behind by a completed delivery, a lost device, a copy that is overdue."""
    failed = DeviceInDelivery(
        phase=DevicePhase.NOT_INSTALLED, since=NOW, joined_at=NOW, code="INS-001"
    )
    behind, cancelled = holder(10, Phase.COMPLETED), holder(11, Phase.CANCELLED)
    assert isinstance(behind, HolderState)
    assert isinstance(cancelled, HolderState)
    assert behind.delivery is not None
    ended = behind.delivery.model_copy(update={"devices": {DEVICE: failed}})
    overdue = cancelled.copy_.model_copy(update={"overdue": True})
    pending = Fault(code="USR-008", family=Family.TRANSIENT)
    lost = {"status": DeviceStatus.LOST, "trouble": pending, "ended_at": NOW - 1000}
    await world.put(
        behind.model_copy(update={"delivery": ended}),
        cancelled.model_copy(update={"copy_": overdue}),
        holder(12, Phase.COMPLETED), holder(13, Phase.CANCELLED),
        device().model_copy(update=lost),
    )  # fmt: skip
    told = {(one.kind, one.code, one.count) for one in (await asked.overview(client)).needs_person}
    assert told == {("holder", "INS-001", 1), ("holder", "PRG-001", 1), ("device", "USR-008", 1)}
    for kind, code, key in (
        ("holder", "INS-001", "corp/user/10"),
        ("holder", "PRG-001", "corp/user/11"),
        ("device", "USR-008", DEVICE),
    ):
        page = await asked.listing(
            client, StatusFilter.model_validate({"kind": kind, "code": code})
        )
        assert [line.key for line in page.items] == [key]
    receipt = await asked.act(client, RetryMany(code="INS-001", reason="mended"))
    assert receipt.subjects == receipt.discloses == ("corp/user/10",)
