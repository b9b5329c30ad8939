"""What proves that the profile with the *new* certificate is on a device.

Evidence must be newer than the upload, on the UEM's clock; a status that was true before proves
nothing.
"""

from math import inf

from connector.core.model import SECOND, DeviceEvidence, Millis, ProfileStatus
from connector.core.states import DeviceInDelivery

NOT_INSTALLED = frozenset({ProfileStatus.NONE, ProfileStatus.PENDING, ProfileStatus.ERROR})
"""What says for certain that the profile is not on a device; ``UNKNOWN`` says nothing."""

CERTIFICATE = "certificate listed by the device after the upload"
CONFIRMED = "profile install confirmed after the upload"
CHANGED = "profile status became installed after the upload"
ASSUMED = "assumed: profile installed and the device seen after the push"


def too_close(seen: DeviceEvidence, uploaded: Millis) -> bool:
    """Whether there is evidence from the very second of the upload, which may be older than it.

    A ``Date`` header is cut to whole seconds. Another push leads to evidence that is newer.
    """
    times = (seen.certificate_seen_at, seen.install_confirmed_at)
    return any(time is not None and uploaded <= time < uploaded + SECOND for time in times)


def judge(
    seen: DeviceEvidence, device: DeviceInDelivery, uploaded: Millis | None, *, assume: bool
) -> str | None:
    """The evidence that a device has the new set, or None.

    Args:
        seen: what the look showed.
        device: what was known; ``not_installed_seen_at`` is set once the profile was seen pending.
        uploaded: when the upload was answered, on the UEM's clock; None while no answer showed it.
            Our own clock cannot replace it, so nothing that has a time is proof then.
        assume: whether the weakest evidence counts for this device's platform.
    """
    after = inf if uploaded is None else uploaded + SECOND  # a Date is cut to whole seconds
    if seen.certificate_seen_at is not None and seen.certificate_seen_at >= after:
        return CERTIFICATE
    if seen.install_confirmed_at is not None and seen.install_confirmed_at >= after:
        return CONFIRMED
    if seen.profile is not ProfileStatus.INSTALLED:
        return None
    if device.not_installed_seen_at is not None:
        return CHANGED
    pushed = device.pushed_at is not None
    if assume and pushed and seen.last_seen is not None and seen.last_seen >= after:
        return ASSUMED
    return None
