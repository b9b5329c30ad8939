"""Recovery requests: asked for by a client, decided by people, fetched, cleaned up."""

from dataclasses import dataclass

from connector.core.model import RequestState
from connector_testkit.simulators.ca.commands import Decision, RequestInfo
from connector_testkit.simulators.ca.problems import Refusal
from connector_testkit.simulators.ca.registry import Escrowed, Registry
from connector_testkit.simulators.ca.wire import NewRequest

OPEN = {RequestState.PENDING, RequestState.GRANTED}
DECIDED = {
    Decision.GRANT: RequestState.GRANTED,
    Decision.DENY: RequestState.DENIED,
    Decision.EXPIRE: RequestState.EXPIRED,
}


@dataclass(eq=False)
class Recovery:
    """One request and how often its key was handed out."""

    request_id: str
    asked: NewRequest
    client: str
    state: RequestState
    fetches: int = 0

    def info(self) -> RequestInfo:
        """The request for the control API."""
        return RequestInfo(
            request_id=self.request_id,
            person=self.asked.person,
            fingerprint=self.asked.fingerprint,
            reason=self.asked.reason,
            requester=self.asked.requester,
            client=self.client,
            state=self.state,
            fetches=self.fetches,
        )


class Recoveries:
    """All requests of one CA, by id."""

    def __init__(self, registry: Registry, *, approval: bool) -> None:
        """Take the persons, and whether requests wait for a decision by default."""
        self._registry = registry
        self._approval = approval
        self._requests: dict[str, Recovery] = {}
        self._by_person: dict[str, dict[str, Recovery]] = {}

    def all(self) -> list[Recovery]:
        """Every request that was not cleaned up, in the order of arrival."""
        return list(self._requests.values())

    def known(self, request_id: str) -> Recovery | None:
        """The request of this id, whosever it is."""
        return self._requests.get(request_id)

    def open(self, person: str, client: str) -> list[Recovery]:
        """The requests of a client for a person that have not ended."""
        self._registry.person(person)
        return [
            recovery
            for recovery in self._by_person.get(person, {}).values()
            if recovery.client == client and recovery.state in OPEN
        ]

    def begin(self, request_id: str, asked: NewRequest, client: str) -> tuple[Recovery, bool]:
        """The request of this id, and whether it is new.

        Raises:
            Refusal: ``request_conflict``, ``generation_revoked``, ``not_recoverable`` or unknown.
        """
        known = self._requests.get(request_id)
        if known is not None:
            if _identity(known.asked, known.client) != _identity(asked, client):
                raise Refusal("request_conflict")
            return known, False
        person = self._registry.person(asked.person)
        _recoverable(self._registry.generation(asked.person, asked.fingerprint))
        waits = self._approval if person.record.approval is None else person.record.approval
        state = RequestState.PENDING if waits else RequestState.GRANTED
        recovery = Recovery(request_id, asked, client, state)
        self._requests[request_id] = recovery
        self._by_person.setdefault(asked.person, {})[request_id] = recovery
        return recovery, True

    def look(self, request_id: str, client: str) -> Recovery:
        """The request of this id; a client sees its own only.

        Raises:
            Refusal: ``request_unknown``.
        """
        recovery = self._requests.get(request_id)
        if recovery is None or recovery.client != client:
            raise Refusal("request_unknown")
        return recovery

    def fetch(self, request_id: str, client: str, fingerprint: str | None) -> Escrowed:
        """The generation that a granted request may take now; counts as handed out.

        Raises:
            Refusal: ``request_unknown``, ``request_not_granted``, ``request_already_fetched``,
                ``generation_revoked``, or ``request_conflict`` when it is not for ``fingerprint``.
        """
        recovery = self.look(request_id, client)
        if fingerprint not in {None, recovery.asked.fingerprint}:
            raise Refusal("request_conflict")
        if recovery.state is RequestState.FETCHED:
            raise Refusal("request_already_fetched")
        if recovery.state is not RequestState.GRANTED:
            raise Refusal("request_not_granted")
        asked = recovery.asked
        generation = self._registry.generation(asked.person, asked.fingerprint)
        _recoverable(generation)
        recovery.fetches += 1
        if generation.order.single_use:
            recovery.state = RequestState.FETCHED
        return generation

    def clean_up(self, request_id: str, client: str) -> None:
        """Forget a request of the client; nothing happens when there is none."""
        recovery = self._requests.get(request_id)
        if recovery is not None and recovery.client == client:
            del self._requests[request_id]
            del self._by_person[recovery.asked.person][request_id]

    def decide(self, request_id: str, decision: Decision) -> Recovery:
        """What people, or time, decide.

        Raises:
            Refusal: ``request_unknown``.
        """
        try:
            recovery = self._requests[request_id]
        except KeyError:
            raise Refusal("request_unknown") from None
        recovery.state = DECIDED[decision]
        return recovery


def _identity(asked: NewRequest, client: str) -> tuple[str, str, str]:
    return asked.person, asked.fingerprint, client


def _recoverable(generation: Escrowed) -> None:
    if generation.is_revoked_signing:
        raise Refusal("generation_revoked")
    if not generation.order.recoverable:
        raise Refusal("not_recoverable")
