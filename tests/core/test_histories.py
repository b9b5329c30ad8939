"""Random histories: hints lost, doubled, late and swapped, crashes, pauses and people in between.

After any history, one sweep and enough time later everything has ended; the UEM's last set is
the newest one.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.core.events import (
    CancelRequested,
    CertificatesChanged,
    DeliveryRequested,
    DeviceChanged,
    DeviceEnrolled,
    DeviceUnenrolled,
    EventBody,
    GenerationDropped,
    IdentityConfirmed,
    IdentityForgotten,
    RetryRequested,
)
from connector.core.facts import Looked
from connector.core.holder.retention import newest_pair
from connector.core.model import DAY, HOUR, SECOND, RequestState, SubjectKey, parse_subject
from connector.core.states import ACTS, CopyState, Effect, HolderState, Phase
from connector.worker import brakes
from tests.core.names import device_key, holder_key, person_key
from tests.core.pure_loop import PureLoop
from tests.core.upstreams import Phone

DEVICES = st.sampled_from(["10", "11", "12"])
USERS = st.sampled_from(["1", "2", "3"])
PERSONS = st.sampled_from(["user1", "user2"])
HINT = st.sampled_from(["now", "now", "now", "lost", "held", "twice"])
FATES = st.sampled_from(
    [
        *("accepted", "not_sent", "lapsed", "refused", "unanswered", "late"),
        *("crash_before", "crash_after", "crash_late", "silent", "crash"),
    ]
)
ACTS_OF_PEOPLE = [DeliveryRequested, RetryRequested, CancelRequested, IdentityConfirmed]
FORGIVEN = frozenset(
    {
        *("IDN-001", "IDN-002", "by hand", "left"),
        "DLV-001",
        "DLV-002",
        "DLV-004",
        "UEM-005",
        "CA-410",
    }
)
"""Why a delivery may have ended without the newest set: people, devices, or what we broke."""


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = PureLoop()
        self.held: list[tuple[SubjectKey, EventBody]] = []
        self.slow: list[tuple[SubjectKey, Looked[Any]]] = []
        for person in ("user1", "user2"):
            self.loop.ca.issue(person)

    @initialize()
    def enrol_the_first(self) -> None:
        self.enrol("10", "1", "now")

    def hint(self, how: str, subject: SubjectKey, body: EventBody) -> None:
        if how == "held":
            self.held.append((subject, body))
        elif how != "lost":
            for _ in range(2 if how == "twice" else 1):
                self.loop.send(subject, body)

    # What happens in the world

    @rule(device=DEVICES, user=USERS, how=HINT)
    def enrol(self, device: str, user: str, how: str) -> None:
        """A device is enrolled, or wiped and enrolled again, perhaps for another user."""
        self.loop.uem.phones[device] = Phone(user=user, enrolled=True)
        self.hint(how, device_key(device), DeviceEnrolled(platform="apple"))

    @rule(device=DEVICES, how=HINT)
    def leave(self, device: str, how: str) -> None:
        phone = self.loop.uem.phones.get(device)
        if phone is not None and phone.enrolled:
            phone.enrolled, phone.installed = False, None
            self.hint(how, device_key(device), DeviceUnenrolled())

    @rule(device=DEVICES, user=USERS, how=HINT)
    def change_hands(self, device: str, user: str, how: str) -> None:
        phone = self.loop.uem.phones.get(device)
        if phone is not None and phone.enrolled and phone.user != user:
            phone.user, phone.installed = user, None
            self.hint(how, device_key(device), DeviceChanged(what="user"))

    @rule(device=DEVICES, what=st.sampled_from(["online", "compromised"]))
    def toggle(self, device: str, what: str) -> None:
        phone = self.loop.uem.phones.get(device)
        if phone is not None:
            setattr(phone, what, not getattr(phone, what))

    @rule(person=PERSONS, how=HINT)
    def renew(self, person: str, how: str) -> None:
        self.loop.ca.issue(person)
        self.hint(how, person_key(person), CertificatesChanged(what="renewed"))

    @rule(person=PERSONS, how=HINT)
    def revoke_and_renew(self, person: str, how: str) -> None:
        self.loop.ca.revoke(person, self.loop.now)
        self.loop.ca.issue(person)
        self.hint(how, person_key(person), CertificatesChanged(what="revoked"))

    @rule(data=st.data())
    @precondition(lambda self: self.held)
    def a_late_hint_comes(self, data: Any) -> None:
        """In any order: swapped with others."""
        place = data.draw(st.integers(0, len(self.held) - 1))
        self.loop.send(*self.held.pop(place))

    # What time and machines do

    @rule(count=st.integers(1, 12))
    def work_a_little(self, count: int) -> None:
        for _ in range(count):
            self.loop.step()

    @rule(count=st.integers(20, 60))
    def work_much(self, count: int) -> None:
        self.work_a_little(count)

    @rule(span=st.sampled_from([SECOND, 60 * SECOND, 600 * SECOND, 2 * HOUR, 8 * HOUR, DAY]))
    def time_passes(self, span: int) -> None:
        self.loop.pass_time(span)
        self.work_a_little(5)

    @rule(fates=st.lists(FATES, min_size=1, max_size=3), user=USERS)
    def the_next_acts_go_wrong(self, fates: list[str], user: str) -> None:
        """And a person asks for one of them."""
        self.loop.fates.extend(fates)
        self.loop.send(holder_key(user), DeliveryRequested(by="local:0"))
        self.work_a_little(9)

    @rule()
    def crash(self) -> None:
        self.slow.clear()
        self.loop.restart()

    @rule(upstream=st.sampled_from(["uem", "ca"]))
    def an_upstream_fails_or_recovers(self, upstream: str) -> None:
        self.loop.down ^= {upstream}

    @rule(skew=st.sampled_from([0, 60 * SECOND, HOUR, -HOUR, DAY]))
    def the_uem_clock_steps(self, skew: int) -> None:
        self.loop.skew = skew

    @rule()
    def a_look_is_slow(self) -> None:
        """It is answered later, when the state may have gone on."""
        for key, want in self.loop.wanted():
            if want.effect not in ACTS | {Effect.WAIT} and want.due <= self.loop.now:
                self.slow.append((key, self.loop.look(key, want.effect)))
                return

    @rule()
    @precondition(lambda self: self.slow)
    def the_slow_look_is_answered(self) -> None:
        key, fact = self.slow.pop()
        self.loop.apply(key, fact)

    @rule()
    @precondition(lambda self: self.loop.finished)
    def an_outcome_comes_again(self) -> None:
        key, fact = self.loop.finished[-1]
        before = self.loop.states.get(key)  # a person may have made the program forget the holder
        after = self.loop.apply(key, fact)
        assert after is before if before is not None else key not in self.loop.states

    # What people do

    @rule(asks=st.booleans())
    def the_ca_asks_people(self, asks: bool) -> None:  # noqa: FBT001 - drawn
        self.loop.ca.asks_people = asks

    @rule(state=st.sampled_from([RequestState.GRANTED, RequestState.DENIED, RequestState.EXPIRED]))
    def the_people_decide(self, state: RequestState) -> None:
        self.loop.ca.decide(state)

    @rule(on=st.booleans(), route=st.sampled_from([None, "corp"]))
    def pause_or_resume(self, on: bool, route: str | None) -> None:  # noqa: FBT001 - drawn
        change = brakes.pause if on else brakes.resume
        self.loop.held = change(self.loop.held, route, self.loop.now)

    @rule(user=USERS, act=st.sampled_from(ACTS_OF_PEOPLE))
    def a_person_acts(self, user: str, act: Any) -> None:
        self.loop.send(holder_key(user), act(by="local:0", reason="because"))

    @rule(user=USERS)
    def a_person_confirms_what_they_see(self, user: str) -> None:
        state = self.loop.states.get(holder_key(user))
        if isinstance(state, HolderState) and state.identity and state.identity.conflicting:
            pair = state.identity.conflicting
            self.loop.send(holder_key(user), IdentityConfirmed(by="local:0", pair=pair))

    @rule(user=USERS)
    def identity_is_edited(self, user: str) -> None:
        """To another's mail, and back."""
        mails = self.loop.uem.mails
        if mails.pop(user, None) is None:
            mails[user] = "user2@example.com" if user != "2" else "user1@example.com"

    @rule(user=USERS)
    def a_person_forgets_the_identity(self, user: str) -> None:
        state = self.loop.states.get(holder_key(user))
        pair = newest_pair(state) if isinstance(state, HolderState) else None
        self.loop.send(holder_key(user), IdentityForgotten(by="a", reason="left", pair=pair))

    @rule(user=USERS, data=st.data())
    def a_person_drops_a_generation(self, user: str, data: Any) -> None:
        state = self.loop.states.get(holder_key(user))
        if isinstance(state, HolderState) and state.delivered:
            sent = data.draw(st.sampled_from(list(state.delivered)))
            drop = GenerationDropped(by="local:0", reason="lost", fingerprint=sent.fingerprint)
            self.loop.send(holder_key(user), drop)

    # The end

    def teardown(self) -> None:
        loop = self.loop
        for route in (None, "corp"):
            loop.held = brakes.resume(loop.held, route, loop.now)
        loop.down, loop.skew, loop.ca.asks_people = set(), 0, False
        loop.fates.clear()
        loop.uem.mails.clear()
        loop.ca.decide(RequestState.GRANTED)
        loop.run_out()
        self.sweep()
        loop.run_out()
        for state in loop.states.values():
            if isinstance(state, HolderState):
                self.everything_has_ended(state)
                self.the_last_set_is_the_newest(state)

    def sweep(self) -> None:
        for device in self.loop.uem.phones:
            self.loop.send(device_key(device), DeviceChanged(what="sweep"))
        for person in self.loop.ca.listed:
            self.loop.send(person_key(person), CertificatesChanged())

    def everything_has_ended(self, state: HolderState) -> None:
        assert state.delivery is None or not state.delivery.open
        assert state.running is None
        assert state.requests == ()
        assert state.copy_.state in {CopyState.NONE, CopyState.GONE}

    def the_last_set_is_the_newest(self, state: HolderState) -> None:
        user = parse_subject(state.key).id
        phones = [one for one in self.loop.uem.phones.values() if one.user == user and one.enrolled]
        assert len(state.devices) == len(phones), "after the sweep every device is known"
        expected, delivery = self.loop.expected(state), state.delivery
        if not phones or expected is None or delivery is None:
            return
        if delivery.phase is Phase.COMPLETED:
            last = [upload for upload in self.loop.uem.ledger if upload.user == user][-1]
            assert last.digest == delivery.digest == expected.digest
        else:
            assert {delivery.why, delivery.trouble.code if delivery.trouble else ""} & FORGIVEN


def run(examples: int, steps: int, *, same: bool = False) -> None:
    profile = settings(
        derandomize=same,
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Histories, settings=profile)


def test_every_history_ends_well() -> None:
    """A small number of histories, the same ones every time."""
    run(25, 30, same=True)


@pytest.mark.slow
def test_very_many_histories_end_well(histories: int) -> None:
    """Many more, longer, and others every time; `make soak-histories` runs still more."""
    run(histories, 60)
