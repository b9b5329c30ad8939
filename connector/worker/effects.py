"""Perform effects: call the port for what a state or an act asks for; return the result as a fact.

Nothing is decided here. Any failure is returned as a fault in the fact.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from connector.certificates.listing import Standard, judged
from connector.core.errors import Family, Fault, Permanent, Scope, Transient
from connector.core.facts import (
    LOOKED,
    PARTS,
    Acted,
    Begun,
    CleanedUp,
    CopyLookedAt,
    DeviceLookedUp,
    HandedOver,
    InstallLookedAt,
    Listed,
    Listing,
    Looked,
    Parts,
    Pushed,
    RequestsLookedAt,
    UserLookedUp,
)
from connector.core.handover import HandoverOutcome, NotSent, Unknown
from connector.core.model import (
    DeviceFacts,
    HolderFacts,
    Millis,
    OpenRequest,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import RoutePolicy
from connector.core.ports import (
    EscrowBackend,
    Evidence,
    GoneLook,
    InstallQuestion,
    Recovery,
    Target,
)
from connector.core.states import ONLY_CA, DevicePhase, DeviceState, Effect, HolderState, Running
from connector.worker.handover_jobs import HandoverJobs
from connector.worker.ports import HandOver, Subject
from connector.worker.probing import LOOK_SECONDS, Unexpected, fault_of, probe, too_slow

T = TypeVar("T")
Look = Callable[[Any, Millis], Awaitable[Any]]
Act = Callable[[SubjectKey, Running, list[Any]], Awaitable[None]]


def _look(
    fact: type[Looked[T]], look: Callable[[Any, Millis], Awaitable[T]]
) -> tuple[Effect, Look]:
    """A line of the table: how a look is done, with the answer that its fact carries."""
    return fact.effect, look


def _act(
    fact: type[Parts[T]], act: Callable[[SubjectKey, Running, list[T]], Awaitable[None]]
) -> tuple[Effect, Act]:
    """A line of the table: how an act is done; parts that succeeded are added to the list."""
    return fact.effect, act


async def apply_to_all(
    parts: Iterable[T], act: Callable[[T], Awaitable[None]], done: list[T]
) -> None:
    """Do an act for each part; those that succeeded are added to ``done`` at once.

    Raises:
        Permanent: the first refusal of a single part, after all have been tried.
        ConnectorError: any other failure, at once: it would hit the other parts as well.
    """
    refused: Permanent | None = None
    for part in parts:
        try:
            await act(part)
        except Permanent as error:
            if error.scope is not Scope.SUBJECT:
                raise
            refused = refused or error
        else:
            done.append(part)
    if refused is not None:
        raise refused


class UpstreamEffects:
    """Performs effects through the ports.

    Args:
        backends: escrow backends by the CA's name, open.
        targets: targets by the UEM's name, open.
        routes: returns the current policies.
        jobs: makes the jobs of hand-over processes.
        hand_over: starts hand-over processes.
        monotonic: seconds.
        look_limit: seconds that one look may take, with all of its requests.
        unexpected: called with the class name of an error that plug-ins must not raise.
    """

    def __init__(  # noqa: PLR0913 - the one place where all ports come together
        self,
        *,
        backends: Mapping[str, EscrowBackend],
        targets: Mapping[str, Target],
        routes: Callable[[], Mapping[str, RoutePolicy]],
        jobs: HandoverJobs,
        hand_over: HandOver,
        monotonic: Callable[[], float],
        unexpected: Unexpected,
        look_limit: float = LOOK_SECONDS,
    ) -> None:
        self._backends = backends
        self._targets = targets
        self._routes = routes
        self._jobs = jobs
        self._hand_over = hand_over
        self._monotonic = monotonic
        self._unexpected = unexpected
        self._look_limit = look_limit
        self._looks = dict(
            (
                _look(DeviceLookedUp, self._look_up_device),
                _look(UserLookedUp, self._look_up),
                _look(Listed, self._list),
                _look(RequestsLookedAt, self._look_at_requests),
                _look(InstallLookedAt, self._look_installed),
                _look(CopyLookedAt, self._look_gone),
            )
        )
        self._acts = dict(
            (
                _act(Begun, self._begin),
                _act(Pushed, self._push),
                _act(CleanedUp, self._clean_up),
            )
        )

    def hold(self, keys: Collection[SubjectKey]) -> None:
        """End hand-overs for these holders that have not started to upload."""
        self._hand_over.cancel_unsent(
            lambda job: subject_key(job.target.name, SubjectKind.HOLDER, job.holder) in keys
        )

    async def probe(self, upstream: str) -> Fault | None:
        """Send an upstream its probe; see :class:`Effects`."""
        kind, _, name = upstream.partition(":")
        port = self._backends[name] if kind == "ca" else self._targets[name]
        return await probe(kind, port, self._unexpected)

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked[Any]:
        """Perform a look; see :class:`Effects`."""
        limit = asyncio.timeout(self._look_limit)
        try:
            async with limit:
                answer = await self._looks[effect](state, now)
        except Exception as error:  # noqa: BLE001 - a plug-in's bug must not stop the loop
            route = state.route if isinstance(state, HolderState) else None
            slow = limit.expired() and too_slow(self._upstream(effect, state.key, route))
            answer = self._fault(effect, state.key, route, slow or error)
        return LOOKED[effect](state.version, answer)

    async def _look_up_device(self, state: DeviceState, _now: Millis) -> DeviceFacts | None:
        tenant, _, device = parse_subject(state.key)
        return await self._targets[tenant].look_up_device(device)

    async def _look_up(self, state: HolderState, _now: Millis) -> HolderFacts | None:
        tenant, _, holder = parse_subject(state.key)
        return await self._targets[tenant].look_up(holder, self._profiles(state, tenant))

    def _profiles(self, state: HolderState, uem: str) -> dict[str, str]:
        routes = self._routes()
        if state.route is not None and state.route in routes:
            return routes[state.route].profiles
        return next((route.profiles for route in routes.values() if route.uem == uem), {})

    def _route(self, name: str | None) -> RoutePolicy:
        route = self._routes().get(name or "")
        if route is None:  # removed since the effect was admitted
            raise Permanent("USR-007", "the route of this delivery is not configured any more")
        return route

    def _backend(self, route: str | None) -> EscrowBackend:
        return self._backends[self._route(route).ca]

    async def _list(self, state: HolderState, now: Millis) -> Listing:
        person = state.observed.person if state.observed else ""
        backend = self._backend(state.route)
        route = self._route(state.route)
        standard = Standard(route.issuers_file, self._targets[route.uem].capabilities, now)
        listing = judged(await backend.list(person), standard)
        return Listing(
            person=listing.person,
            generations=tuple(one.generation for one in listing.certificates),
            open=tuple(await backend.find_open(person)),
        )

    async def _look_at_requests(self, state: HolderState, _now: Millis) -> tuple[OpenRequest, ...]:
        backend = self._backend(state.route)
        seen = [(request, await backend.look(request.id)) for request in state.requests]
        return tuple(request.model_copy(update={"state": now}) for request, now in seen)

    async def _look_installed(self, state: HolderState, _now: Millis) -> Evidence:
        tenant, _, holder = parse_subject(state.key)
        return await self._targets[tenant].look_installed(self._question(state, holder))

    async def _look_gone(self, state: HolderState, _now: Millis) -> GoneLook:
        tenant, _, holder = parse_subject(state.key)
        return await self._targets[tenant].look_gone(holder)

    def _question(self, state: HolderState, holder: str) -> InstallQuestion:
        delivery = state.delivery
        if delivery is None or delivery.current is None:
            raise Permanent("DLV-006", "nothing has been delivered yet")
        earlier = delivery.archived
        waiting = [k for k, d in delivery.devices.items() if d.phase is DevicePhase.WAITING]
        return InstallQuestion(
            holder=holder,
            devices=tuple(parse_subject(key).id for key in waiting),
            profiles=self._route(state.route).profiles,
            platforms={
                parse_subject(key).id: state.devices[key].platform.lower()
                for key in waiting
                if key in state.devices
            },
            current=delivery.current,
            archived=tuple(g for g in state.generations if g.fingerprint in earlier),
            since=delivery.uploaded_server_time,
        )

    async def act(self, key: SubjectKey, running: Running, deadline: float) -> Acted:
        """Perform an act; see :class:`Effects`."""
        if running.effect is Effect.HAND_OVER:
            return HandedOver(running.attempt, await self._hand_over_set(key, running, deadline))
        done: list[Any] = []
        fault: Fault | None = None
        left = deadline - self._monotonic()
        try:
            async with asyncio.timeout(left):
                if left <= 0:
                    raise Transient("HND-006", "acting: too late to start")  # noqa: TRY301
                await self._acts[running.effect](key, running, done)
        except TimeoutError:
            fault = Fault(code="HND-007", family=Family.TRANSIENT, detail="longer than its limit")
        except Exception as error:  # noqa: BLE001 - a plug-in's bug must not stop the loop
            fault = self._fault(running.effect, key, running.route, error)
        return PARTS[running.effect](running.attempt, tuple(done), fault)

    async def _hand_over_set(
        self, key: SubjectKey, running: Running, deadline: float
    ) -> HandoverOutcome:
        """Hand a set over; the process enforces its own deadline."""
        lost: type[NotSent | Unknown] = NotSent
        try:
            job = self._jobs.job(key, running, self._route(running.route))
            lost = Unknown
            return await self._hand_over.run(job, job.limit, deadline)
        except Exception as error:  # noqa: BLE001 - a bug must not stop the loop
            return lost(fault=self._fault(running.effect, key, running.route, error))

    async def _begin(self, _: SubjectKey, running: Running, done: list[OpenRequest]) -> None:
        backend = self._backend(running.route)
        for request in running.requests:
            recovery = Recovery(
                id=request.id,
                person=running.person,
                fingerprint=request.fingerprint,
                reason=running.reason,
            )
            answer = await backend.begin(recovery)
            done.append(request.model_copy(update={"state": answer}))

    async def _push(self, key: SubjectKey, running: Running, done: list[SubjectKey]) -> None:
        push, ids = self._targets[parse_subject(key).tenant].push, running.profiles
        await apply_to_all(ids, lambda device: push(parse_subject(device).id, ids[device]), done)

    async def _clean_up(self, _: SubjectKey, running: Running, done: list[OpenRequest]) -> None:
        clean_up = self._backend(running.route).clean_up
        await apply_to_all(running.requests, lambda request: clean_up(request.id), done)

    def _fault(self, effect: Effect, key: SubjectKey, route: str | None, error: Exception) -> Fault:
        fault = fault_of(error, effect.value, self._unexpected)
        if fault.scope is not Scope.UPSTREAM or fault.upstream is not None:
            return fault
        return fault.model_copy(update={"upstream": self._upstream(effect, key, route)})

    def _upstream(self, effect: Effect, key: SubjectKey, route: str | None) -> str:
        if effect in ONLY_CA and route in self._routes():
            return f"ca:{self._route(route).ca}"
        return f"uem:{parse_subject(key).tenant}"
