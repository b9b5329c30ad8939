"""``journal copy`` and ``audit --offline`` with settings from files, against a real broker."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.cli.options import World
from connector.cli.root import run
from connector.core.secret import Credential
from connector.journal.settings import SqliteSettings
from connector.journal.sqlite import SqliteJournal
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.settings_file import (
    Addresses,
    Secrets,
    clustered,
    embedded,
    settings,
    write_settings,
)
from connector_testkit.simulators.tls import issue_tls
from tests.cli.calls import Result
from tests.operators.test_dead_letters import NONSENSE, READABLE
from tests.operators.world import PARTITIONS, AdminWorld, holder

NOBODY = "https://127.0.0.1:1"


class Machine:
    """Settings files of one machine, and the command line on it."""

    def __init__(self, folder: Path, broker: Brokers, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.secrets = Secrets(folder / "secrets")
        self._broker = broker
        self._capfd = capfd
        self._tls = issue_tls(folder / "tls", client="pki-connector").ca.parent

    def file(self, name: str, journal: dict[str, Any]) -> str:
        """A settings file with this journal."""
        at = Addresses(NOBODY, NOBODY, NOBODY, NOBODY)
        path = self.folder / f"{name}.yaml"
        document = settings(self.folder, self.secrets, at, (self._tls, self._tls), journal)
        write_settings(path, document)
        return str(path)

    def cluster(self, prefix: str, partitions: int) -> str:
        """Settings of a clustered journal, its topics made."""
        told = clustered(self.folder, self._broker.bootstrap, prefix) | {"partitions": partitions}
        file = self.file(prefix, told)
        assert self("kafka", "init", "--config", file).code == 0
        return file

    def __call__(self, *arguments: str) -> Result:
        with pytest.raises(SystemExit) as ended:
            run(arguments, World({}, lambda: "unique"))
        out, err = self._capfd.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    def copy(self, source: str, target: str, trail: Path) -> Result:
        sides = ("--from", source, "--to", target, "--trail", str(trail))
        return self("journal", "copy", *sides, "--reason", "growing", "-o", "json")

    def verified(self, trail: Path, *more: str) -> int:
        """What the check of an exported trail ends with."""
        key = str(self.secrets.audit_key)
        return self("audit", "verify", "--file", str(trail), "--key-file", key, *more).code


@pytest.fixture
def machine(tmp_path: Path, broker: Brokers, capfd: pytest.CaptureFixture[str]) -> Machine:
    return Machine(tmp_path, broker, capfd)


@pytest.fixture
def source(machine: Machine) -> str:
    """An embedded journal with states, a trail, a dead letter and an unread event in it."""
    told = embedded(machine.folder)
    asyncio.run(_fill(machine, Path(told["path"])))
    return machine.file("embedded", told)


async def _fill(machine: Machine, file: Path) -> None:
    file.parent.mkdir()
    world = AdminWorld(file.parent)
    world.key = Credential(machine.secrets.audit_key.read_text().strip())
    world.journal = SqliteJournal(
        SqliteSettings(path=file, partitions=PARTITIONS),
        monotonic=time.monotonic,
        on_lost=world.lost.append,
    )
    await world.open()
    await world.put(*(holder(number) for number in range(10, 30)))
    await world.bury(0, 3, NONSENSE)
    await world.journal.append([READABLE])
    await world.journal.close()


def test_a_journal_grows_from_a_file_to_ever_more_partitions(
    machine: Machine, source: str, prefixes: Iterator[str]
) -> None:
    """Each time it is proven, and each trail lies in a file that verifies."""
    small, large = machine.cluster(next(prefixes), 4), machine.cluster(next(prefixes), 6)
    trails = machine.folder / "first.ndjson", machine.folder / "second.ndjson"
    for (old, new), trail in zip(((source, small), (small, large)), trails, strict=True):
        result = machine.copy(old, new, trail)
        assert result.code == 0, result.err
        shown = json.loads(result.out)
        assert (shown["equal"], shown["standing"]) == (True, "empty")
        counts = [shown["target"][name]["count"] for name in ("states", "events", "letters")]
        assert counts == [20, 1, 1]
        assert machine.verified(trail) == 0
    again = machine.copy(source, small, trails[0])
    assert (again.code, json.loads(again.out)["standing"]) == (0, "finished")
    other = machine.copy(source, large, trails[0])
    assert (other.code, other.error) == (1, "JRN-008")


def test_a_trail_is_read_from_the_broker_without_a_service(
    machine: Machine, source: str, prefixes: Iterator[str]
) -> None:
    """Checked there, exported to a file and checked here, with the end that was published."""
    cluster = machine.cluster(next(prefixes), 4)
    assert machine.copy(source, cluster, machine.folder / "old.ndjson").code == 0
    offline = ("--offline", "--config", cluster, "-o", "json")
    checked = machine("audit", "verify", *offline)
    assert checked.code == 0
    chain = json.loads(checked.out)["chains"][0]
    trail = machine.folder / "trail.ndjson"
    lines = machine("audit", "export", *offline).out.splitlines(keepends=True)
    end = ("--partition", "0", "--head", chain["head"][:12], "--count", str(chain["count"]))
    trail.write_text("".join(lines))
    assert machine.verified(trail, *end) == 0
    first = [line for line in lines if json.loads(line)["partition"] == 0]
    trail.write_text("".join(line for line in lines if line != first[-1]))
    assert machine.verified(trail, *end) == 8
    assert machine("audit", "verify", *offline, *end[:2], "--count", "99").code == 8
