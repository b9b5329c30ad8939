"""Perform effects: call the port for what a state asks for, and return the result as a fact.

Nothing is decided here. Any failure is returned as a fault in the fact.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial
from math import isfinite

from connector.certificates.listing import Standard, judged
from connector.core.errors import Family, Fault, Permanent, Scope, Transient
from connector.core.facts import Acted, ActResult, Listing, Looked, LookResult
from connector.core.handover import HandoverJob, NotSent, PluginReference
from connector.core.holder.planning import rules_of
from connector.core.holder.possession import archived
from connector.core.model import (
    SECOND,
    Millis,
    OpenRequest,
    RequestState,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import RoutePolicy, profile_for
from connector.core.ports import EscrowBackend, InstallQuestion, Recovery, Target
from connector.core.states import (
    ONLY_CA,
    DevicePhase,
    DeviceState,
    Effect,
    HolderState,
    Running,
)
from connector.crash import CrashBy
from connector.worker.each import each
from connector.worker.ports import HandOver, Subject
from connector.worker.probing import LOOK_SECONDS, Unexpected, fault_of, probe, too_slow

PROBE_REQUESTS = 3
"""An upload that is refused with 403 is followed by a probe: of this user only, or of all?"""


class UpstreamEffects:
    """Performs effects through the ports.

    Args:
        backends: escrow backends by the CA's name, open.
        targets: targets by the UEM's name, open.
        references: how a hand-over process constructs the same plug-ins, by ``ca:`` and ``uem:``.
        routes: returns the current policies.
        hand_over: starts hand-over processes.
        paces: requests per second that one hand-over process may send to an upstream.
        monotonic: seconds.
        look_limit: seconds that one look may take, with all of its requests.
        crash_at: crash point for the child, in tests only.
        crash_by: whether it is killed or stopped there.
        unexpected: called with the class name of an error that plug-ins must not raise.
    """

    def __init__(  # noqa: PLR0913 - the one place where all ports come together
        self,
        *,
        backends: Mapping[str, EscrowBackend],
        targets: Mapping[str, Target],
        references: Mapping[str, PluginReference],
        routes: Callable[[], Mapping[str, RoutePolicy]],
        hand_over: HandOver,
        paces: Callable[[str], float],
        monotonic: Callable[[], float],
        unexpected: Unexpected,
        look_limit: float = LOOK_SECONDS,
        crash_at: str | None = None,
        crash_by: CrashBy = "kill",
    ) -> None:
        self._backends = backends
        self._targets = targets
        self._references = references
        self._routes = routes
        self._hand_over = hand_over
        self._paces = paces
        self._monotonic = monotonic
        self._unexpected = unexpected
        self._look_limit = look_limit
        self._crash_at = crash_at
        self._crash_by = crash_by

    def hold(self, keys: Collection[SubjectKey]) -> None:
        """End hand-overs for these holders that have not started to upload."""
        self._hand_over.cancel_unsent(
            lambda job: subject_key(job.target.name, SubjectKind.HOLDER, job.holder) in keys
        )

    async def probe(self, upstream: str) -> Fault | None:
        """Send an upstream one cheap request; see :class:`Effects`."""
        kind, _, name = upstream.partition(":")
        port = self._backends[name] if kind == "ca" else self._targets[name]
        return await probe(kind, port, self._unexpected)

    async def look(self, effect: Effect, state: Subject, now: Millis) -> Looked:
        """Perform a look; see :class:`Effects`."""
        limit = asyncio.timeout(self._look_limit)
        try:
            async with limit:
                result = await self._look(effect, state, now)
        except Exception as error:  # noqa: BLE001 - a plug-in's bug must not stop the loop
            why = too_slow(self._upstream(effect, state)) if limit.expired() else error
            return Looked(effect, state.version, fault=self._fault(effect, state, why))
        return Looked(effect, state.version, result)

    async def _look(self, effect: Effect, state: Subject, now: Millis) -> LookResult:
        if isinstance(state, DeviceState):
            tenant, _, device = parse_subject(state.key)
            return await self._targets[tenant].look_up_device(device)
        if not isinstance(state, HolderState):
            return None
        match effect:
            case Effect.LIST:
                return await self._list(state, now)
            case Effect.LOOK_REQUESTS:
                return await self._look_requests(state)
            case _:
                return await self._look_at_uem(effect, state)

    async def _look_at_uem(self, effect: Effect, state: HolderState) -> LookResult:
        tenant, _, holder = parse_subject(state.key)
        target = self._targets[tenant]
        match effect:
            case Effect.LOOK_UP:
                return await target.look_up(holder, self._profiles(state, tenant))
            case Effect.LOOK_INSTALLED:
                return await target.look_installed(self._question(state, holder))
            case _:
                return await target.look_gone(holder)

    def _profiles(self, state: HolderState, uem: str) -> dict[str, str]:
        routes = self._routes()
        if state.route is not None and state.route in routes:
            return routes[state.route].profiles
        return next((route.profiles for route in routes.values() if route.uem == uem), {})

    def _route(self, state: HolderState) -> RoutePolicy:
        return self._routes()[state.route or ""]

    def _backend(self, state: HolderState) -> EscrowBackend:
        return self._backends[self._route(state).ca]

    async def _list(self, state: HolderState, now: Millis) -> Listing:
        person = state.observed.person if state.observed else ""
        backend = self._backend(state)
        route = self._route(state)
        standard = Standard(route.issuers_file, self._targets[route.uem].capabilities, now)
        listing = judged(await backend.list(person), standard)
        return Listing(
            person=listing.person,
            generations=tuple(one.generation for one in listing.certificates),
            open=tuple(await backend.find_open(person)),
        )

    async def _look_requests(self, state: HolderState) -> tuple[OpenRequest, ...]:
        backend = self._backend(state)
        seen = [(request, await backend.look(request.id)) for request in state.requests]
        return tuple(request.model_copy(update={"state": now}) for request, now in seen)

    def _question(self, state: HolderState, holder: str) -> InstallQuestion:
        delivery = state.delivery
        if delivery is None or delivery.current is None:
            raise Permanent("DLV-006", "nothing has been delivered yet")
        waiting = [k for k, d in delivery.devices.items() if d.phase is DevicePhase.WAITING]
        return InstallQuestion(
            holder=holder,
            devices=tuple(parse_subject(key).id for key in waiting),
            profiles=self._route(state).profiles,
            platforms={
                parse_subject(key).id: state.devices[key].platform.lower()
                for key in waiting
                if key in state.devices
            },
            current=delivery.current,
            archived=tuple(g for g in state.generations if g.fingerprint in archived(delivery)),
            since=delivery.uploaded_server_time,
        )

    async def act(self, state: HolderState, running: Running, deadline: float) -> Acted:
        """Perform an act; see :class:`Effects`."""
        done: list[OpenRequest | SubjectKey] = []
        left = None if running.effect is Effect.HAND_OVER else deadline - self._monotonic()
        try:
            async with asyncio.timeout(left):
                if left is not None and left <= 0:
                    raise Transient("HND-006", "acting: its time was over before it began")  # noqa: TRY301
                result = await self._act(state, running, deadline, done)
        except TimeoutError:
            fault = Fault(code="HND-007", family=Family.TRANSIENT, detail="longer than its limit")
            return Acted(running.effect, running.attempt, tuple(done) or None, fault)
        except Exception as error:  # noqa: BLE001 - a plug-in's bug must not stop the loop
            fault = self._fault(running.effect, state, error)
            return Acted(running.effect, running.attempt, tuple(done) or None, fault)
        return Acted(running.effect, running.attempt, result)

    async def _act(
        self,
        state: HolderState,
        running: Running,
        deadline: float,
        done: list[OpenRequest | SubjectKey],
    ) -> ActResult:
        """Do the act. A hand-over enforces its own deadline; the caller's timeout ends all else."""
        match running.effect:
            case Effect.HAND_OVER:
                try:
                    job = self._job(state, running)
                except Exception as error:  # noqa: BLE001 - nothing was sent, for any error
                    return NotSent(fault=self._fault(running.effect, state, error))
                return await self._hand_over.run(job, job.limit, deadline)
            case Effect.BEGIN:
                await self._begin(state, running, done)
            case Effect.PUSH:
                await each(running.devices, partial(self._push, state), done)
            case Effect.CLEAN_UP:
                await each(running.requests, partial(self._clean_up, state), done)
            case _:
                return None
        return tuple(done)

    async def _begin(
        self, state: HolderState, running: Running, done: list[OpenRequest | SubjectKey]
    ) -> None:
        backend = self._backend(state)
        person = state.observed.person if state.observed else ""
        reason = state.delivery.trigger.value if state.delivery else ""
        for request in running.requests:
            recovery = Recovery(
                id=request.id, person=person, fingerprint=request.fingerprint, reason=reason
            )
            answer = await backend.begin(recovery)
            done.append(request.model_copy(update={"state": answer}))

    async def _push(self, state: HolderState, device: SubjectKey) -> None:
        platform = state.devices[device].platform if device in state.devices else ""
        profile = profile_for(platform, self._route(state).profiles)
        if profile is not None:
            target = self._targets[parse_subject(state.key).tenant]
            await target.push(parse_subject(device).id, profile)

    async def _clean_up(self, state: HolderState, request: OpenRequest) -> None:
        await self._backend(state).clean_up(request.id)

    def _job(self, state: HolderState, running: Running) -> HandoverJob:
        delivery, route = state.delivery, self._route(state)
        if delivery is None or delivery.digest is None or state.observed is None:
            raise Permanent("DLV-006", "no set has been chosen")
        return HandoverJob(
            attempt=running.attempt,
            holder=parse_subject(state.key).id,
            person=state.observed.person,
            route=route.name,
            escrow=self._references[f"ca:{route.ca}"],
            target=self._references[f"uem:{route.uem}"],
            entries=delivery.entries,
            requests=tuple(r for r in state.requests if r.state is RequestState.GRANTED),
            digest=delivery.digest,
            address=delivery.address,
            now=running.started_at,
            rules=rules_of(state, route),
            pkcs12_profile=route.pkcs12_profile,
            issuers_file=route.issuers_file,
            limit=running.limit / 1000,
            ca_rate=self._rate(f"ca:{route.ca}", len(delivery.entries), running.limit),
            uem_rate=self._rate(f"uem:{route.uem}", 1 + PROBE_REQUESTS, running.limit),
            crash_at=self._crash_at,
            crash_by=self._crash_by,
        )

    def _rate(self, upstream: str, requests: int, limit: Millis) -> float | None:
        """Requests per second that one hand-over may send.

        At least the rate at which its requests need half of its time limit: at a lower rate it
        would be ended before its last request, and so would every retry. The service slows down
        elsewhere for what this exceeds the share.
        """
        rate = max(self._paces(upstream), 2 * SECOND * (requests + 1) / limit)
        return rate if isfinite(rate) else None

    def _fault(self, effect: Effect, state: Subject, error: Exception) -> Fault:
        fault = fault_of(error, effect.value, self._unexpected)
        if fault.scope is not Scope.UPSTREAM or fault.upstream is not None:
            return fault
        return fault.model_copy(update={"upstream": self._upstream(effect, state)})

    def _upstream(self, effect: Effect, state: Subject) -> str:
        if effect in ONLY_CA and isinstance(state, HolderState) and state.route in self._routes():
            return f"ca:{self._route(state).ca}"
        return f"uem:{parse_subject(state.key).tenant}"
