"""``audit`` on the command line."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from connector.core.journal import PartitionRecord
from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.worker.options import untold
from connector.worker.round_publisher import RoundPublisher
from tests.cli.calls import Asked, Command
from tests.operators.world import PARTITIONS, holder
from tests.support.clocks import NOW


async def exported(ask: Asked, folder: Path) -> tuple[Path, Path]:
    """A trail of twenty records in a file, and the key in another."""
    await ask.world.put(*(holder(number) for number in range(10, 30)))
    trail, key = folder / "trail.ndjson", folder / "audit.key"
    exported = (await ask("audit", "export", "-o", "json")).out
    await asyncio.to_thread(trail.write_text, exported)
    await asyncio.to_thread(key.write_text, ask.world.key.reveal())
    return trail, key


def checked(command: Command, trail: Path, key: Path, *more: str) -> tuple[int, str]:
    result = command("audit", "verify", "--file", str(trail), "--key-file", str(key), *more)
    return result.code, result.err


async def test_an_export_can_be_checked_without_the_service(
    ask: Asked, command: Command, tmp_path: Path
) -> None:
    """What ``export`` wrote, ``verify --file`` finds whole; with a published head too."""
    trail, key = await exported(ask, tmp_path)
    records = [json.loads(line) for line in trail.read_text().splitlines()]
    assert len(records) == 20
    assert checked(command, trail, key) == (0, "")
    last = next(record for record in reversed(records) if record["partition"] == 0)
    end = ("--partition", "0", "--head", last["mac"], "--count", str(last["sequence"]))
    assert checked(command, trail, key, *end) == (0, "")
    cut = [record for record in records if record is not last]
    trail.write_text("\n".join(map(json.dumps, cut)))
    code, err = checked(command, trail, key, *end)
    assert (code, f"{last['sequence']} records were published" in err) == (8, True)


async def test_an_export_of_one_user(ask: Asked) -> None:
    """By key in any spelling; what is not one is refused, because it would find nothing."""
    await ask.world.put(*(holder(number) for number in range(10, 30)))
    command = ("audit", "export", "-o", "json", "--subject")
    told = await ask(*command, "corp/user/011", "--subject", "main/person/mara")
    assert [json.loads(line)["entry"]["subject"] for line in told.out.splitlines()] == [
        "corp/user/11"
    ]
    assert (await ask(*command, "mara")).code == 2


async def test_a_changed_export_is_found(ask: Asked, command: Command, tmp_path: Path) -> None:
    """Exit code 8, and the place of the record."""
    trail, key = await exported(ask, tmp_path)
    trail.write_text(trail.read_text().replace("corp/user/11", "corp/user/99", 1))
    code, err = checked(command, trail, key)
    assert code == 8
    assert err.startswith("AUD-001 Audit chain broken")
    assert "the MAC does not match the record" in err


async def test_another_key_is_suspected(ask: Asked, command: Command, tmp_path: Path) -> None:
    """Where no record fits, few are named, and the key is asked about."""
    trail, key = await exported(ask, tmp_path)
    key.write_text("k" * 64)
    code, err = checked(command, trail, key)
    assert (code, err.count("the MAC does not match the record") <= 5 * PARTITIONS) == (8, True)
    assert "check that this is the chain's key" in err
    assert "more; the first 100 with --output json" in err


async def test_a_file_that_is_no_export_is_refused(
    ask: Asked, command: Command, tmp_path: Path
) -> None:
    """The line is named, not repeated."""
    trail, key = await exported(ask, tmp_path)
    trail.write_text("marker\n")
    code, err = checked(command, trail, key)
    assert (code, err.splitlines()[0]) == (
        1,
        "AUD-002 Audit export not readable: line 1 is not an audit record",
    )


async def test_the_service_checks_its_own_trail(ask: Asked) -> None:
    """Whole: 0; against a head that never was: 8."""
    await ask.world.put(holder())
    whole = await ask("audit", "verify", "-o", "json")
    assert whole.code == 0
    assert json.loads(whole.out)["whole"]
    forged = await ask("audit", "verify", "--partition", "0", "--count", "1", "--head", "e" * 64)
    assert forged.code == 8
    assert "BROKEN" in forged.out


async def test_every_check_is_counted(ask: Asked) -> None:
    """The metric of the chain's state follows the checks that an operator asked for."""
    await ask.world.put(holder())
    await ask("audit", "verify")
    await ask("audit", "verify", "--partition", "0", "--count", "99")
    assert ask.world.verified == [True, False]


async def test_one_partition(ask: Asked) -> None:
    """Only the wanted one is shown; one that is not there is a usage error."""
    await ask.world.put(holder())
    shown = json.loads((await ask("audit", "verify", "--partition", "1", "-o", "json")).out)
    assert [chain["partition"] for chain in shown["chains"]] == [1]
    missing = await ask("audit", "verify", "--partition", "99")
    assert (missing.code, "there is no partition 99" in missing.err) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--head", "e" * 64),
        ("--partition", "0", "--head", "short"),
        ("--file", __file__),
        ("--file", "missing"),
    ],
)
def test_incomplete_questions_are_usage(command: Command, arguments: tuple[str, ...]) -> None:
    """A head belongs to a partition; a file needs its key."""
    assert command("audit", "verify", *arguments).code == 2


async def test_an_export_for_spreadsheets(ask: Asked) -> None:
    """Formulas in reasons are defused."""
    await ask.world.put(holder())
    (row,) = csv.DictReader(io.StringIO((await ask("audit", "export", "-o", "csv")).out))
    assert (row["subject"], row["reason"]) == ("corp/user/12", "'=1+1")
    assert "test.put" in (await ask("audit", "export")).out
    none = await ask("audit", "export", "--partition", str(PARTITIONS + 5))
    assert none.code == 2


async def test_a_copy_in_pieces_is_checked_as_one(
    ask: Asked, command: Command, tmp_path: Path
) -> None:
    """Exports that follow one another are one trail; a later one alone lacks its beginning."""
    trail, key = await exported(ask, tmp_path)
    lines = trail.read_text().splitlines(keepends=True)
    early = [line for line in lines if json.loads(line)["sequence"] <= 4]
    late = [line for line in lines if json.loads(line)["sequence"] > 4]
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("".join(early))
    second.write_text("".join(late))
    pieces = ("audit", "verify", "--key-file", str(key), "--file", str(first), "--file")
    assert command(*pieces, str(second)).code == 0
    assert checked(command, second, key)[0] == 8


async def test_a_cut_compares_every_record(ask: Asked, tmp_path: Path) -> None:
    """Equal: an act with its reason; changed, doubled or missing: nothing is cut."""
    trail, _ = await exported(ask, tmp_path)
    whole = trail.read_text()
    lines = whole.splitlines(keepends=True)
    for wrong in (
        whole.replace("corp/user/11", "corp/user/99", 1),
        "".join(lines[:1] + lines),
        "".join(lines[:3] + lines[4:]),
        "".join(lines + lines[:1]),
        "".join([*lines[:-1], lines[-1].replace('"sequence":', '"sequence":1')]),
    ):
        trail.write_text(wrong)
        refused = await ask("audit", "cut", "--file", str(trail), "--reason", "kept elsewhere")
        assert (refused.code, refused.err[:7]) == (1, "AUD-003")
    assert await ask.world.events() == []
    trail.write_text(whole)
    done = await ask("audit", "cut", "--file", str(trail), "--reason", "kept elsewhere")
    assert done.code == 0
    bodies = [event.body for event in await ask.world.events()]
    assert {(body.kind, getattr(body, "reason", "")) for body in bodies} == {
        ("audit_cut", "kept elsewhere")
    }


async def test_an_older_copy_cuts_as_far_as_it_goes(ask: Asked, tmp_path: Path) -> None:
    """What came after the export stays; a dry run only says how far."""
    trail, _ = await exported(ask, tmp_path)
    await ask.world.put(*(holder(number) for number in range(40, 50)))
    shown = await ask("audit", "cut", "--file", str(trail), "--dry-run", "-o", "json")
    ends = json.loads(shown.out)["cut"]
    assert (shown.code, sum(end["count"] for end in ends)) == (0, 20)
    assert await ask.world.events() == []


async def test_a_cut_needs_a_reason(ask: Asked, tmp_path: Path) -> None:
    """As every act that cannot be undone."""
    trail, _ = await exported(ask, tmp_path)
    assert (await ask("audit", "cut", "--file", str(trail))).code == 2


def name_journal(settings: Path, ask: Asked) -> None:
    """Let settings name the journal of the service, and the key of its trail."""
    document = yaml.safe_load(settings.read_text())
    document["journal"] = {"path": str(ask.world.path), "partitions": PARTITIONS}
    (settings.parent / "secret").write_text(ask.world.key.reveal())
    settings.write_text(yaml.safe_dump(document))


async def test_a_trail_is_checked_and_exported_while_the_service_is_down(
    ask: Asked, command: Command, good: Path
) -> None:
    """By the settings alone; a journal that a service holds, or that is not there, is refused."""
    await ask.world.put(*(holder(number) for number in range(10, 30)))
    await asyncio.to_thread(name_journal, good, ask)
    online = (await ask("audit", "export", "-o", "json")).out
    offline = ("--offline", "--config", str(good))
    held = await asyncio.to_thread(command, "audit", "verify", *offline)
    assert (held.code, held.err[:7]) == (1, "JRN-004")
    await ask.world.journal.close()
    assert (await asyncio.to_thread(command, "audit", "verify", *offline)).code == 0
    exported = await asyncio.to_thread(command, "audit", "export", "-o", "json", *offline)
    assert exported.out == online
    ask.world.path.rename(ask.world.path.with_name("elsewhere"))
    missing = await asyncio.to_thread(command, "audit", "verify", *offline)
    assert (missing.code, "there is no journal" in missing.err) == (1, True)


async def test_a_scrape_says_how_far_every_chain_had_come(ask: Asked, tmp_path: Path) -> None:
    """What the metrics showed is compared with each chain; what is no scrape is refused."""
    await ask.world.put(*(holder(number) for number in range(10, 30)))
    scrape = tmp_path / "yesterday.prom"
    metrics = PrometheusMetrics(Names(partitions=PARTITIONS + 1), Build("1.0", "abc", "3.11"))
    for chain in (await shown(ask))["chains"]:
        record = PartitionRecord(
            partition=chain["partition"], audit_count=chain["count"], audit_head=chain["head"]
        )
        RoundPublisher(metrics, untold, untold).chain(record, NOW)
    text = generate_latest(metrics.registry).decode()
    await asyncio.to_thread(scrape.write_text, text)
    published = ("audit", "verify", "--published", str(scrape))
    await ask.world.put(*(holder(number) for number in range(40, 50)))
    assert (await ask(*published)).code == 0
    await ask.world.journal._opened().writer.run(
        lambda connection, _: connection.execute("DELETE FROM audit WHERE sequence > 2")
    )
    broken = await ask(*published)
    assert (broken.code, "records were published" in broken.err) == (8, True)
    assert "AUD-005 Audit trail shorter than published" in broken.err
    await asyncio.to_thread(scrape.write_text, "<html>")
    assert (await ask(*published)).code == 2


async def shown(ask: Asked) -> dict[str, Any]:
    """The trail as a check shows it."""
    report: dict[str, Any] = json.loads((await ask("audit", "verify", "-o", "json")).out)
    return report


@pytest.mark.parametrize("option", ["--after", "--partition"])
@pytest.mark.parametrize("where", [(), ("--offline",)])
async def test_a_number_that_no_journal_holds_is_refused(
    ask: Asked, option: str, where: tuple[str, ...]
) -> None:
    """As a usage error in one line, with the service and without."""
    result = await ask("audit", "export", option, str(2**63), *where, "-o", "json")
    assert (result.code, result.out, result.error) == (2, "", "EVT-007")


def test_a_scrape_with_impossible_numbers_is_refused(command: Command, tmp_path: Path) -> None:
    """As what is no scrape."""
    scrape = tmp_path / "scrape"
    for count in ("1e30", "+Inf"):
        scrape.write_text(f'pki_connector_audit_records{{partition="0"}} {count}\n')
        result = command("audit", "verify", "--published", str(scrape), "-o", "json")
        assert (result.code, result.error) == (2, "EVT-007")
        assert "not a scrape" in result.err
