"""For each alert: series that make it fire, and series that come near it and do not.

Series are in the notation of ``promtool test rules``, one value a minute from midnight UTC of
Thursday, 1 January 1970, without prefix and the labels that all have.
"""

from collections.abc import Mapping
from typing import NamedTuple

Series = Mapping[str, str]


class Case(NamedTuple):
    """``at``: when it is looked at."""

    alert: str
    fires: Series
    silent: Series
    at: str = "1h"


ALWAYS = "+0x700"
ENROLMENTS = "enrolment_to_ready_seconds_count{target='acme'}"
IN_TIME = "enrolment_to_ready_seconds_bucket{target='acme',le='3600.0'}"
ENDED = "devices_ended_total{target='acme',outcome='not_installed',error_code='INS-001'}"
EVENTS = "webhook_events_total{source='workspace-one',outcome='accepted'}"
HOLDERS = "deliveries_in_state{state='completed',target='acme'}"
OPENED = "deliveries_opened_total{target='acme',trigger='enrolment'}"
HANDED = "hand_overs_total{target='acme',outcome='accepted',error_code=''}"
APPENDED = "audit_last_append_timestamp_seconds"
OVERDUE = "needs_operator{error_code='PRG-001'}"
OTHERWISE = "needs_operator{error_code='KEY-101'}"
PURGES = "purges_total{target='acme',method='none',outcome='overdue'}"
DISAGREE = "clocks_disagree_total{target='acme'}"
DOUBT = "conditions{error_code='CLK-002'}"
DISCLOSED = "keys_disclosed_total{reason='enrolment',target='acme'}"
CIRCUIT = "backend_circuit_state{backend='ca:main'}"
HUNG = "backend_requests_total{backend='ca:main',outcome='transient',error_code='CA-001'}"
ANSWERED = "backend_requests_total{backend='ca:main',outcome='ok',error_code=''}"
BUDGET = "backend_budget_left{backend='uem:acme'}"
RELOADED = "config_last_reload_successful{instance='a'}"
REFUSED = "certificate_reloads_total{instance='a',outcome='refused'}"
ENDS = "own_credential_expiry_timestamp_seconds{credential='tls-server'}"
BACKED_UP = "backup_last_success_timestamp_seconds"
OLDEST = "journal_oldest_waiting_seconds"

CASES = (
    Case("Down", {"partitions": f"4{ALWAYS}"}, {"build_info{instance='a'}": f"1{ALWAYS}"}),
    Case(
        "DeliverySloBurn",
        {ENROLMENTS: "0+10x700", IN_TIME: "0+1x700", ENDED: f"0{ALWAYS}"},
        {ENROLMENTS: "0+10x700", IN_TIME: "0+10x700", ENDED: f"0{ALWAYS}"},
    ),
    Case(
        "DeliverySloBurn",
        {ENROLMENTS: "0+1x700", IN_TIME: "0+1x700", ENDED: "0+9x700"},
        {ENROLMENTS: f"9{ALWAYS}", IN_TIME: f"9{ALWAYS}", ENDED: f"9{ALWAYS}"},
    ),
    Case(
        "PartitionWithoutOwner",
        {"partitions": f"4{ALWAYS}", "partitions_owned{instance='a'}": f"3{ALWAYS}"},
        {
            "partitions": f"4{ALWAYS}",
            "partitions_owned{instance='a'}": f"3{ALWAYS}",
            "partitions_owned{instance='b'}": f"1{ALWAYS}",
        },
    ),
    Case("NeedsOperator", {OTHERWISE: f"1{ALWAYS}"}, {OVERDUE: f"1{ALWAYS}"}),
    Case(
        "ConditionReported",
        {"conditions{error_code='JRN-014'}": f"1{ALWAYS}"},
        {"conditions{error_code='JRN-014'}": f"0{ALWAYS}", DOUBT: f"1{ALWAYS}"},
    ),
    Case(
        "ConditionReported",
        {"conditions{error_code='CFG-009'}": f"1{ALWAYS}"},
        {"conditions{error_code='CFG-008'}": f"1{ALWAYS}"},
    ),
    Case(
        "NoWebhooks",
        {EVENTS: f"9{ALWAYS}", HOLDERS: f"5{ALWAYS}"},
        {EVENTS: "0+1x700", HOLDERS: f"5{ALWAYS}"},
        at="11h",
    ),
    Case(
        "NoWebhooks",
        {EVENTS: f"9{ALWAYS}", HOLDERS: f"5{ALWAYS}"},
        {EVENTS: f"9{ALWAYS}", HOLDERS: f"0{ALWAYS}"},
        at="11h",
    ),
    Case(
        "WebhookAuthFailures",
        {"webhook_auth_failures_total{source='workspace-one'}": "0+1x700"},
        {"webhook_auth_failures_total{source='workspace-one'}": "0+0x50 1+0x50"},
    ),
    Case(
        "PullStale",
        {"pull_last_success_timestamp_seconds{backend='uem:acme'}": f"1{ALWAYS}"},
        {"pull_last_success_timestamp_seconds{backend='uem:acme'}": "0+60x700"},
    ),
    Case(
        "InboxStalled",
        {OLDEST + "{queue='unread'}": f"400{ALWAYS}"},
        {OLDEST + "{queue='unread'}": f"4{ALWAYS}", OLDEST + "{queue='due'}": f"9000{ALWAYS}"},
    ),
    Case(
        "DlqNotEmpty",
        {"dlq_depth{queue='events'}": f"1{ALWAYS}"},
        {"dlq_depth{queue='events'}": f"0{ALWAYS}"},
    ),
    Case(
        "JournalNotWritable",
        {"journal_writable{instance='a'}": f"0{ALWAYS}"},
        {"journal_writable{instance='a'}": f"1{ALWAYS}"},
    ),
    Case(
        "JournalVolumeLow",
        {"journal_volume_free_bytes{instance='a'}": f"100000000{ALWAYS}"},
        {"journal_volume_free_bytes{instance='a'}": f"1000000000{ALWAYS}"},
    ),
    Case("BackupStale", {BACKED_UP: "1+0x3100"}, {BACKED_UP: "160000+0x3100"}, at="50h"),
    Case("BackupStale", {BACKED_UP: "NaN+0x61"}, {BACKED_UP: f"1{ALWAYS}"}),
    Case(
        "AuditChainBroken", {"audit_chain_valid": f"0{ALWAYS}"}, {"audit_chain_valid": "NaN 1x59"}
    ),
    Case(
        "AuditHeadNotMoving",
        {OPENED: "0+1x700", HANDED: f"0{ALWAYS}", APPENDED: f"1{ALWAYS}"},
        {OPENED: f"7{ALWAYS}", HANDED: f"7{ALWAYS}", APPENDED: f"1{ALWAYS}"},
    ),
    Case(
        "ClocksDisagree",
        {DISAGREE: "0+0x40 1+0x60", DOUBT: f"0{ALWAYS}"},
        {DISAGREE: f"1{ALWAYS}", DOUBT: f"0{ALWAYS}"},
    ),
    Case("ClocksDisagree", {DOUBT: f"1{ALWAYS}"}, {DOUBT: f"0{ALWAYS}"}),
    Case(
        "CopyOverdue",
        {OVERDUE: f"1{ALWAYS}", PURGES: f"1{ALWAYS}"},
        {OTHERWISE: f"1{ALWAYS}", OVERDUE: f"0{ALWAYS}", PURGES: f"1{ALWAYS}"},
    ),
    Case("CopyOverdue", {PURGES: "0+0x40 1+0x60"}, {PURGES: f"1{ALWAYS}"}),
    Case("KeyDisclosureSpike", {DISCLOSED: "0+0x600 0+10x100"}, {DISCLOSED: "0+10x700"}, at="11h"),
    Case(
        "DisclosureCeilingReached",
        {"disclosures_held_back_total": "0+1x700"},
        {"disclosures_held_back_total": f"3{ALWAYS}"},
    ),
    Case("RoutePaused", {"pauses": f"1{ALWAYS}"}, {"pauses": f"0{ALWAYS}"}),
    Case("BackendDown", {CIRCUIT: f"2{ALWAYS}"}, {CIRCUIT: "2+0x54 1+0x60"}),
    Case(
        "BackendDown",
        {HUNG: "0+1x700", ANSWERED: f"9{ALWAYS}"},
        {HUNG: "0+1x700", ANSWERED: "0+1x700"},
    ),
    Case("BackendBudgetLow", {BUDGET: f"10{ALWAYS}"}, {BUDGET: f"500{ALWAYS}"}),
    Case("ConfigReloadFailed", {RELOADED: f"0{ALWAYS}"}, {RELOADED: f"1{ALWAYS}"}),
    Case("ConfigReloadFailed", {REFUSED: "0+0x50 1+0x60"}, {REFUSED: f"1{ALWAYS}"}),
    Case("OwnCredentialExpiring", {ENDS: f"1000000{ALWAYS}"}, {ENDS: f"9000000{ALWAYS}"}),
    Case("OwnCredentialExpiring", {ENDS: f"60{ALWAYS}"}, {ENDS: "7200+60x700"}),
)
