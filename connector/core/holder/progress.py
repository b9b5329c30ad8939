"""Why a device does not have the set yet: a code for each cause, from what the last look showed."""

from typing import NamedTuple

from connector.core.holder.lifecycle import Holder, give_up_device, route_of, waiting
from connector.core.model import DAY, DeviceEvidence, Millis, ProfileStatus, SubjectKey
from connector.core.policy import RoutePolicy, profile_for
from connector.core.states import DeviceInDelivery

INSTALL_FAILED = "INS-001"
NOT_ASSIGNED = "INS-002"
NOT_SEEN = "INS-003"
PENDING = "INS-004"
NO_NEWER_EVIDENCE = "INS-005"
NO_STATEMENT = "INS-006"
NO_PROFILE = "INS-007"
HISTORY_UNSEEN = "INS-009"

CERTAIN = {INSTALL_FAILED: "installation failed", NOT_ASSIGNED: "profile not assigned"}
"""Causes that do not pass by themselves: more time, or another upload, would change nothing."""
CERTAIN_AFTER: Millis = DAY
"""So long a certain cause must stand before it ends the wait for a device: people assign profiles,
and what was installed wrongly is put right, within a day or not at all."""


class Cause(NamedTuple):
    """A code, and since when it has applied."""

    code: str | None
    since: Millis | None


def profile_of(step: Holder, route: RoutePolicy, device: SubjectKey) -> str | None:
    """The id of the mail profile for a device's platform; None when none is configured."""
    known = step.state.devices.get(device)
    return profile_for(known.platform if known else "", route.profiles)


def cause_of(
    seen: DeviceEvidence, device: DeviceInDelivery, uploaded: Millis | None, now: Millis
) -> Cause:
    """Why a device does not have the set yet, from the last look at it."""
    code = _code(seen, uploaded)
    same = code == device.code and device.code_since is not None
    return Cause(code, device.code_since if same else now)


def _code(seen: DeviceEvidence, uploaded: Millis | None) -> str:
    match seen.profile:
        case ProfileStatus.ERROR:
            return INSTALL_FAILED
        case ProfileStatus.NONE:
            return NOT_ASSIGNED
        case _ if seen.last_seen is None or seen.last_seen < (uploaded or 0):
            return NOT_SEEN
        case ProfileStatus.PENDING:
            return PENDING
        case ProfileStatus.INSTALLED:
            return NO_NEWER_EVIDENCE
        case ProfileStatus.UNKNOWN:
            return NO_STATEMENT


def end_certain(step: Holder) -> None:
    """Stop waiting for devices whose cause has been certain for long enough.

    A failed installation counts only when no push to the device is to come.
    """
    delivery = step.state.delivery
    if delivery is None or step.rules.deadlines_held:
        return
    for key in waiting(delivery):
        device = delivery.devices[key]
        stands = device.code_since is not None and step.now - device.code_since >= CERTAIN_AFTER
        if stands and device.code in CERTAIN and device.push_due is None:
            give_up_device(step, key, CERTAIN[device.code])


def end_without_profile(step: Holder) -> None:
    """End devices for whose platform no profile is configured: they cannot get the set."""
    delivery, route = step.state.delivery, route_of(step)
    if delivery is None or route is None:
        return
    for key in waiting(delivery):
        known = step.state.devices.get(key)
        if known is not None and known.platform and profile_of(step, route, key) is None:
            why = "no mail profile is configured for its platform"
            give_up_device(step, key, why, NO_PROFILE)
