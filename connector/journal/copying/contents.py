"""What a journal holds, as counts and digests that do not depend on its partitions."""

import hashlib

from connector.core.journal import DeadLetter
from connector.core.model import Record, Sha256Hex, SubjectKey
from connector.journal.copying.survey import Survey

_SIZE = 2**256


class Tally:
    """Counts things, and adds their SHA-256 digests modulo 2**256."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def add(self, thing: bytes) -> None:
        """Count one thing."""
        self.count += 1
        self._sum = (self._sum + int.from_bytes(hashlib.sha256(thing).digest())) % _SIZE

    @property
    def digest(self) -> str:
        """64 hexadecimal digits; the same for the same things in any order."""
        return f"{self._sum:064x}"


class Counted(Record):
    """How many there are of something, and a digest of all of them."""

    count: int
    digest: Sha256Hex


class Contents(Record):
    """Everything that a copy must have. ``events``: in the order of each subject."""

    states: Counted
    ids: Counted
    events: Counted
    letters: Counted
    brakes: Sha256Hex


async def contents(survey: Survey) -> Contents:
    """Count what a journal holds."""
    return Contents(
        states=await _states(survey),
        ids=await _ids(survey),
        events=await _events(survey),
        letters=await _letters(survey),
        brakes=hashlib.sha256(_brakes(survey)).hexdigest(),
    )


async def _states(survey: Survey) -> Counted:
    tally = Tally()
    async for state in survey.states():
        tally.add(state.model_dump_json(by_alias=True).encode())
    return _counted(tally)


async def _ids(survey: Survey) -> Counted:
    tally = Tally()
    async for one in survey.ids():
        tally.add(one.model_dump_json().encode())
    return _counted(tally)


async def _events(survey: Survey) -> Counted:
    """One digest per subject over its events in their order, and a tally of those."""
    count = 0
    subjects: dict[SubjectKey, bytes] = {}
    async for event in survey.events():
        count += 1
        before = subjects.get(event.subject, b"")
        subjects[event.subject] = hashlib.sha256(before + event.model_dump_json().encode()).digest()
    tally = Tally()
    for key, digest in subjects.items():
        tally.add(key.encode() + b"\0" + digest)
    return Counted(count=count, digest=tally.digest)


async def _letters(survey: Survey) -> Counted:
    """Where a letter lies is left out: in a copy that is another place."""
    tally = Tally()
    async for letter in survey.letters():
        placeless = letter.model_copy(update={"partition": 0, "position": 0})
        tally.add(placeless.model_dump_json(include=set(DeadLetter.model_fields)).encode())
    return _counted(tally)


def _brakes(survey: Survey) -> bytes:
    brakes = survey.folded.brakes
    routes = sorted(brakes.routes_paused)
    rest = brakes.model_copy(update={"routes_paused": frozenset()}).model_dump_json()
    return repr((routes, rest)).encode()


def _counted(tally: Tally) -> Counted:
    return Counted(count=tally.count, digest=tally.digest)
