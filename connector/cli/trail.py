"""Exported audit trails: written to files, read from them, checked without the service."""

import hashlib
import os
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from connector.core.audit import (
    GENESIS,
    LARGEST,
    AuditRecord,
    AuditRow,
    read_record,
    says_cut,
)
from connector.core.errors import Permanent, Rejected
from connector.core.journal import Journal
from connector.mounted import read_secret
from connector.operators.auditing import trail_of
from connector.operators.chain_check import ChainCheck
from connector.operators.verbs.audit import AuditReport, Published

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
    """A new file that only this user may read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _keep(partial: Path, file: Path, digest: str) -> None:
    """Give the file its name, and make that durable."""
    if file.exists():
        with file.open("rb") as there:
            known = hashlib.file_digest(there, "sha256").hexdigest()
        partial.unlink()
        if known != digest:
            raise Rejected("AUD-003", f"{file} holds another audit log")
        return
    partial.rename(file)
    folder = os.open(file.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def check_files(
    files: Sequence[Path],
    key_file: Path,
    published: Iterable[Published],
    old_key_files: Iterable[Path] = (),
) -> AuditReport:
    """Check a trail that lies in one file, or in several that follow one another.

    A line that cannot be read is a finding in the chain that it stands in.

    Raises:
        Permanent: ``CFG-003`` when a file cannot be read.
        Rejected: ``AUD-002`` when a file holds no audit record at all.
    """
    key, known = read_secret(key_file), list(published)
    old = [read_secret(file) for file in old_key_files]
    starts = _starts(rows(files))
    checks: dict[int, ChainCheck] = {
        one.partition: ChainCheck(key, one.partition, [one], old=old, exported=True)
        for one in known
    }
    for number, start in starts.items():
        marks = [one for one in known if one.partition == number]
        checks[number] = ChainCheck(key, number, marks, start, old, exported=True)
    current = next(iter(starts))
    for line, record in rows(files):
        if record is None:
            checks[current].find(0, f"line {line} of the file cannot be read")
        else:
            current = record.partition
            checks[current].take(AuditRow(record.sequence, record))
    return AuditReport(chains=tuple(checks[number].report() for number in sorted(checks)))


def records(files: Iterable[Path]) -> Iterator[AuditRecord]:
    """The records of exports, one after another, as they stand there.

    Raises:
        Permanent: ``CFG-003`` when a file cannot be read.
        Rejected: ``AUD-002`` when a line is not an audit record.
    """
    for line, record in rows(files):
        if record is None:
            raise _no_record(line)
        yield record


def rows(files: Iterable[Path]) -> Iterator[tuple[int, AuditRecord | None]]:
    """The lines of exports by number, with the record of each; None for a line that is none."""
    for file in files:
        try:
            with _text(file) as text:
                number = 1
                for piece in iter(lambda: text.readline(LARGEST), ""):
                    yield number, read_record(piece.encode(errors="replace"))
                    number += piece.endswith("\n")
        except OSError as error:
            raise Permanent("CFG-003", f"reading {file}: {error.strerror}") from error


def _text(file: Path) -> TextIO:
    """The text of an export in UTF-8, or in UTF-16 as some shells write it; both with a mark."""
    with file.open("rb") as beginning:
        mark = beginning.read(2)
    encoding = "utf-16" if mark in {BOM_UTF16_LE, BOM_UTF16_BE} else "utf-8-sig"
    return file.open(encoding=encoding, errors="replace", newline="\n")


def _no_record(line: int) -> Rejected:
    return Rejected("AUD-002", f"line {line} is not an audit record")


def _starts(found: Iterable[tuple[int, AuditRecord | None]]) -> dict[int, Start]:
    """Where each chain begins: at its first record, or behind a cut of which a record tells.

    Raises:
        Rejected: ``AUD-002`` when there is no record.
    """
    firsts: dict[int, int] = {}
    starts: dict[int, Start] = {}
    for _, record in found:
        if record is None:
            continue
        number = record.partition
        before = firsts.setdefault(number, record.sequence) - 1
        starts.setdefault(number, (0, GENESIS))
        if starts[number][0] == 0 and (told := _told(record)) and told[0] == before:
            starts[number] = told
    if not starts:
        raise _no_record(1)
    return starts


def _told(record: AuditRecord) -> Start | None:
    through, head = record.entry.details.get("through"), record.entry.details.get("head")
    if not isinstance(through, int) or not isinstance(head, str):
        return None
    return (through, head) if says_cut(record.entry, (through, head)) else None
