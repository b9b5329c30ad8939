"""Upstreams that answer at once, inside the process: for measuring and testing the loop alone.

Holds no key and speaks no protocol; it performs effects from a small picture of users, devices and
certificates. Everything that concerns a wire is tested against the other simulators.
"""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from connector.core.errors import Fault
from connector.core.facts import LOOKED, PARTS, Acted, HandedOver, Listing, Looked, failed
from connector.core.handover import Accepted, BundleReceipt
from connector.core.model import (
    DAY,
    DeviceEvidence,
    DeviceFacts,
    Generation,
    HolderFacts,
    Millis,
    OpenRequest,
    PersonRecord,
    ProfileStatus,
    RequestState,
    SubjectKey,
    Usage,
    parse_subject,
)
from connector.core.ports import Evidence, GoneLook
from connector.core.states import DeviceState, Effect, HolderState, Running
from connector.worker.ports import Subject


def digest(*parts: object) -> str:
    """A fingerprint made of a name."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


@dataclass(slots=True)
class InstantWorld:
    """What the instant CA and UEM know. Device ``d`` belongs to user ``d // devices_each``.

    ``renewals`` counts the generations per user beyond the first; ``fault`` is consulted before
    every effect and ``down`` for every probe, both may answer with a fault. ``dated`` gets the
    time of every answer to a look or a probe.
    """

    now: Callable[[], Millis]
    devices_each: int = 1
    renewals: dict[str, int] = field(default_factory=dict)
    gone_devices: set[str] = field(default_factory=set)
    compromised: set[str] = field(default_factory=set)
    mail_edits: dict[str, str] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    uploads: list[tuple[str, str]] = field(default_factory=list)
    pushes: list[tuple[str, str]] = field(default_factory=list)
    confirmed: dict[str, Millis] = field(default_factory=dict)
    fault: Callable[[Effect, SubjectKey], Fault | None] = lambda _effect, _key: None
    down: Callable[[str], Fault | None] = lambda _upstream: None
    dated: Callable[[Millis], None] = lambda _time: None

    def generations(self, user: str) -> tuple[Generation, ...]:
        """All encryption and signing generations of a user, oldest first."""
        base = self.now() - 30 * DAY
        return tuple(
            _generation(user, number, usage, base + number * 1000)
            for number in range(self.renewals.get(user, 0) + 1)
            for usage in (Usage.ENCRYPTION, Usage.SIGNING)
        )

    def devices(self, user: str) -> tuple[DeviceFacts, ...]:
        """The enrolled devices of a user."""
        first = int(user) * self.devices_each
        ids = [str(first + offset) for offset in range(self.devices_each)]
        return tuple(self.device(device) for device in ids if device not in self.gone_devices)

    def device(self, device: str) -> DeviceFacts:
        """One device as the UEM shows it."""
        uploaded = self.confirmed.get(device)
        return DeviceFacts(
            id=device,
            holder=str(int(device) // self.devices_each),
            enrolled=device not in self.gone_devices,
            platform="apple",
            compromised=device in self.compromised,
            last_seen=self.now(),
            profile=ProfileStatus.INSTALLED if uploaded else ProfileStatus.PENDING,
        )

    def user(self, user: str) -> HolderFacts:
        """A user as the UEM shows them."""
        mail = self.mail_edits.get(user, f"user{user}@example.com")
        return HolderFacts(
            id=user, name=f"user{user}", mail=mail, group="all", devices=self.devices(user)
        )


def _generation(user: str, number: int, usage: Usage, not_before: Millis) -> Generation:
    return Generation(
        fingerprint=digest(user, number, usage, "certificate"),
        public_key=digest(user, number, usage, "key"),
        usage=usage,
        issuer="CN=Instant CA",
        serial=f"{number:x}{usage.value[0].encode().hex()}",
        not_before=not_before,
        not_after=not_before + 365 * DAY,
        addresses=(f"user{user}@example.com",),
    )


class InstantEffects:
    """Performs effects against an :class:`InstantWorld`."""

    def __init__(self, world: InstantWorld) -> None:
        self._world = world

    def hold(self, keys: Collection[SubjectKey]) -> None:
        """Nothing takes long enough to be ended."""

    async def probe(self, upstream: str) -> Fault | None:
        """Whether an upstream answers."""
        fault = self._world.down(upstream)
        if fault is None:
            self._world.dated(self._world.now())
        return fault

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:  # noqa: ARG002 - the world has its own clock
        """Answer a look at once."""
        answer: object = self._world.fault(effect, state.key)
        if answer is None:
            self._world.dated(self._world.now())
            answer = self._answer(effect, state)
        return LOOKED[effect](state.version, answer)

    def _answer(self, effect: Effect, state: Subject) -> object:
        subject = parse_subject(state.key)
        world = self._world
        if isinstance(state, DeviceState):
            return world.device(subject.id)
        match effect:
            case Effect.LOOK_UP:
                return world.user(subject.id)
            case Effect.LIST:
                person = PersonRecord(
                    person=f"user{subject.id}", addresses=(f"user{subject.id}@example.com",)
                )
                return Listing(person, world.generations(subject.id))
            case Effect.LOOK_REQUESTS:
                return self._requests(state)
            case Effect.LOOK_INSTALLED:
                return self._evidence(state)
            case _:
                return GoneLook(server_time=world.now())

    def _requests(self, state: Subject) -> tuple[OpenRequest, ...]:
        """What was begun is granted; of anything else the CA knows nothing."""
        requests = state.requests if isinstance(state, HolderState) else ()
        begun = self._world.begun
        return tuple(
            request.model_copy(
                update={"state": RequestState.GRANTED if request.id in begun else RequestState.GONE}
            )
            for request in requests
        )

    def _evidence(self, state: Subject) -> Evidence:
        devices = (
            state.delivery.devices if isinstance(state, HolderState) and state.delivery else {}
        )
        ids = [parse_subject(key).id for key in devices]
        return Evidence(
            devices=tuple(
                DeviceEvidence(
                    device=device,
                    enrolled=device not in self._world.gone_devices,
                    profile=ProfileStatus.INSTALLED,
                    install_confirmed_at=self._world.confirmed.get(device),
                    last_seen=self._world.now(),
                )
                for device in ids
            ),
            server_time=self._world.now(),
        )

    async def act(
        self,
        key: SubjectKey,
        running: Running,
        deadline: float,  # noqa: ARG002 - it takes no time
    ) -> Acted:
        """Do an act at once."""
        fault = self._world.fault(running.effect, key)
        if fault is not None:
            return failed(running.effect, running.attempt, fault)
        if running.effect is Effect.HAND_OVER:
            return HandedOver(running.attempt, self._accept(key, running))
        return PARTS[running.effect](running.attempt, self._done(running))

    def _done(self, running: Running) -> tuple[object, ...]:
        match running.effect:
            case Effect.BEGIN:
                self._world.begun.update(request.id for request in running.requests)
                granted = {"state": RequestState.GRANTED}
                return tuple(request.model_copy(update=granted) for request in running.requests)
            case Effect.PUSH:
                return running.devices
            case _:
                return running.requests

    def _accept(self, key: SubjectKey, running: Running) -> Accepted:
        user = parse_subject(key).id
        made = running.digest or ""
        self._world.uploads.append((user, made))
        self._world.begun.difference_update(request.id for request in running.requests)
        for device in self._world.devices(user):
            self._world.confirmed[device.id] = self._world.now() + 1000
        return Accepted(
            digest=made,
            bundles=tuple(
                BundleReceipt(slot=entry.slot, fingerprint=entry.fingerprint, size=1)
                for entry in running.entries
            ),
            server_time=self._world.now(),
            memory_locked=True,
        )
