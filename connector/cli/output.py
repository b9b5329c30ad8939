"""Where output goes: results to standard output in the wanted form, remarks to standard error."""

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TextIO

import orjson
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from connector.cli.formatting import defused, shown

PIPE_WIDTH = 10_000
"""Columns where there is no terminal that has a width: no cell is folded, so that `grep` finds."""
NOTHING = "nothing"
_ASCII_ONLY = re.compile(r"[^\x00-\x7f]")


class Format(StrEnum):
    """Forms of output."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Screen:
    """Prints tables for people, JSON and CSV for machines. Data is never taken for markup.

    Args:
        form: the wanted form.
        quiet: no remarks.
        environment: ``NO_COLOR`` (no-color.org) switches colours off; ``COLUMNS`` sets the width.
        out: for results.
        err: for remarks.
    """

    def __init__(
        self,
        form: Format,
        environment: Mapping[str, str],
        *,
        quiet: bool = False,
        out: TextIO | None = None,
        err: TextIO | None = None,
    ) -> None:
        self.form = form
        self.out = out or sys.stdout
        self._err = err or sys.stderr
        self._quiet = quiet
        plain = bool(environment.get("NO_COLOR"))
        self._begun = False
        self._console = Console(
            file=self.out,
            markup=False,
            highlight=False,
            emoji=False,
            no_color=plain,
            width=_width(environment, terminal=self.out.isatty()),
        )

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str = "",
        *,
        expendable: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """A table for people.

        On a terminal too narrow for it, without ``expendable`` columns, the first of them first;
        if that does not help, one row below the other.

        Returns:
            The columns left out.
        """
        self._title(title)
        listed = [[shown(cell) for cell in row] for row in rows]
        if not listed:
            self.line(NOTHING, "dim")
            return ()
        for count in range(len(expendable) + 1):
            left_out = expendable[:count]
            kept = [place for place, name in enumerate(columns) if name not in left_out]
            table = _table([columns[n] for n in kept], [[row[n] for n in kept] for row in listed])
            if not self._too_wide(table):
                self._console.print(table)
                return tuple(left_out)
        for row in listed:
            self.facts(zip(columns, row, strict=True))
        return ()

    def wide_table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table whose lines may be longer than the terminal is wide."""
        table = _table(columns, [[shown(cell) for cell in row] for row in rows])
        narrow, self._console.width = self._console.width, PIPE_WIDTH
        self._console.print(table)
        self._console.width = narrow

    def clear(self) -> None:
        """Begin at the top of a terminal again; in a pipe, go on below."""
        self._console.clear()
        self._begun = False

    def _too_wide(self, table: Table) -> bool:
        endless = self._console.options.update(max_width=PIPE_WIDTH)
        return Measurement.get(self._console, endless, table).maximum > self._console.width

    def facts(self, rows: Iterable[tuple[str, object]], title: str = "") -> None:
        """Names and values about one thing, for people; empty ones are left out."""
        self._title(title)
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in rows:
            if shown(value):
                table.add_row(Text(name), Text(shown(value)))
        self._console.print(table)

    def _title(self, title: str) -> None:
        """A title stands apart from what was printed before."""
        if self._begun:
            self._console.print()
        self._begun = True
        if title:
            self.line(title, "bold")

    def line(self, text: str, style: str = "") -> None:
        """One line for people."""
        self._console.print(Text(shown(text), style=style), soft_wrap=True)

    def json(self, value: BaseModel | Sequence[BaseModel] | Mapping[str, object]) -> None:
        """A record, a list of records, or a mapping, as one JSON document."""
        self._write_json(orjson.dumps(_plain(value), option=orjson.OPT_INDENT_2).decode())

    def json_line(self, record: BaseModel) -> None:
        """One record as one line of JSON."""
        self._write_json(record.model_dump_json(by_alias=True))

    def _write_json(self, text: str) -> None:
        """In an encoding that lacks a character, as the escape sequence of RFC 8259 section 7."""
        try:
            text.encode(self.out.encoding or "utf-8")
        except UnicodeEncodeError:
            text = _ASCII_ONLY.sub(_escaped, text)
        self.out.write(text + "\n")

    def csv(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows for spreadsheets, with formulas defused (RFC 4180)."""
        writer = csv.writer(self.out)
        writer.writerow(columns)
        writer.writerows([[defused(cell) for cell in row] for row in rows])

    def remark(self, text: str) -> None:
        """Something to know besides the result."""
        if not self._quiet:
            self.fault(text)

    def fault(self, text: str) -> None:
        """A note that is printed with ``--quiet`` too."""
        self._err.write(shown(text) + "\n")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(Text(shown(column)), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _width(environment: Mapping[str, str], *, terminal: bool) -> int | None:
    """Columns to print in; None: as many as the terminal has."""
    wanted = environment.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    return None if terminal else PIPE_WIDTH


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
