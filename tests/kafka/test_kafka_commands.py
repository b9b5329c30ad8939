"""``kafka init`` and ``kafka acls`` with settings from a file, against a real broker."""

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import NewTopic

from connector.cli.options import World
from connector.cli.root import run
from connector.journal.kafka.cluster import administration, require
from connector.journal.kafka.names import Names
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.settings_file import (
    Addresses,
    Secrets,
    changed,
    clustered,
    settings,
    write_settings,
)
from connector_testkit.simulators.tls import issue_tls
from tests.cli.calls import Command, Result
from tests.kafka.by_hand import make_by_hand
from tests.kafka.conftest import single

NOBODY = "https://127.0.0.1:1"
Configured = Callable[..., Command]


@pytest.fixture
def names(prefixes: Iterator[str]) -> Names:
    return Names(next(prefixes))


@pytest.fixture
def configured(
    tmp_path: Path, broker: Brokers, names: Names, capfd: pytest.CaptureFixture[str]
) -> Configured:
    """The command line with settings for the session's broker, some of them changed."""

    def make(**journal: Any) -> Command:
        tls = issue_tls(tmp_path / "tls", client="pki-connector").ca.parent
        told = clustered(tmp_path, broker.bootstrap, names.prefix) | {"partitions": 4}
        at = Addresses(NOBODY, NOBODY, NOBODY, NOBODY)
        document = settings(tmp_path, Secrets(tmp_path / "secrets"), at, (tls, tls), told)
        file = tmp_path / "settings.yaml"
        write_settings(file, changed(document, {"journal": journal}))

        def call(*arguments: str) -> Result:
            with pytest.raises(SystemExit) as ended:
                run((*arguments, "--config", str(file)), World({}, lambda: "unique"))
            out, err = capfd.readouterr()
            return Result(int(ended.value.code or 0), out, err)

        return call

    return make


def make_topic(broker: Brokers, prefix: str, topic: NewTopic) -> None:
    """A topic is made by hand."""

    async def making() -> None:
        async with administration(single(broker, prefix)) as admin:
            await make_by_hand(admin, topic)

    asyncio.run(making())


def states(result: Result) -> dict[str, str]:
    """The state of each topic in a plan."""
    return {one["topic"]: one["state"] for one in json.loads(result.out)["topics"]}


def test_the_plan_is_shown_carried_out_and_then_done(
    configured: Configured, names: Names, broker: Brokers
) -> None:
    """Dry run, run, run again; the service would start."""
    call = configured()
    dry = call("kafka", "init", "--dry-run", "-o", "json")
    assert (dry.code, dry.err) == (0, "Nothing was created.\n")
    assert states(dry) == dict.fromkeys(names.topics, "new")
    table = call("kafka", "init")
    assert table.code == 0
    assert "cleanup.policy=compact" in table.out
    assert table.err == "4 topic(s) created.\n"
    again = call("kafka", "init", "-o", "json")
    assert (again.code, again.err) == (0, "0 topic(s) created.\n")
    assert states(again) == dict.fromkeys(names.topics, "right")
    asyncio.run(require(single(broker, names.prefix, partitions=4)))


def test_what_is_wrong_is_told_and_nothing_is_made(
    configured: Configured, names: Names, broker: Brokers
) -> None:
    """Exit code 8, with what to do about each fault; in CSV as well."""
    make_topic(broker, names.prefix, NewTopic(names.states, 3, 1))
    call = configured()
    told = call("kafka", "init", "-o", "json")
    assert told.code == 8
    assert states(told) == dict.fromkeys(names.topics, "new") | {names.states: "wrong"}
    assert "nothing was created" in told.err
    table = call("kafka", "init", "--dry-run", "-o", "csv")
    assert table.code == 8
    assert "has 3 partitions instead of 4 (set journal.partitions" in table.out
    assert "new" in table.out


def test_the_service_does_not_start_without_its_topics(
    configured: Configured, names: Names
) -> None:
    """``serve`` makes nothing; it tells all that is missing and ends."""
    result = configured()("serve")
    assert result.code == 1
    assert "KAF-004 Topics missing or misconfigured" in result.err
    for topic in names.topics:
        assert f"{topic}: does not exist" in result.err


def test_more_copies_than_brokers_are_refused_in_the_dry_run(configured: Configured) -> None:
    """The cluster is asked whether it would make the topics."""
    call = configured(replication=3, min_insync_replicas=2)
    result = call("kafka", "init", "--dry-run")
    assert result.code == 1
    assert result.err.startswith("KAF-005 Kafka refuses the request: creating ")


def test_a_cluster_that_is_away_is_unavailable(
    configured: Configured, unused_tcp_port: int
) -> None:
    """Exit code 6: it may come back."""
    call = configured(bootstrap_servers=[f"127.0.0.1:{unused_tcp_port}"])
    result = call("kafka", "init")
    assert (result.code, result.err[:7]) == (6, "KAF-001")


def test_rights_are_printed_for_the_settings_user(configured: Configured, names: Names) -> None:
    """As command lines, as JSON, as CSV; for another principal when one is named."""
    sasl = {"mechanism": "PLAIN", "user": "svc", "password_file": "secrets/uem-api-password"}
    call = configured(security={"tls": {}, "sasl": sasl})
    lines = call("kafka", "acls").out.splitlines()
    assert len(lines) == 3
    assert all(" --allow-principal User:svc " in line for line in lines)
    assert lines[1].endswith(f"--group {names.group} --resource-pattern-type literal")
    given = call("kafka", "acls", "--principal", "User:CN=x y", "--creator", "-o", "json")
    topics, group, transactions = json.loads(given.out)
    assert topics["operations"] == ["Read", "Write", "DescribeConfigs", "Create"]
    assert (topics["principal"], topics["names"]) == ("User:CN=x y", list(names.topics))
    assert group["pattern"] == "literal"
    assert (transactions["names"], transactions["pattern"]) == ([names.transactions], "prefixed")
    assert "'User:CN=x y'" in call("kafka", "acls", "--principal", "User:CN=x y").out
    assert call("kafka", "acls", "-o", "csv").out.startswith("principal,resource,names")


def test_rights_need_a_principal(configured: Configured) -> None:
    """Where the settings name no user, who asks must."""
    result = configured()("kafka", "acls")
    assert result.code == 2
    assert "--principal" in result.err


def test_the_embedded_journal_has_no_topics(configured: Configured, tmp_path: Path) -> None:
    """Asked with settings of the other journal the commands say so."""
    call = configured()
    file = tmp_path / "settings.yaml"
    text = file.read_text()
    head, _, rest = text.partition("journal:\n")
    file.write_text(head + rest[rest.index("audit:") :])
    result = call("kafka", "init")
    assert result.code == 8
    assert "journal.type is sqlite, not kafka" in result.err
