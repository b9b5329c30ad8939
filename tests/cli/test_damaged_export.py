"""Exported trails that were changed, or written by a shell in another encoding."""

import asyncio
from pathlib import Path

import pytest

from tests.cli.calls import Asked, Command
from tests.operators.test_damaged_trail import EMPTY, JSON, MEMBERS, with_member
from tests.operators.world import holder

NUMBER = 3
"""Line of the export that is damaged."""


class Export:
    """A trail of ten records in a file, and its key in another."""

    def __init__(self, lines: list[bytes], folder: Path, key: str, command: Command) -> None:
        self.lines = lines
        self.trail = folder / "trail.ndjson"
        self._key = folder / "audit.key"
        self._key.write_text(key)
        self._command = command

    def verify(self, text: bytes) -> tuple[int, str]:
        """Exit code and standard error of the check of a file with this text."""
        self.trail.write_bytes(text)
        key = ("--key-file", str(self._key))
        result = self._command("audit", "verify", "--file", str(self.trail), *key)
        return result.code, result.err

    def with_line(self, line: bytes) -> bytes:
        """The export with one line replaced."""
        lines = list(self.lines)
        lines[NUMBER - 1] = line
        return b"".join(lines)


@pytest.fixture
async def export(ask: Asked, command: Command, tmp_path: Path) -> Export:
    await ask.world.put(*(holder(number) for number in range(10, 20)))
    text = (await ask("audit", "export", "-o", "json")).out
    lines = text.encode().splitlines(keepends=True)
    return await asyncio.to_thread(Export, lines, tmp_path, ask.world.key.reveal(), command)


def damaged_members(line: bytes) -> dict[str, bytes]:
    """The line with each member of its record damaged in each way."""
    found = {}
    for member in MEMBERS["audit"]:
        for name, inner in JSON.items():
            if name == "nothing" and member in EMPTY:
                continue
            found[f"{member} {name}"] = with_member(line, member, inner) + b"\n"
    return found


def test_every_damaged_member_is_a_finding(export: Export) -> None:
    """Exit code 8 for each, never a traceback, and the check goes on to the end."""
    for name, line in damaged_members(export.lines[NUMBER - 1]).items():
        code, err = export.verify(export.with_line(line))
        assert (code, err[:7], "Traceback" in err) == (8, "AUD-001", False), name


LINES = {
    "no JSON": b"marker\n",
    "empty": b"\n",
    "no text": b"\xff\xfe\xff\n",
    "a table": b"partition  sequence  at\n",
    "without an end": b"x" * (3 * 1024 * 1024) + b"\n",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_is_no_record_is_a_finding(export: Export, line: bytes) -> None:
    """It is named by its number; its words are not repeated."""
    code, err = export.verify(export.with_line(line))
    assert code == 8
    assert f"line {NUMBER} of the file cannot be read" in err
    assert "marker" not in err


def test_missing_lines_are_findings(export: Export) -> None:
    """In the middle; at the end only a published head tells."""
    assert export.verify(b"".join([*export.lines[:2], *export.lines[3:]]))[0] == 8


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_evidence_is_read_in_the_encoding_of_any_shell(
    export: Export, encoding: str, end: str
) -> None:
    """With a byte order mark, in UTF-16, with other ends of lines: it is the same trail."""
    text = b"".join(export.lines).decode().replace("\n", end)
    mark = "\ufeff" if encoding in {"utf-16-le", "utf-16-be"} else ""
    assert export.verify((mark + text).encode(encoding)) == (0, "")
