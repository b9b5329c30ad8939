"""The journal that the settings choose, and its options."""

from datetime import timedelta
from pathlib import Path

import pytest

from connector.core.errors import ConnectorError
from connector.journal.kafka.journal import KafkaJournal
from connector.journal.settings import KafkaSettings, SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector.sources.tenants import Limits
from connector.wiring.clock import MachineClock
from connector.wiring.journal import make_journal, require_topics

LOCAL = {"type": "kafka", "bootstrap_servers": ["127.0.0.1:1"]}


def test_the_settings_choose_the_journal(tmp_path: Path) -> None:
    """By their type alone; nothing is opened."""
    lost: list[object] = []
    embedded = SqliteSettings(path=tmp_path / "journal.sqlite", partitions=3)
    clustered = KafkaSettings.model_validate(LOCAL | {"partitions": 5})
    chosen = [make_journal(one, MachineClock(), lost.append) for one in (embedded, clustered)]
    assert [type(one) for one in chosen] == [SqliteJournal, KafkaJournal]
    assert [one.partitions for one in chosen] == [3, 5]


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
