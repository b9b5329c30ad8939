"""The rules of a route, by which the states advance. Pure data."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from connector.core.addresses import canonical_host, host_of
from connector.core.boot_time import BootTime
from connector.core.errors import Permanent
from connector.core.model import DAY, SECOND, HolderFacts, Millis, Record
from connector.core.selection import SelectionRules, SigningPolicy

ANY_PLATFORM = "*"


class Mode(StrEnum):
    """``deliver`` does the work; ``observe`` plans everything and fetches nothing."""

    DELIVER = "deliver"
    OBSERVE = "observe"


class OtherDevices(StrEnum):
    """What an unhealthy *other* device of the user means, since the UEM sends to all of them."""

    HOLD = "hold"
    ACCEPT = "accept"


class UnknownSet(StrEnum):
    """Whether the first upload for a user may replace a set that was uploaded by hand."""

    REPLACE = "replace"
    REFUSE = "refuse"


class PushPolicy(StrEnum):
    """When our profile is pushed to a device after an upload."""

    SECOND = "second_upload"
    ALWAYS = "always"
    NEVER = "never"


class RetentionFrom(StrEnum):
    """What the UEM counts the retention of a copy from; ``kept``: it never purges one."""

    UPLOAD = "upload"
    INSTALL = "install"
    KEPT = "kept"


class Retry(Record):
    """Capped exponential back-off with full jitter; all in milliseconds."""

    first: Millis = Field(default=2 * SECOND, gt=0)
    cap: Millis = Field(default=15 * 60 * SECOND, gt=0)


class Gates(Record):
    """What is required of a device before keys are sent to it."""

    platforms: tuple[str, ...] = ()
    """Allowed platforms, lower case; empty allows all."""
    require_compliant: bool = False


class RoutePolicy(Record):
    """One route: who it is for, between which upstreams, and by which rules.

    ``uem`` and ``ca`` name the upstreams; ``groups`` and ``mail_domains`` (lower case) choose the
    holders, a user fits when their group or mail domain is named (both empty: every user of the
    UEM). ``person_attribute`` and ``agreeing_attribute`` are names of UEM user attributes;
    ``agreeing_ca_attribute`` is what the second must agree with at the CA (``mail``: one of the
    proven addresses). Durations are in milliseconds. Defaults are the settings'
    (:class:`connector.settings.routes.RouteSettings`), and nowhere else.
    """

    name: str
    uem: str
    ca: str
    groups: tuple[str, ...]
    mail_domains: tuple[str, ...]
    mode: Mode
    person_attribute: str
    agreeing_attribute: str
    agreeing_ca_attribute: str
    signing: SigningPolicy
    archived: bool
    accept_incomplete_history: bool
    other_devices: OtherDevices
    unknown_set: UnknownSet
    profiles: dict[str, str]
    gates: Gates
    push: PushPolicy
    assumed_platforms: tuple[str, ...]
    """Platforms (lower case) that give no better evidence than an installed profile."""
    pkcs12_profile: Literal["modern", "compat"]
    issuers_file: str | None
    retention: Millis = Field(gt=0)
    retention_from: RetentionFrom
    retention_margin: Millis = Field(ge=0)
    clock_tolerance: Millis = Field(gt=0)
    overdue_after: Millis = Field(gt=0)
    retry: Retry
    phase_deadline: Millis = Field(gt=0)
    look_every: Retry
    request_look_every: Retry
    look_fresh: Millis = Field(gt=0)
    hand_over_limit: Millis = Field(gt=0, le=600 * SECOND)
    hand_over_margin: Millis = Field(gt=0)
    act_limit: Millis = Field(gt=0, le=600 * SECOND)
    automatic_per_day: int = Field(ge=1)
    expired_rounds: int = Field(ge=0)
    history_kept: Millis = Field(gt=0)

    def fits(self, holder: HolderFacts) -> bool:
        """Whether this route serves a user."""
        return holder.group.lower() in self.groups or self.fits_mail(holder.mail)

    def fits_mail(self, mail: str) -> bool:
        """Whether this route serves a user with this mail address, in any group."""
        if not self.groups and not self.mail_domains:
            return True
        return host_of(mail) in map(canonical_host, self.mail_domains)

    def selection(self) -> SelectionRules:
        """The part of the rules that chooses the set, without a holder's own history."""
        return SelectionRules(
            signing=self.signing,
            archived=self.archived,
            accept_incomplete_history=self.accept_incomplete_history,
        )


class Rules(Record):
    """Everything that ``advance`` may use besides state and fact.

    ``dice`` yields numbers in [0, 1) for jitter. ``deadlines_held`` is true during a pause, within
    24 hours after it, and while the clock is in doubt: deadlines and expiries end nothing then.
    ``time_unsure``: it is not even known what time it is, so that no copy is concluded gone.
    ``epoch`` is the owner's epoch, ``boot`` the moment on the clock of its machine's boot, which
    the waits that keep acts apart are counted on. ``ended_kept`` is how long what has ended stays
    where no route says so.
    """

    routes: dict[str, RoutePolicy]
    epoch: int = 0
    boot: BootTime
    deadlines_held: bool = False
    time_unsure: bool = False
    device_retry: Retry = Retry()
    device_deadline: Millis = 14 * DAY
    ended_kept: Millis = 90 * DAY
    dice: Callable[[], float]


def profile_for(platform: str, profiles: Mapping[str, str]) -> str | None:
    """The id of the mail profile for a platform, in any case; ``*`` serves every other one."""
    return profiles.get(platform.lower(), profiles.get(ANY_PLATFORM))


def route_for(routes: Mapping[str, RoutePolicy], uem: str, holder: HolderFacts) -> RoutePolicy:
    """The first configured route of a UEM that fits a user.

    Raises:
        Permanent: ``USR-003`` when there is none.
    """
    for route in routes.values():
        if route.uem == uem and route.fits(holder):
            return route
    raise Permanent("USR-003", "no route fits the user's group and mail domain")
