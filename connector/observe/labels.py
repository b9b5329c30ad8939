"""Which values a label may have. All others are counted as ``other``."""

from collections.abc import Mapping
from typing import NamedTuple, get_args

from connector.catalogue import catalogue
from connector.core.errors import Family
from connector.core.metrics import ConnectionEnd
from connector.core.source import SourceCapabilities, address_template
from connector.core.states import DevicePhase, Effect, Phase, Trigger

NONE = ""

PLATFORMS = ("apple", "appleosx", "android", "winrt")
"""Platforms of Workspace ONE UEM, lower case."""

CALLERS = ("service", "hand_over")

PULL = "pull"
"""The operation of pulling one page from a feed."""

FIXED: Mapping[str, tuple[str, ...]] = {
    "event": ("device_enrolled", "device_unenrolled"),
    "event_type": ("unread",),
    "route": ("unknown",),
    "method": ("GET", "POST", "platform_timed", "api_confirmed", "none"),
    "status_class": ("2xx", "4xx", "5xx"),
    "outcome": (
        *("accepted", "duplicate", "ignored"),
        *("challenged", "rejected_auth", "rejected_schema", "overload"),
        *("refused", "gone", "overdue", "ok", "not_sent", "changed", "unknown"),
        *(family.value for family in Family),
        *(phase.value for phase in Phase),
        *(DevicePhase.INSTALLED.value, DevicePhase.NOT_INSTALLED.value),
    ),
    "queue": ("events", "unread", "due"),
    "stage": tuple(phase.value for phase in Phase),
    "state": tuple(phase.value for phase in Phase),
    "trigger": tuple(trigger.value for trigger in Trigger),
    "reason": (*(trigger.value for trigger in Trigger), *get_args(ConnectionEnd)),
    "platform": PLATFORMS,
    "operation": (*(effect.value for effect in Effect), PULL),
    "subject": ("device", "holder", "person"),
    "direction": ("forward", "backward"),
    "caller": CALLERS,
    "error_code": (NONE, *catalogue()),
}


class Names(NamedTuple):
    """The names in the settings that become label values, and the installed sources by name.

    ``feeds``: by upstream that is pulled from, the kinds of its events.
    """

    targets: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    partitions: int = 0
    credentials: tuple[str, ...] = ()
    sources: Mapping[str, SourceCapabilities] = {}
    feeds: Mapping[str, tuple[str, ...]] = {}


def vocabulary(names: Names) -> dict[str, frozenset[str]]:
    """All values that each label may have, without ``other``."""
    found = {label: frozenset(values) for label, values in FIXED.items()}
    found["source"] = frozenset()
    for name, source in names.sources.items():
        found["source"] |= {source.label}
        found["event_type"] |= frozenset(source.event_kinds)
        found["route"] |= {address_template(name)} if source.webhook else frozenset()
    found["target"] = frozenset(names.targets)
    found["backend"] = frozenset(names.backends)
    found["partition"] = frozenset(map(str, range(names.partitions)))
    found["credential"] = frozenset(names.credentials)
    return found
