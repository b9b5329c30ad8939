"""Verbs about the state of the service and its subjects. Public data only; no record has a key."""

from typing import Annotated, Literal

from pydantic import Field

from connector.core.conditions import Condition
from connector.core.journal import StatusFilter
from connector.core.model import (
    Millis,
    ProfileStatus,
    Record,
    Sha256Hex,
    Slot,
    SubjectKey,
    Usage,
)
from connector.core.states import Brakes, DeviceState, HolderState, PersonState, StandingPause
from connector.operators.verbs.verb import Method, Nothing, Verb, Wanted

Kind = Literal["holder", "device", "person"]
Possession = Literal["newest set", "earlier set", "nothing"]


class ListQuery(StatusFilter):
    """A page of subjects."""

    limit: int = Field(default=200, ge=1, le=1000)


class SubjectQuery(Record):
    """Which subject is meant."""

    kind: Kind
    name: Wanted


class SubjectSummary(Record):
    """One line of a listing. ``installed`` of ``devices`` have the set of the newest delivery."""

    kind: Kind
    key: SubjectKey
    name: str = ""
    mail: str = ""
    route: str | None = None
    phase: str = ""
    since: Millis | None = None
    delivery: str | None = None
    installed: int = 0
    devices: int = 0
    copy_state: str = ""
    next_step: str | None = None
    next_due: Millis | None = None
    code: str | None = None
    detail: str = ""


class SubjectPage(Record):
    """A page of a listing; ``after`` continues it, None at the end. ``now``: the service's time."""

    items: tuple[SubjectSummary, ...]
    after: SubjectKey | None = None
    now: Millis
    pauses: tuple[StandingPause, ...] = ()


class GenerationRow(Record):
    """One generation of a holder, and its status on each of the holder's devices.

    ``devices``: device key → ``missing``, ``scheduled``, ``sent``, ``assumed``, ``present`` or
    ``unknown``. Assumed is an earlier generation that came with a set of which only the current one
    is proven.
    ``objection``: why it cannot be sent. The dates of a certificate that cannot be read are None.
    """

    fingerprint: Sha256Hex
    slot: Slot | None = None
    usage: Usage | None = None
    not_before: Millis | None = None
    not_after: Millis | None = None
    revoked_at: Millis | None = None
    delivered_at: Millis | None = None
    dropped: bool = False
    objection: str = ""
    devices: dict[SubjectKey, str] = Field(default_factory=dict)


class DeviceRow(Record):
    """A device of a holder: the set it has, and what stands between it and the newest one.

    ``has``: which set it was shown to have, with the evidence and since when. ``phase``: in the
    newest delivery. ``profile``: what the UEM said of the mail profile when it was looked at last,
    at ``looked_at``; ``last_seen``: when the device was seen by the UEM. ``code``: why it does not
    have the newest set, since ``code_since``; ``cause`` and ``action`` say it in words.
    """

    device: SubjectKey
    name: str = ""
    platform: str = ""
    has: Possession = "nothing"
    since: Millis | None = None
    evidence: str = ""
    phase: str = ""
    profile: ProfileStatus = ProfileStatus.UNKNOWN
    looked_at: Millis | None = None
    last_seen: Millis | None = None
    code: str | None = None
    code_since: Millis | None = None
    cause: str = ""
    action: str = ""


class SubjectDetail(Record):
    """All details of one subject."""

    summary: SubjectSummary
    state: Annotated[HolderState | DeviceState | PersonState, Field(discriminator="kind")]
    devices: tuple[DeviceRow, ...] = ()
    generations: tuple[GenerationRow, ...] = ()
    now: Millis
    pauses: tuple[StandingPause, ...] = ()


class PartitionView(Record):
    """A partition's own record; the audit log up to ``audit_cut`` was exported and removed."""

    partition: int
    epoch: int
    commits: int
    audit_count: int
    audit_head: str
    audit_cut: int = 0
    brakes: Brakes


class UpstreamView(Record):
    """How an upstream (``ca:NAME``, ``uem:NAME``) stands; ``closed``: effects pass.

    ``detail`` says what ``code`` was about. ``since``: when it came to this state; ``next_try``:
    when it is probed next; ``last_success``: when an effect succeeded last, None for not yet.
    """

    name: str
    state: Literal["closed", "half_open", "open"] = "closed"
    code: str | None = None
    detail: str = ""
    since: Millis | None = None
    next_try: Millis | None = None
    last_success: Millis | None = None


class FeedView(Record):
    """How pulling from the feed of an upstream (``ca:NAME``, ``uem:NAME``) goes.

    ``last_pull``: the last that succeeded, None where another process pulls. ``position_since``:
    when the read position moved last. ``code`` and ``detail``: why pulling fails now.
    """

    name: str
    last_pull: Millis | None = None
    position_since: Millis | None = None
    code: str | None = None
    detail: str = ""


class CredentialView(Record):
    """A certificate that the service presents, and when it expires."""

    name: str
    not_after: Millis


class Stuck(Record):
    """Subjects that need a person, by code; ``since``: since when the first of (up to 200) does."""

    kind: Kind = "holder"
    code: str
    count: int
    since: Millis | None = None


class PhaseCount(Record):
    """How many subjects are in a phase."""

    kind: str
    route: str
    phase: str
    count: int


class Overview(Record):
    """The service at a glance: pauses in force, and conditions, worst first."""

    now: Millis
    pauses: tuple[StandingPause, ...] = ()
    conditions: tuple[Condition, ...] = ()
    version: str
    counts: tuple[PhaseCount, ...]
    partitions: tuple[PartitionView, ...]
    upstreams: tuple[UpstreamView, ...]
    dead_letters: int
    needs_person: tuple[Stuck, ...] = ()
    credentials: tuple[CredentialView, ...] = ()
    feeds: tuple[FeedView, ...] = ()


class VersionView(Record):
    """What runs there."""

    version: str
    python: str


OVERVIEW = Verb("overview", Method.GET, "/v1/overview", Nothing, Overview)
SUBJECTS = Verb("subjects", Method.GET, "/v1/subjects", ListQuery, SubjectPage)
SUBJECT = Verb("subject", Method.GET, "/v1/subject", SubjectQuery, SubjectDetail)
VERSION = Verb(
    "version",
    Method.GET,
    "/v1/version",
    Nothing,
    VersionView,
    no_command="`status` shows the version of the service, `version` that of the command line",
)
