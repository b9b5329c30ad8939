"""The bundle for those who help from outside: what is in it, and above all what is not."""

import asyncio
import json
import stat
import tarfile
from pathlib import Path

from connector.core.conditions import Condition, Severity
from connector.observe.recent_lines import RecentLines
from connector.operators.server import AdminServer
from connector.operators.support import nameless
from connector.operators.verbs.support import ProcessView
from tests.cli.calls import Command
from tests.operators.world import AdminWorld, holder

MARKER = "marker-7731"


def contents(bundle: Path) -> dict[str, str]:
    with tarfile.open(bundle) as archive:
        files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name.split("/")[1]: file.read().decode() for name, file in files.items() if file}


def mark(settings: Path) -> None:
    settings.write_text(settings.read_text().replace("username: svc", f"username: {MARKER}"))
    (settings.parent / "secret").write_text(MARKER + "x" * 40)


async def test_the_bundle_of_a_running_service(
    command: Command, good: Path, tmp_path: Path
) -> None:
    """Counts and heads are there; names, mails, reasons, secrets and account names are not."""
    world = AdminWorld(tmp_path)
    await world.open()
    await world.put(holder(name=MARKER, mail=f"{MARKER}@example.com"))
    text = f"first corp/user/{MARKER}"
    world.conditions = [
        Condition(severity=Severity.WARNING, code="SRV-003", text=text, action=MARKER)
    ]
    line = {"event": "audit.recorded", "device": MARKER, "client": MARKER, "holder": "user:ab"}
    view = ProcessView(metrics="pki_connector_pauses 0.0\n", log=(json.dumps(line), MARKER))
    world.process = lambda: view
    bundle, socket = tmp_path / "bundle.tar.gz", tmp_path / "run" / "admin.sock"
    await asyncio.to_thread(mark, good)
    async with AdminServer(world.service().handlers(), socket):
        asked = (str(bundle), "--config", str(good), "--socket", str(socket))
        done = await asyncio.to_thread(command, "support-bundle", *asked)
        again = await asyncio.to_thread(command, "support-bundle", *asked)
    assert done.code == 0, done.err
    assert (again.code, again.err[:7]) == (2, "EVT-007")
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    inside = contents(bundle)
    assert not [name for name, what in inside.items() if MARKER in what]
    status = json.loads(inside["status.json"])
    assert status["conditions"][0]["code"] == "SRV-003"
    assert sum(one["count"] for one in status["counts"] if one["kind"] == "holder") == 1
    assert any(len(one["audit_head"]) == 64 for one in status["partitions"])
    assert "pki_connector_pauses" in inside["metrics.prom"]
    assert json.loads(inside["log.ndjson"]) == {"event": "audit.recorded", "holder": "user:ab"}
    settings = json.loads(inside["settings.json"])["settings"]
    assert [one["value"] for one in settings if one["setting"] == "uems.corp.username"] == ["•••"]
    assert json.loads(inside["missing.json"]) == {}


def test_without_a_service_it_says_what_is_missing(
    command: Command, good: Path, tmp_path: Path
) -> None:
    """Versions and settings are there all the same, also of settings that are refused."""
    good.write_text(good.read_text() + f"\nbogus: {MARKER}\n")
    bundle = tmp_path / "bundle.tar.gz"
    done = command("support-bundle", str(bundle), "--config", str(good))
    assert done.code == 7
    assert "missing: metrics.prom (ADM-001 Service not reachable)" in done.err
    inside = contents(bundle)
    assert set(inside) == {"versions.json", "settings.json", "missing.json"}
    assert json.loads(inside["settings.json"])["problems"]
    assert MARKER not in "".join(inside.values())
    folder = command("support-bundle", str(tmp_path / "none" / "b"), "--config", str(good))
    assert (folder.code, folder.err[:7]) == (8, "CFG-007")


def test_only_the_last_lines_are_kept() -> None:
    """A limited number, with any amount of logging; each still goes where it went before."""
    passed: list[str] = []

    class Next:
        def write(self, text: str, /) -> int:
            passed.append(text)
            return len(text)

        def flush(self) -> None:
            passed.append("")

    recent = RecentLines(2)
    stream = recent.before(Next())
    for number in range(4):
        stream.write(f'{{"n":{number}}}\n')
    stream.flush()
    assert list(nameless(recent.lines())) == ['{"n":2}', '{"n":3}']
    assert len(passed) == 5
