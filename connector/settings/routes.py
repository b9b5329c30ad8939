"""Settings of a route, in the words of operators; :meth:`RouteSettings.policy` is the core's form.

Seven of them have no default, because a wrong guess can destroy something; their schema carries
``x-consider``: what to think about before deciding.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from connector.core.policy import Gates, Retry, RoutePolicy
from connector.core.values import Duration, Name, Period, ProfileId, Section, millis
from connector.settings.guidance import considered
from connector.settings.upstreams import UemSettings

Lower = Annotated[str, AfterValidator(str.lower), Field(min_length=1, max_length=256)]
Limit = Annotated[Period, Field(le=timedelta(minutes=10))]
Attribute = Annotated[str, AfterValidator(str.lower), Field(min_length=1, max_length=128)]


def _no_approvals(value: int) -> int:
    if value:
        raise PydanticCustomError("CFG-005", "approvals are not available yet")
    return value


class IdentitySettings(Section):
    """Who a UEM user is at the CA. Both attributes are pinned at the first delivery."""

    person_attribute: Annotated[
        Attribute,
        Field(json_schema_extra=considered("person_attribute")),
    ]
    """UEM user attribute that is the person's name at the CA."""
    agreeing_attribute: Annotated[
        Attribute,
        Field(json_schema_extra=considered("agreeing_attribute")),
    ]
    """UEM user attribute that must agree with the CA's record of that person."""
    agreeing_ca_attribute: Annotated[str, Field(min_length=1, max_length=128)] = "mail"
    """The CA's attribute that it is compared with; ``mail``: any proven address."""


class GateSettings(Section):
    """What a device must fulfil before keys are sent to it."""

    platforms: tuple[Lower, ...] = ()
    """Allowed platforms as the UEM names them; empty allows all."""
    require_compliant: bool = False
    """Whether the UEM must report the device as compliant."""


class BackOff(Section):
    """Waiting times between tries: doubled from ``first`` up to ``cap``, with full jitter."""

    first: Period
    """Wait after the first failure."""
    cap: Period
    """Longest wait."""


class RouteSettings(Section):
    """Which users are served from which CA to which UEM, and by which rules."""

    uem: Name
    """Name of the UEM whose devices are served."""
    ca: Name
    """Name of the CA that escrows the keys."""
    groups: tuple[Lower, ...] = ()
    """User groups served; with ``mail_domains`` empty too: every user of the UEM."""
    mail_domains: tuple[Lower, ...] = ()
    """Mail domains served."""
    mode: Literal["deliver", "observe"] = "deliver"
    """``observe``: deliveries are planned, and no key is fetched."""
    identity: IdentitySettings
    """How a UEM user is matched with a person at the CA."""
    retention: Annotated[
        Period,
        Field(json_schema_extra=considered("retention")),
    ]
    """How long the UEM keeps an uploaded set."""
    retention_from: Literal["upload", "install", "kept"] = "upload"
    """What the UEM counts the retention from; test it with a short retention. With ``install`` a
    copy is reported as gone later, and never before a device has the set. With ``kept`` the UEM
    purges no copy: deliveries are completed while it stays, and its end is not watched."""
    profiles: Annotated[
        dict[Lower, ProfileId],
        Field(
            min_length=1,
            json_schema_extra=considered("profiles"),
        ),
    ]
    """Platform → id of the mail profile in the UEM."""
    other_devices: Annotated[
        Literal["hold", "accept"],
        Field(json_schema_extra=considered("other_devices")),
    ]
    """What to do when another device of the user is unhealthy."""
    unknown_set: Annotated[
        Literal["replace", "refuse"],
        Field(json_schema_extra=considered("unknown_set")),
    ]
    """Whether the first upload for a user may replace a set of unknown origin."""
    signing: Annotated[
        Literal["required", "if_escrowed", "never"],
        Field(json_schema_extra=considered("signing")),
    ]
    """How the signing pair is handled."""
    accept_incomplete_history: bool = False
    """With ``archived_mode: off``: serve users although their older mail stays unreadable."""
    approvals: Annotated[
        int, Field(ge=0), AfterValidator(_no_approvals), Field(json_schema_extra={"maximum": 0})
    ] = 0
    """Number of approvals before a retrieval; not supported by this version."""
    gates: GateSettings = GateSettings()
    """What a device must fulfil."""
    push: Literal["second_upload", "always", "never"] = "second_upload"
    """When our profile is pushed to the devices after an upload."""
    assumed_platforms: tuple[Lower, ...] = ()
    """Platforms whose devices show neither certificates nor confirmed installs: there an installed
    profile of a device seen after the push counts, and the evidence is called assumed."""
    pkcs12_profile: Literal["modern", "compat"] = "modern"
    """Encryption of the PKCS#12: AES-256 with SHA-256, or 3DES with SHA-1 for old servers."""
    issuers_file: Path | None = None
    """PEM certificates that are trusted: issuers, or single certificates of users. Each certificate
    must lead to one of them. Default: the chain that the CA lists is followed as far as it goes,
    and only a wrong signature in it is refused."""
    retention_margin: Duration = timedelta(hours=1)
    """Added to the retention before the copy is reported as gone."""
    clock_tolerance: Period = timedelta(minutes=5)
    """Largest accepted difference between the UEM's clock and ours; beyond it, no copy is gone."""
    overdue_after: Period = timedelta(days=1)
    """Time after retention and margin until a copy that is not gone raises an alarm."""
    retry: BackOff = BackOff(first=timedelta(seconds=2), cap=timedelta(minutes=15))
    """Between tries of the same step."""
    phase_deadline: Period = timedelta(days=14)
    """Maximum time in one phase; then the delivery fails."""
    look_every: BackOff = BackOff(first=timedelta(seconds=30), cap=timedelta(minutes=15))
    """Between checks whether the profile is installed."""
    request_look_every: BackOff = BackOff(first=timedelta(seconds=30), cap=timedelta(minutes=15))
    """Between checks of recovery requests that wait for the CA."""
    look_fresh: Period = timedelta(minutes=1)
    """Maximum age of the data about user and devices when keys are fetched."""
    hand_over_limit: Limit = timedelta(minutes=1)
    """Longest hand-over, from start to the UEM's answer; up to ten minutes, for a CA that gives a
    key only once: the hand-over keeps it and tries the UEM again for so long."""
    hand_over_margin: Period = timedelta(seconds=5)
    """Added to it before a hand-over with an unknown outcome is repeated."""
    act_limit: Limit = timedelta(seconds=30)
    """Longest other act (asking for a recovery, pushing a profile)."""
    automatic_per_day: int = Field(default=5, ge=1)
    """Maximum number of automatic deliveries per user and day; then stop and alarm."""
    expired_rounds: int = Field(default=3, ge=0)
    """How often the keys are sent again to a device that was away while the copy expired."""
    history_kept: Period = timedelta(days=90)
    """How long ended deliveries are kept."""

    def policy(self, name: str, uem: UemSettings) -> RoutePolicy:
        """The core's form of this route, which is called ``name`` and delivers to ``uem``."""
        same = {field: _core(value) for field, value in self if field not in APART}
        return RoutePolicy.model_validate(
            {
                **same,
                **self.identity.model_dump(),
                "name": name,
                "archived": getattr(uem, "archived_mode", None) != "off",
            }
        )


APART = frozenset({"identity", "approvals"})
"""Members that the core has in another form or not at all."""


def _core(value: object) -> object:
    match value:
        case timedelta():
            return millis(value)
        case BackOff():
            return Retry(first=millis(value.first), cap=millis(value.cap))
        case GateSettings():
            return Gates(platforms=value.platforms, require_compliant=value.require_compliant)
        case Path():
            return str(value)
        case _:
            return value
