"""A dry run: what a delivery would do now. Looks at UEM and CA; touches no key."""

from collections.abc import Callable, Mapping, Sequence

from connector.certificates.listing import Standard, judged
from connector.core.errors import ConnectorError, Fault, Permanent
from connector.core.holder.device_eligibility import check_devices, unfit_device
from connector.core.holder.look_up import about, active
from connector.core.holder.planning import rules_of
from connector.core.identity import agrees, observed_pair, same_pair
from connector.core.model import (
    Generation,
    HolderFacts,
    IdentityPair,
    Millis,
    Sha256Hex,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import Mode, RoutePolicy, route_for
from connector.core.ports import EscrowBackend, EscrowListing, Target
from connector.core.selection import Selection, obstacles, select
from connector.core.states import CopyState, HolderState
from connector.operators.verbs.plan import PlannedDevice, PlannedGeneration, PlanReport


class Planner:
    """Does the steps of planning, and collects every fault instead of stopping at the first.

    Args:
        routes: the routes in force.
        backends: open escrow backends by the CA's name.
        targets: open targets by the UEM's name.
        now: journal time in milliseconds.
    """

    def __init__(
        self,
        routes: Callable[[], Mapping[str, RoutePolicy]],
        backends: Mapping[str, EscrowBackend],
        targets: Mapping[str, Target],
        now: Callable[[], Millis],
    ) -> None:
        self._routes = routes
        self._backends = backends
        self._targets = targets
        self._now = now

    async def plan(self, state: HolderState) -> PlanReport:
        """What a delivery for this holder would do now."""
        report = PlanReport(holder=state.key, name=state.name, mail=state.mail)
        try:
            facts = await self._look_up(state)
            route = route_for(self._routes(), parse_subject(state.key).tenant, facts)
        except ConnectorError as error:
            return report.model_copy(update={"faults": (error.fault(),)})
        faults = _device_faults(facts, route)
        if route.mode is Mode.OBSERVE:
            faults.append(Permanent("DLV-005", "the route only observes").fault())
        report = report.model_copy(
            update={
                "name": facts.name,
                "mail": facts.mail,
                "route": route.name,
                "ca": route.ca,
                "devices": _devices(state, facts, route),
                "replaces": _replaces(state, None),
                "faults": tuple(faults),
            }
        )
        return await self._with_set(report, state, facts, route)

    async def find(self, wanted: str) -> list[SubjectKey]:
        """Find holders that the journal does not know at the UEMs, by user name, mail or device.

        Args:
            wanted: the search text; a number is a user's id, ``device/ID`` names a device.

        Raises:
            ConnectorError: what a UEM raised.
        """
        found = []
        for tenant, target in self._targets.items():
            found += [
                subject_key(tenant, SubjectKind.HOLDER, user)
                for user in await _users(target, wanted)
            ]
        return found

    async def named(self, holder: SubjectKey) -> list[SubjectKey]:
        """The key of the user whom the UEM knows by the id in this one, if any, with its own id.

        Raises:
            ConnectorError: what the UEM raised.
        """
        subject = parse_subject(holder)
        target = self._targets.get(subject.tenant)
        users = await _user(target, subject.id) if target is not None else ()
        return [subject_key(subject.tenant, SubjectKind.HOLDER, user) for user in users]

    async def _look_up(self, state: HolderState) -> HolderFacts:
        subject = parse_subject(state.key)
        target = self._targets.get(subject.tenant)
        if target is None:
            raise Permanent("USR-007", "the UEM of this holder is not configured any more")
        answer = about(state.key, await target.look_up(subject.id, {}))
        if isinstance(answer, Fault):
            raise Permanent(answer.code, answer.detail)
        return active(answer)

    async def _with_set(
        self, report: PlanReport, state: HolderState, facts: HolderFacts, route: RoutePolicy
    ) -> PlanReport:
        """Add person, generations and set; an error on the way is a fault of the plan."""
        try:
            pair = observed_pair(facts, route)
            report = report.model_copy(update={"person": pair.person})
            takes = self._targets[route.uem].capabilities
            standard = Standard(route.issuers_file, takes, self._now())
            listing = judged(await self._backends[route.ca].list(pair.person), standard)
            report = report.model_copy(update={"generations": _listed(state, listing)})
            _same_person(state, pair, listing, route)
        except ConnectorError as error:
            return report.model_copy(update={"faults": (*report.faults, error.fault())})
        return self._selected(report, state, listing, route)

    def _selected(
        self, report: PlanReport, state: HolderState, listing: EscrowListing, route: RoutePolicy
    ) -> PlanReport:
        generations = [escrowed.generation for escrowed in listing.certificates]
        rules = rules_of(state, route)
        try:
            selection = select(
                generations,
                person=listing.person,
                address=report.mail,
                rules=rules,
                now=self._now(),
            )
        except ConnectorError as error:
            kept = [one for one in generations if one.fingerprint not in rules.dropped]
            found = obstacles(kept, listing.person) if rules.archived else {}
            return _obstructed(report, error.fault(), found)
        return report.model_copy(
            update={
                "generations": _chosen(report.generations, selection, generations),
                "digest": selection.digest,
                "replaces": _replaces(state, selection),
            }
        )


async def _users(target: Target, wanted: str) -> tuple[str, ...]:
    kind, _, device = wanted.partition("/")
    if kind == "device" and device:
        facts = await target.look_up_device(device)
        return (facts.holder,) if facts is not None and facts.holder else ()
    if wanted.isdecimal():
        return await _user(target, wanted)
    return await target.find_users(wanted)


async def _user(target: Target, identifier: str) -> tuple[str, ...]:
    """The id that the UEM gives itself: another spelling must not name a second holder."""
    facts = await target.look_up(identifier, {})
    return () if facts is None else (facts.id,)


def _same_person(
    state: HolderState, pair: IdentityPair, listing: EscrowListing, route: RoutePolicy
) -> None:
    if state.identity is not None and not same_pair(state.identity.pinned, pair):
        raise Permanent("IDN-001", "the user's identity attributes are not those pinned before")
    agrees(pair, listing.person, route)


def _devices(
    state: HolderState, facts: HolderFacts, route: RoutePolicy
) -> tuple[PlannedDevice, ...]:
    tenant = parse_subject(state.key).tenant
    return tuple(
        PlannedDevice(
            device=subject_key(tenant, SubjectKind.DEVICE, device.id),
            name=device.friendly_name or device.serial,
            platform=device.platform,
            enrolled=device.enrolled,
            unfit=unfit_device(device, route),
        )
        for device in facts.devices
    )


def _device_faults(facts: HolderFacts, route: RoutePolicy) -> list[Fault]:
    try:
        check_devices(facts.devices, route)
    except ConnectorError as error:
        return [error.fault()]
    return []


def _listed(state: HolderState, listing: EscrowListing) -> tuple[PlannedGeneration, ...]:
    delivered = {sent.public_key for sent in state.delivered}
    generations = [escrowed.generation for escrowed in listing.certificates]
    return tuple(
        PlannedGeneration(
            fingerprint=generation.fingerprint,
            slot=None,
            why="not decided",
            usage=generation.usage,
            not_before=generation.not_before or None,
            not_after=generation.not_after or None,
            revoked_at=generation.revoked_at,
            delivered_before=generation.public_key in delivered,
        )
        for generation in sorted(generations, key=lambda g: -g.not_before)
    )


def _obstructed(
    report: PlanReport, first: Fault, found: Mapping[Sha256Hex, Permanent]
) -> PlanReport:
    """The plan with every obstacle to a set, not only the first."""
    others = (obstacle.fault() for obstacle in found.values())
    faults = (*report.faults, first, *(fault for fault in others if fault != first))
    generations = tuple(
        row.model_copy(update={"why": found[row.fingerprint].detail})
        if row.fingerprint in found
        else row
        for row in report.generations
    )
    return report.model_copy(update={"faults": faults, "generations": generations})


def _chosen(
    listed: tuple[PlannedGeneration, ...],
    selection: Selection,
    generations: Sequence[Generation],
) -> tuple[PlannedGeneration, ...]:
    slots = {entry.fingerprint: entry.slot for entry in selection.entries}
    unchecked = {one.fingerprint: one.chain_unchecked for one in generations}
    return tuple(
        row.model_copy(
            update={
                "slot": slots.get(row.fingerprint),
                "why": selection.left_out.get(row.fingerprint, _sent(unchecked[row.fingerprint])),
            }
        )
        for row in listed
    )


def _sent(unchecked: str) -> str:
    return f"in the set; chain not checked: {unchecked}" if unchecked else "in the set"


def _replaces(state: HolderState, selection: Selection | None) -> str:
    """What the UEM holds for the user that an upload would replace, as far as is known."""
    copy = state.copy_
    if copy.state is CopyState.NONE and not state.delivered:
        return "a set that may have been uploaded by hand; none of the connector's"
    if copy.state in {CopyState.NONE, CopyState.GONE}:
        return "nothing: the connector's last copy is gone"
    if selection is not None and copy.digests == (selection.digest,):
        return "the same set (its retention starts again)"
    if copy.state is CopyState.PRESENT:
        return "another set of the connector's"
    return "possibly a set of the connector's"
