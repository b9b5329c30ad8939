"""Exported audit trails: written to files, read from them, checked without the service."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from connector.admin.audit_records import AuditReport, Published
from connector.admin.auditing import ChainCheck, trail_of
from connector.core.audit import CUT, GENESIS, AuditRecord, says_cut
from connector.core.errors import Permanent, Rejected
from connector.core.journal import Journal
from connector.settings.secrets import read_secret

Start = tuple[int, str]


async def export(journal: Journal, file: Path) -> str:
    """Write the whole trail of a journal into a file, durably; its SHA-256.

    Raises:
        Permanent: ``CFG-003`` when the file cannot be written.
        Rejected: ``AUD-003`` when there is a file that holds anything else.
    """
    partial = file.with_name(f"{file.name}.partial")
    digest = hashlib.sha256()
    try:
        with _private(partial) as out:
            async for record in trail_of(journal, None, 0):
                line = record.model_dump_json().encode() + b"\n"
                digest.update(line)
                out.write(line)
            out.flush()
            os.fsync(out.fileno())
        _keep(partial, file, digest.hexdigest())
    except OSError as error:
        raise Permanent("CFG-003", f"writing {file}: {error.strerror}") from error
    return digest.hexdigest()


def _private(file: Path) -> BinaryIO:
    """A file made anew that nobody else may read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _keep(partial: Path, file: Path, digest: str) -> None:
    """Give the file its name, and make that durable."""
    if file.exists():
        with file.open("rb") as there:
            known = hashlib.file_digest(there, "sha256").hexdigest()
        partial.unlink()
        if known != digest:
            raise Rejected("AUD-003", f"{file} holds another trail")
        return
    partial.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def check_files(
    files: Sequence[Path], key_file: Path, published: Iterable[Published]
) -> AuditReport:
    """Check a trail that lies in one file, or in several that follow one another.

    Raises:
        Permanent: ``CFG-003`` when a file cannot be read.
        Rejected: ``AUD-002`` when a line is no audit record.
    """
    key, known = read_secret(key_file), list(published)
    starts = _starts(records(files))
    checks: dict[int, ChainCheck] = {
        one.partition: ChainCheck(key, one.partition, [one]) for one in known
    }
    for number, start in starts.items():
        marks = [one for one in known if one.partition == number]
        checks[number] = ChainCheck(key, number, marks, start)
    for record in records(files):
        checks[record.partition].take(record)
    return AuditReport(chains=tuple(checks[number].report() for number in sorted(checks)))


def records(files: Iterable[Path]) -> Iterator[AuditRecord]:
    """The records of exports, one after another, as they stand there."""
    for file in files:
        try:
            with file.open("rb") as lines:
                for number, line in enumerate(lines, start=1):
                    yield _record(line, number)
        except OSError as error:
            raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from error


def _record(line: bytes, number: int) -> AuditRecord:
    try:
        return AuditRecord.model_validate_json(line)
    except ValidationError:
        raise Rejected("AUD-002", f"line {number} is no audit record") from None


def _starts(found: Iterable[AuditRecord]) -> dict[int, Start]:
    """Where each chain begins: at its first record, or behind a cut of which a record tells."""
    firsts: dict[int, int] = {}
    cuts: dict[int, list[Start]] = defaultdict(list)
    for record in found:
        firsts.setdefault(record.partition, record.sequence)
        if record.entry.action == CUT:
            cuts[record.partition] += _told(record)
    return {
        number: next((cut for cut in cuts[number] if cut[0] == first - 1), (0, GENESIS))
        for number, first in firsts.items()
    }


def _told(record: AuditRecord) -> list[Start]:
    through, head = record.entry.details.get("through"), record.entry.details.get("head")
    if not isinstance(through, int) or not isinstance(head, str):
        return []
    return [(through, head)] if says_cut(record.entry, (through, head)) else []
