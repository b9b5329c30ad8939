"""What happens in a chaos run, all of it from one seed: to people and devices, to processes."""

from collections.abc import Iterator
from itertools import count
from random import Random
from typing import NamedTuple

DEVICES = 3
"""Devices of a holder when all have enrolled."""
RENEWALS = 4
"""Maximum number of certificates of a person, so that a long run stays one of faults."""
PER_SECOND = 4.5
"""Happenings a second, one after another."""
SHARE_OF_ENROLMENTS = 0.75
OTHERS = ("renew", "renew", "renew", "leave", "leave", "no_answer")
LASTS = {
    "power_cut": (0.5, 8.0),
    "stop_all": (2.0, 14.0),
    "terminate": (0.5, 8.0),
    "service_alone": (0.5, 8.0),
    "stop_alone": (2.0, 14.0),
    "child": (0.0, 0.0),
}
"""What may be done to a process of the service, by the names of ``blows.py``, and for how many
seconds. A process that stands still for more than ten has lost all to others when it wakes up."""


class Happening(NamedTuple):
    """What becomes of a holder (by number), that number of seconds after the start."""

    at: float
    kind: str
    who: int


class Blow(NamedTuple):
    """After ``pause`` seconds, ``kind`` is done to a process; it lasts ``seconds``."""

    pause: float
    kind: str
    seconds: float


class BrokerBlow(NamedTuple):
    """After ``pause`` seconds a broker (by number from 0) is killed; it is away for ``seconds``."""

    pause: float
    number: int
    seconds: float


def happenings(seed: int, holders: int, seconds: float) -> Iterator[Happening]:
    """Enrolments until all holders have three devices; among them renewals, losses, lost answers.

    Who lost a device enrols another one.
    """
    dice = Random(f"{seed} happenings")
    to_enrol = [who for who in range(holders) for _ in range(DEVICES)]
    dice.shuffle(to_enrol)
    devices, renewals = [0] * holders, [0] * holders
    for number in range(int(seconds * PER_SECOND)):
        at = number / PER_SECOND
        if to_enrol and dice.random() < SHARE_OF_ENROLMENTS:
            who = to_enrol.pop()
            devices[who] += 1
            yield Happening(at, "enrol", who)
            continue
        kind, who = dice.choice(OTHERS), dice.randrange(holders)
        if kind == "leave" and devices[who]:
            devices[who] -= 1
            to_enrol.insert(dice.randrange(len(to_enrol) + 1), who)
            yield Happening(at, kind, who)
        elif kind == "renew" and devices[who] and renewals[who] < RENEWALS:
            renewals[who] += 1
            yield Happening(at, kind, who)
        elif kind == "no_answer":
            yield Happening(at, kind, who)


def blows(seed: int, pod: int) -> Iterator[Blow]:
    """What one process has to bear, without end: every kind in turn, in an order of its own.

    The first two of three processes together are all six kinds.
    """
    order = list(LASTS)
    Random(f"{seed} order").shuffle(order)
    dice = Random(f"{seed} pod {pod}")
    for number in count(2 * pod):
        kind = order[number % len(order)]
        yield Blow(dice.uniform(5, 15), kind, dice.uniform(*LASTS[kind]))


def broker_blows(seed: int, brokers: int) -> Iterator[BrokerBlow]:
    """Which broker is killed next, without end; one at a time."""
    dice = Random(f"{seed} brokers")
    while True:
        yield BrokerBlow(dice.uniform(6, 16), dice.randrange(brokers), dice.uniform(0.5, 6))
