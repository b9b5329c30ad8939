"""Where output goes: results to standard output in the wanted form, remarks to standard error."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TextIO

import orjson
from pydantic import BaseModel
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connector.cli.words import defused, shown

PIPE_WIDTH = 240
"""Columns where there is no terminal that has a width."""


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
        environment: ``NO_COLOR`` (no-color.org) switches colours off.
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
        """Take the streams as they are now."""
        self.form = form
        self.out = out or sys.stdout
        self._err = err or sys.stderr
        self._quiet = quiet
        plain = bool(environment.get("NO_COLOR"))
        terminal = self.out.isatty()
        self._console = Console(
            file=self.out,
            markup=False,
            highlight=False,
            emoji=False,
            no_color=plain,
            width=None if terminal else PIPE_WIDTH,
        )

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], title: str = ""
    ) -> None:
        """A table for people."""
        table = Table(box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        if title:
            table.title = Text(shown(title), style="bold")
        for column in columns:
            table.add_column(Text(shown(column)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(shown(cell)) for cell in row))
        self._console.print(table)

    def facts(self, rows: Iterable[tuple[str, object]], title: str) -> None:
        """Names and values about one thing, for people; empty ones are left out."""
        table = Table(box=None, show_header=False, title_justify="left", pad_edge=False)
        table.title = Text(shown(title), style="bold")
        table.add_column(style="dim")
        table.add_column(overflow="fold")
        for name, value in rows:
            if shown(value):
                table.add_row(Text(name), Text(shown(value)))
        self._console.print(table)

    def line(self, text: str, style: str = "") -> None:
        """One line for people."""
        self._console.print(Text(shown(text), style=style), soft_wrap=True)

    def json(self, value: BaseModel | Sequence[BaseModel] | Mapping[str, object]) -> None:
        """A record, a list of records, or a mapping, as one JSON document."""
        self.out.write(orjson.dumps(_plain(value), option=orjson.OPT_INDENT_2).decode() + "\n")

    def json_line(self, record: BaseModel) -> None:
        """One record as one line of JSON."""
        self.out.write(record.model_dump_json(by_alias=True) + "\n")

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
        """Something that must be told even when remarks are not wanted."""
        self._err.write(shown(text) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(inner) for inner in value]
    return value
