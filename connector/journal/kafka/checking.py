"""What is wrong with the existing topics. Pure; cluster.py reads them."""

from collections.abc import Callable, Mapping

from connector.journal.kafka.topics import FOR_EVER, Found, Plan, Topic, TopicFault, wanted
from connector.journal.settings import KafkaSettings


def planned(options: KafkaSettings, found: Mapping[str, Found]) -> Plan:
    """Compare the existing topics, by name, with the wanted ones."""
    topics = wanted(options)
    missing = tuple(topic for topic in topics if topic.name not in found)
    there = [(topic, found[topic.name]) for topic in topics if topic.name in found]
    wrong = [(one, _faults(topic, one, options)) for topic, one in there]
    return Plan(
        missing,
        right=tuple(one for one, faults in wrong if not faults),
        faults=tuple(fault for _, faults in wrong for fault in faults),
    )


def all_faults(plan: Plan) -> tuple[TopicFault, ...]:
    """All faults that keep the service from starting, missing topics included."""
    missing = [
        TopicFault(
            topic=topic.name,
            wrong="does not exist, or the connector's user may not describe it",
            action="run pki-connector kafka init, or grant what kafka acls prints",
        )
        for topic in plan.missing
    ]
    return (*missing, *plan.faults)


def _faults(topic: Topic, found: Found, options: KafkaSettings) -> list[TopicFault]:
    return [
        *_shape_faults(topic, found),
        *_setting_faults(topic, found),
        *_durability_faults(found, options),
    ]


def _shape_faults(topic: Topic, found: Found) -> list[TopicFault]:
    faults = []
    if found.partitions != topic.partitions:
        faults.append(
            _fault(
                topic,
                f"has {found.partitions} partitions instead of {topic.partitions}",
                "set journal.partitions to what all topics have, or copy to a new prefix",
            )
        )
    if found.replication < topic.replication:
        faults.append(
            _fault(
                topic,
                f"has {found.replication} replicas instead of {topic.replication}",
                "add replicas with kafka-reassign-partitions",
            )
        )
    return faults


def _setting_faults(topic: Topic, found: Found) -> list[TopicFault]:
    faults = []
    for name, fits in RULES.items():
        want, have = topic.settings.get(name), found.settings.get(name)
        if want is not None and (have is None or not fits(have, want)):
            faults.append(_setting_fault(topic, name, have, want))
    return faults


def _durability_faults(found: Found, options: KafkaSettings) -> list[TopicFault]:
    faults = []
    in_sync = int(found.settings.get("min.insync.replicas", "1"))
    if in_sync > found.replication:
        wrong = f"can never be written: it needs {in_sync} replicas and has {found.replication}"
        action = "lower min.insync.replicas or add replicas"
        faults.append(TopicFault(topic=found.name, wrong=wrong, action=action))
    flushed = found.settings.get("flush.messages") == "1"
    if found.replication == 1 and not flushed and not options.accept_single_replica:
        wrong = "has one replica and no flush.messages=1: a power failure loses what was accepted"
        action = (
            f"{_alter(found.name, 'flush.messages=1')}, or set journal.accept_single_replica"
            " if this is wanted"
        )
        faults.append(TopicFault(topic=found.name, wrong=wrong, action=action))
    return faults


def _fault(topic: Topic, wrong: str, action: str) -> TopicFault:
    return TopicFault(topic=topic.name, wrong=wrong, action=action)


def _setting_fault(topic: Topic, name: str, have: str | None, want: str) -> TopicFault:
    wrong = f"{name} is {have} instead of {want}"
    return _fault(topic, wrong, _alter(topic.name, f"{name}={want}"))


def _alter(topic: str, setting: str) -> str:
    return f"kafka-configs --alter --topic {topic} --add-config {setting}"


def _same(have: str, want: str) -> bool:
    return have == want


def _at_least(have: str, want: str) -> bool:
    return int(have) >= int(want)


def _as_long(have: str, want: str) -> bool:
    """Whether a limit (-1: none) is at least as far as the wanted one."""
    return int(have) == FOR_EVER or (int(want) != FOR_EVER and int(have) >= int(want))


RULES: Mapping[str, Callable[[str, str], bool]] = {
    "cleanup.policy": _same,
    "retention.ms": _as_long,
    "retention.bytes": _as_long,
    "min.insync.replicas": _at_least,
    "unclean.leader.election.enable": _same,
    "max.message.bytes": _at_least,
}
"""Settings that the journal's promises rest on, and when one that is there will do."""
