"""The journal that the settings choose, and what it is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError
from connector.core.model import DAY, SECOND
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.kafka.options import KafkaOptions
from connector.journal.sqlite import SqliteJournal
from connector.settings.journal import KafkaSettings, SqliteSettings
from connector.sources.tenants import Limits
from connector.wiring.clock import MachineClock
from connector.wiring.journal import kafka_options, make_journal, require_topics

LOCAL = {"type": "kafka", "bootstrap_servers": ["127.0.0.1:1"]}


def told(**members: object) -> KafkaOptions:
    return kafka_options(KafkaSettings.model_validate(LOCAL | members))


def test_the_settings_choose_the_journal(tmp_path: Path) -> None:
    """By their type alone; nothing is opened."""
    lost: list[object] = []
    embedded = SqliteSettings(path=tmp_path / "journal.sqlite", partitions=3)
    clustered = KafkaSettings.model_validate(LOCAL | {"partitions": 5})
    chosen = [make_journal(one, MachineClock(), lost.append) for one in (embedded, clustered)]
    assert [type(one) for one in chosen] == [SqliteJournal, KafkaJournal]
    assert [one.partitions for one in chosen] == [3, 5]


def test_every_setting_reaches_the_journal() -> None:
    """Durations as milliseconds, everything else as it is written."""
    tls = {"ca_file": "/ca", "client": {"certificate_file": "/c", "key_file": "/k"}}
    sasl = {"mechanism": "SCRAM-SHA-256", "user": "u", "password_file": "/p"}
    options = told(
        prefix="other",
        replication=5,
        min_insync_replicas=4,
        security={"tls": tls, "sasl": sasl},
        retention={"events": "21d", "audit": "400d"},
        session_timeout="9s",
        append_timeout="2500ms",
    )
    assert options.names.events == "other.events"
    assert (options.replication, options.min_insync_replicas) == (5, 4)
    assert options.security.model_dump(mode="json") == {
        "tls": tls,
        "sasl": sasl | {"token_file": None},
        "accept_plain_text": False,
    }
    assert (options.retention.events, options.retention.audit) == (21 * DAY, 400 * DAY)
    assert (options.session_timeout, options.append_timeout) == (9 * SECOND, 2500)


def test_settings_and_options_have_the_same_members() -> None:
    """What one knows and the other does not would be lost on the way."""
    ours = set(KafkaSettings.model_fields) - {"type", "path"}
    assert ours == set(KafkaOptions.model_fields)


def test_a_webhook_is_answered_before_its_sender_gives_up() -> None:
    """The brokers' time is over before the listener's patience is, whose answer knows less."""
    assert KafkaSettings.model_validate(LOCAL).append_timeout < timedelta(
        seconds=Limits().append_time
    )


async def test_nothing_is_begun_without_the_brokers() -> None:
    """The topics are asked for first; an embedded journal has none."""
    await require_topics(SqliteSettings())
    with pytest.raises(ConnectorError) as refused:
        await require_topics(KafkaSettings.model_validate(LOCAL))
    assert refused.value.code == "KAF-001"
