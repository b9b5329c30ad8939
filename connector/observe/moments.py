"""How the moments that the state machines note become metrics: one table, checked by a test."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

ONE: Literal["one"] = "one"
VALUE: Literal["value"] = "value"
SECONDS: Literal["seconds"] = "seconds"


class Rule(NamedTuple):
    """One metric that a moment moves.

    ``amount``: by one, by the moment's value, or by its value in milliseconds taken as seconds.
    ``fixed`` are labels that the moment itself does not carry.
    """

    metric: str
    amount: Literal["one", "value", "seconds"] = ONE
    fixed: Mapping[str, str] = {}


RULES: Mapping[str, tuple[Rule, ...]] = {
    "delivery_opened": (Rule("deliveries_opened_total"),),
    "phase_left": (Rule("delivery_stage_duration_seconds", SECONDS),),
    "delivery_ended": (Rule("deliveries_total"),),
    "enrolment_to_ready": (Rule("enrolment_to_ready_seconds", SECONDS),),
    "handed_over": (Rule("hand_overs_total"),),
    "keys_disclosed": (Rule("keys_disclosed_total", VALUE),),
    "retry": (Rule("retries_total"),),
    "device_ended": (Rule("devices_ended_total"),),
    "device_lost": (Rule("devices_lost_total"),),
    "hint_outdated": (Rule("outdated_notifications_total"),),
    "stale_fact": (Rule("stale_facts_total"),),
    "copy_gone": (
        Rule("purges_total", ONE, {"outcome": "gone"}),
        Rule("copy_lifetime_seconds", SECONDS),
    ),
    "copy_overdue": (Rule("purges_total", ONE, {"outcome": "overdue", "method": "none"}),),
    "clocks_disagree": (Rule("clocks_disagree_total"),),
}
