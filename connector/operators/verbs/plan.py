"""The dry run of a delivery. Public data only."""

from connector.core.errors import Fault
from connector.core.model import Millis, Record, Sha256Hex, Slot, SubjectKey, Usage
from connector.operators.verbs.verb import Method, Verb, Wanted


class PlanQuery(Record):
    """Whose dry run is asked for."""

    holder: Wanted


class PlannedGeneration(Record):
    """A listed generation with its slot, or the reason why it is left out."""

    fingerprint: Sha256Hex
    slot: Slot | None
    why: str
    usage: Usage
    not_before: Millis | None
    not_after: Millis | None
    revoked_at: Millis | None = None
    delivered_before: bool = False


class PlannedDevice(Record):
    """A device of the user, whether it is enrolled, and why it would not count as fit."""

    device: SubjectKey
    name: str = ""
    platform: str = ""
    enrolled: bool
    unfit: str | None = None


class PlanReport(Record):
    """What a delivery would do now. Nothing was fetched and nothing was sent.

    ``replaces`` says what the UEM holds that the upload would replace; ``faults`` has everything
    that would stop it, in the order in which it would be met. ``digest`` names the set.
    """

    holder: SubjectKey
    name: str = ""
    mail: str = ""
    route: str | None = None
    ca: str | None = None
    person: str | None = None
    generations: tuple[PlannedGeneration, ...] = ()
    devices: tuple[PlannedDevice, ...] = ()
    digest: Sha256Hex | None = None
    replaces: str = ""
    faults: tuple[Fault, ...] = ()

    @property
    def would_deliver(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.faults


PLAN = Verb("plan", Method.POST, "/v1/plan", PlanQuery, PlanReport)
