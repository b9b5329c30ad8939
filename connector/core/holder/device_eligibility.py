"""Whether the user's devices may get keys, and what they showed before the upload."""

from connector.core.errors import Transient
from connector.core.evidence import NOT_INSTALLED
from connector.core.holder.lifecycle import Holder, change
from connector.core.model import (
    DeviceFacts,
    HolderFacts,
    SubjectKey,
    SubjectKind,
    parse_subject,
    subject_key,
)
from connector.core.policy import OtherDevices, RoutePolicy
from connector.core.states import KnownDevice


def remember_profiles(step: Holder, facts: HolderFacts) -> None:
    """Remember profiles seen *not* installed before the upload, so that *installed* is evidence.

    Only the look right before the upload counts: what is installed by then proves nothing later.
    """
    tenant = parse_subject(step.state.key).tenant
    by_key = {subject_key(tenant, SubjectKind.DEVICE, d.id): d for d in facts.devices}
    known: dict[SubjectKey, KnownDevice] = {
        key: entry.model_copy(update={"profile": by_key[key].profile})
        for key, entry in step.state.devices.items()
        if key in by_key
    }
    step.set(devices=known)
    delivery = step.state.delivery
    if delivery is None:
        return
    devices = dict(delivery.devices)
    for key in devices.keys() & by_key.keys():
        seen = step.now if by_key[key].profile in NOT_INSTALLED else None
        devices[key] = devices[key].model_copy(update={"not_installed_seen_at": seen})
    change(step, devices=devices)


def unfit_device(device: DeviceFacts, route: RoutePolicy) -> str | None:
    """Why a device must not get keys; None when it may."""
    if device.compromised:
        return "compromised"
    if route.gates.platforms and device.platform.lower() not in route.gates.platforms:
        return "platform not allowed"
    if route.gates.require_compliant and device.compliant is not True:
        return "not compliant"
    return None


def check_devices(devices: tuple[DeviceFacts, ...], route: RoutePolicy) -> dict[str, str]:
    """Check that the UEM would send the keys to no device that must not have them.

    Returns:
        The enrolled devices that are unfit and still accepted, by id, and why they are unfit.

    Raises:
        Transient: ``USR-004`` no fit device; ``USR-005`` another device is unfit and stops it.
    """
    enrolled = [device for device in devices if device.enrolled]
    unfit = {device.id: why for device in enrolled if (why := unfit_device(device, route))}
    if len(unfit) == len(enrolled):
        raise Transient("USR-004", "no enrolled device is healthy and allowed by the gates")
    if unfit and route.other_devices is OtherDevices.HOLD:
        raise Transient("USR-005", "another enrolled device of the user is not healthy or allowed")
    return unfit


def judge_devices(step: Holder, route: RoutePolicy, devices: tuple[DeviceFacts, ...]) -> None:
    """:func:`check_devices` in a step, which records the accepted devices; raises the same."""
    accepted = check_devices(devices, route)
    if accepted:
        step.note("devices.unhealthy_accepted", route=route.name, devices=dict(accepted))
