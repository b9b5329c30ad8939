"""Exported audit trails: read from files and checked, with the key and without the service."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from connector.admin.auditing import ChainCheck
from connector.admin.records import AuditReport, Published
from connector.core.audit import CUT, GENESIS, AuditRecord, says_cut
from connector.core.errors import Permanent, Rejected
from connector.settings.secrets import read_secret

Start = tuple[int, str]


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
