"""How the moments that the state machines note become metrics: one table, checked by a test."""

from collections.abc import Mapping
from typing import NamedTuple

from connector.core.metric_definitions import (
    CLOCKS_DISAGREE,
    COPY_LIFETIME,
    DELIVERIES,
    DELIVERIES_OPENED,
    DELIVERY_STAGE_DURATION,
    DEVICES_ENDED,
    DEVICES_LOST,
    ENROLMENT_TO_READY,
    HAND_OVERS,
    KEYS_DISCLOSED,
    OUTDATED_NOTIFICATIONS,
    PURGES,
    RETRIES,
    STALE_FACTS,
)
from connector.core.metrics import OTHER, Counter, Histogram, Metrics
from connector.core.model import SECOND
from connector.core.step import Moment


class Rule(NamedTuple):
    """One metric that a moment moves.

    A histogram takes the moment's value as milliseconds. A counter grows by one, or by the value
    where it is ``valued``. ``fixed`` are labels that the moment itself does not carry.
    """

    metric: Counter | Histogram
    fixed: Mapping[str, str] = {}
    valued: bool = False


RULES: Mapping[str, tuple[Rule, ...]] = {
    "delivery_opened": (Rule(DELIVERIES_OPENED),),
    "phase_left": (Rule(DELIVERY_STAGE_DURATION),),
    "delivery_ended": (Rule(DELIVERIES),),
    "enrolment_to_ready": (Rule(ENROLMENT_TO_READY),),
    "handed_over": (Rule(HAND_OVERS),),
    "keys_disclosed": (Rule(KEYS_DISCLOSED, valued=True),),
    "retry": (Rule(RETRIES),),
    "device_ended": (Rule(DEVICES_ENDED),),
    "device_lost": (Rule(DEVICES_LOST),),
    "hint_outdated": (Rule(OUTDATED_NOTIFICATIONS),),
    "stale_fact": (Rule(STALE_FACTS),),
    "copy_gone": (
        Rule(PURGES, {"outcome": "gone"}),
        Rule(COPY_LIFETIME),
    ),
    "copy_overdue": (Rule(PURGES, {"outcome": "overdue", "method": "none"}),),
    "clocks_disagree": (Rule(CLOCKS_DISAGREE),),
}


def publish(metrics: Metrics, moment: Moment, target: str) -> None:
    """Count a moment; one that no rule knows moves nothing. ``target``: the UEM, or empty."""
    for rule in RULES.get(moment.name, ()):
        carried = {"target": target, **moment.labels, **rule.fixed}
        labels = {name: carried.get(name, OTHER) for name in rule.metric.labels}
        if isinstance(rule.metric, Histogram):
            metrics.observe(rule.metric, moment.value / SECOND, **labels)
        else:
            metrics.count(rule.metric, moment.value if rule.valued else 1, **labels)
