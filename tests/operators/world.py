"""States in a real journal, and the operators' service on them."""

import base64
import itertools
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from connector.core.audit import AuditEntry, key_name, link
from connector.core.conditions import Condition
from connector.core.errors import Family, Fault, Permanent
from connector.core.events import AuditCut, Event, LetterAct
from connector.core.journal import Commit, DeadLetter, PartitionRecord, Positioned, StateRow
from connector.core.model import (
    DAY,
    Generation,
    IdentityPair,
    SetEntry,
    Slot,
    SubjectKey,
    SubjectKind,
    Usage,
    partition_of,
    set_digest,
    subject_key,
)
from connector.core.policy import RoutePolicy
from connector.core.ports import EscrowBackend, Target
from connector.core.rows import HeldUp, UnreadableState
from connector.core.secret import Credential
from connector.core.selection import SigningPolicy
from connector.core.states import (
    Brakes,
    Copy,
    CopyState,
    DeliveredGeneration,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    DeviceState,
    DeviceStatus,
    Effect,
    HolderState,
    Identity,
    KnownDevice,
    Phase,
    State,
    Trigger,
    Want,
)
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.operators.planner import Planner
from connector.operators.service import OperatorService, Surroundings
from connector.operators.verbs.status import CredentialView, FeedView, UpstreamView
from connector.operators.verbs.support import ProcessView
from connector.operators.verbs.verb import Operator
from tests.support.clocks import NOW, ManualClock
from tests.support.routes import policy

PARTITIONS = 2
ANNA = Operator(uid=1000, name="anna")
CURRENT, ARCHIVED = "a" * 64, "b" * 64
DEVICE = subject_key("corp", SubjectKind.DEVICE, "15")
PAIR = IdentityPair(person="mara.lind", agreeing="mara@example.com")


def route(**changes: object) -> RoutePolicy:
    named = {"name": "staff", "uem": "corp", "ca": "main", "signing": SigningPolicy.NEVER}
    return policy(**(named | changes))


def generation(fingerprint: str, age_days: int) -> Generation:
    return Generation(
        fingerprint=fingerprint,
        public_key=fingerprint,
        usage=Usage.ENCRYPTION,
        issuer="CN=Issuer",
        serial="1",
        not_before=NOW - age_days * DAY,
        not_after=NOW + DAY,
        addresses=("mara@example.com",),
    )


def holder(number: int = 12, phase: Phase = Phase.AWAITING_INSTALL, **changes: object) -> State:
    """A holder with two generations and one device, whose delivery is in this phase."""
    key = subject_key("corp", SubjectKind.HOLDER, str(number))
    entries = tuple(
        SetEntry(slot=slot, fingerprint=name, public_key=name)
        for slot, name in ((Slot.ENCRYPTION, CURRENT), (Slot.ARCHIVED, ARCHIVED))
    )
    fault = Fault(code="CA-410", family=Family.PERMANENT, detail="the request was denied")
    delivery = Delivery(
        id=f"delivery-{number}",
        opened_at=NOW - 7_200_000,
        trigger=Trigger.ENROLMENT,
        phase=phase,
        due=NOW + 60_000,
        deadline=NOW + DAY,
        phase_since=NOW - 3_600_000,
        entries=entries,
        digest=set_digest(entries),
        devices={
            DEVICE: DeviceInDelivery(phase=DevicePhase.WAITING, since=NOW - 1000, joined_at=NOW)
        },
        uploaded_at=NOW - 60_000,
        trouble=fault if phase is Phase.FAILED else None,
    )
    state = HolderState(
        key=key,
        version=1,
        route="staff",
        name=f"mara{number}",
        mail=f"mara{number}@example.com",
        identity=Identity(pinned=PAIR, pinned_at=NOW),
        devices={DEVICE: KnownDevice(platform="apple", friendly_name="phone", joined_at=NOW)},
        generations=(generation(CURRENT, 10), generation(ARCHIVED, 400)),
        delivery=delivery,
        copy=Copy(state=CopyState.PRESENT, since=NOW - 60_000, retention=DAY),
        delivered=(DeliveredGeneration(fingerprint=ARCHIVED, public_key=ARCHIVED, at=NOW - DAY),),
        wants=(Want(effect=Effect.LOOK_INSTALLED, due=NOW + 90_000, lane="look_installed:staff"),),
    )
    return state.model_copy(update=changes)


def device() -> DeviceState:
    return DeviceState(
        key=DEVICE,
        version=1,
        status=DeviceStatus.ENROLLED,
        holder=subject_key("corp", SubjectKind.HOLDER, "12"),
        friendly_name="phone",
    )


class AdminWorld:
    """A journal with states in it, and the service that operators talk to."""

    def __init__(self, folder: Path, kind: type[SqliteJournal] = SqliteJournal) -> None:
        self.lost: list[Permanent] = []
        self.key = Credential("0123456789abcdef" * 4)
        self.key_named = True
        self.path = folder / "journal.sqlite"
        self.journal = kind(
            SqliteSettings(path=self.path, partitions=PARTITIONS),
            monotonic=time.monotonic,
            on_lost=self.lost.append,
        )
        self.routes = {"staff": route()}
        self.backends: Mapping[str, EscrowBackend] = {}
        self.targets: Mapping[str, Target] = {}
        self._records: dict[int, PartitionRecord] = {}
        self.verified: list[bool] = []
        self.conditions: list[Condition] = []
        self.process: Callable[[], ProcessView] = ProcessView
        self._ids = itertools.count(1)

    def service(self) -> OperatorService:
        planner = Planner(lambda: self.routes, self.backends, self.targets, ManualClock().now)
        around = Surroundings(
            clock=ManualClock(),
            unique=lambda: f"id-{next(self._ids)}",
            audit_key=self.key,
            routes=lambda: self.routes,
            upstreams=lambda: [UpstreamView(name="ca:main", state="open", code="CA-001")],
            version="1.2.3",
            verified=self.verified.append,
            conditions=lambda: self.conditions,
            credentials=lambda: [CredentialView(name="tls-server", not_after=NOW + 9 * DAY)],
            feeds=lambda pulled: [
                FeedView(name=name, last_pull=NOW - 4000, position_since=one.at, code="UEM-005")
                for name, one in pulled.items()
            ],
            process=lambda: self.process(),  # noqa: PLW0108 - given later
        )
        return OperatorService(self.journal, planner, around)

    async def open(self) -> None:
        await self.journal.open()
        for number in range(PARTITIONS):
            self._records[number] = await self.journal.take_over(number)

    async def brake(self, held: Brakes) -> None:
        """Commit brakes to every partition."""
        await self.change(brakes=held)

    async def change(self, **members: object) -> None:
        """Commit a change to every partition's own record."""
        for partition, record in self._records.items():
            changes = {**members, "commits": record.commits + 1}
            self._records[partition] = record.model_copy(update=changes)
            await self.journal.commit(Commit(record=self._records[partition]))

    async def hold_up(self, partition: int, code: str, held: HeldUp) -> None:
        """Commit that subjects of a partition wait after a failure."""
        record = self._records[partition]
        changes = {"commits": record.commits + 1, "held_up": {code: held}}
        self._records[partition] = record.model_copy(update=changes)
        await self.journal.commit(Commit(record=self._records[partition]))

    async def put(self, *states: State | UnreadableState) -> None:
        """Commit states, each with an audit entry about it."""
        for state in states:
            await self._put(state)

    async def bury(
        self,
        partition: int,
        position: int,
        original: bytes,
        *,
        at: int = NOW,
        code: str = "EVT-005",
    ) -> None:
        """Commit a dead letter."""
        body = base64.b64encode(original).decode()
        letter = DeadLetter(partition=partition, position=position, code=code, original=body, at=at)
        record = self._records[partition]
        self._records[partition] = record.model_copy(update={"commits": record.commits + 1})
        await self.journal.commit(Commit(record=self._records[partition], dead_letters=(letter,)))

    async def settle(self) -> None:
        """Commit that every event so far was read, letters settled and trails cut as they ask."""
        for number, record in self._records.items():
            found = await self.journal.read(number, record.position, 1000)
            events = [one.event for one in found if isinstance(one, Positioned)]
            bodies = [event.body for event in events]
            settled = [body.position for body in bodies if isinstance(body, LetterAct)]
            cuts = [body for body in bodies if isinstance(body, AuditCut)]
            changes: dict[str, object] = {"commits": record.commits + 1}
            changes |= {"position": found[-1].position} if found else {}
            if cuts:
                changes |= {"audit_cut": cuts[-1].through, "audit_cut_head": cuts[-1].head}
            self._records[number] = record.model_copy(update=changes)
            commit = Commit(record=self._records[number], settled=tuple(settled))
            await self.journal.commit(commit)

    async def remove_letters(self, *positions: int) -> None:
        """Commit to the first partition that letters are settled, without reading any event."""
        record = self._records[0]
        self._records[0] = record.model_copy(update={"commits": record.commits + 1})
        await self.journal.commit(Commit(record=self._records[0], settled=positions))

    async def _put(self, state: State | UnreadableState) -> None:
        number = partition_of(state.key, PARTITIONS)
        record = self._records[number]
        entry = AuditEntry(at=NOW, subject=state.key, action="test.put", reason="=1+1")
        (chained,) = link(
            self.key,
            partition=number,
            epoch=record.epoch,
            head=record.audit_head,
            count=record.audit_count,
            entries=[entry],
        )
        self._records[number] = record.model_copy(
            update={
                "commits": record.commits + 1,
                "audit_head": chained.mac,
                "audit_count": chained.sequence,
                "audit_key": key_name(self.key) if self.key_named else "",
            }
        )
        await self.journal.commit(
            Commit(
                record=self._records[number],
                states=(StateRow(key=state.key, state=state),),
                audit=(chained,),
            )
        )

    async def read_all(self) -> None:
        """Commit that every event so far was read, as a worker does that applies them."""
        for number, record in self._records.items():
            found = await self.journal.read(number, record.position, 1000)
            if found:
                changes = {"position": found[-1].position, "commits": record.commits + 1}
                self._records[number] = record.model_copy(update=changes)
                await self.journal.commit(Commit(record=self._records[number]))

    async def events(self, key: SubjectKey | None = None) -> list[Event]:
        """What was appended, perhaps of one subject."""
        found = []
        for number in range(PARTITIONS):
            found += await self.journal.read(number, 0, 1000)
        events = [one.event for one in found if isinstance(one, Positioned)]
        return [event for event in events if key in {None, event.subject}]
