"""``config``: an example to begin with, a check, the schema; and ``version``."""

import asyncio
import platform
from importlib.metadata import version as distribution_version
from typing import Annotated, Literal

import typer

from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.settings.effective import effective
from connector.settings.example import example as example_text
from connector.settings.load import check as check_settings
from connector.settings.model import Settings
from connector.settings.plugins import installed
from connector.settings.report import Answer, Problem
from connector.settings.schema import configuration_schema

config = typer.Typer(no_args_is_help=True, help="Print and check the settings.")


@config.command("example")
def example(
    journal: Annotated[
        Literal["sqlite", "kafka"], typer.Option(help="Kind of journal.")
    ] = "sqlite",
) -> None:
    """Print a commented example file; required settings without a default are left empty."""
    typer.echo(example_text(installed(), journal), nl=False)


@config.command("schema")
@asking()
def schema(call: Call) -> None:
    """Print the JSON Schema (2020-12) of the settings' file."""
    call.screen.json(configuration_schema(installed()))


@config.command("check")
@asking()
def check(
    call: Call,
    connect: Annotated[
        bool,
        typer.Option(
            "--connect",
            help="Also connect to each upstream with the configured credentials.",
        ),
    ] = False,
) -> None:
    """Print all effective values with their sources, or all faults (exit code 8)."""
    checked = check_settings(call.config, call.world.environment, installed())
    settings = effective(checked)
    rows = [(one.setting, one.value, one.source) for one in settings]
    answers = _connected(checked.settings) if connect and checked.settings is not None else ()
    if call.screen.form is Format.JSON:
        told = {"problems": checked.problems, "warnings": checked.warnings, "settings": settings}
        call.screen.json(told | ({"upstreams": answers} if connect else {}))
    elif rows:
        show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
        show(("setting", "value", "source"), rows)
    for warning in checked.warnings:
        call.screen.fault(f"warning: {warning}")
    if checked.problems:
        report(call, checked.problems)
        raise typer.Exit(Exit.PROBLEMS)
    call.screen.remark(f"The settings are valid; {len(checked.warnings)} warning(s).")
    if not _all_answer(call, answers):
        raise typer.Exit(Exit.PROBLEMS)


def _connected(settings: Settings) -> tuple[Answer, ...]:
    from connector.wiring.connecting import connect  # noqa: PLC0415 - only this loads plug-ins

    return asyncio.run(connect(settings))


def _all_answer(call: Call, answers: tuple[Answer, ...]) -> bool:
    """Tell how each upstream answered, to standard error, and whether all did as they should."""
    for one in answers:
        if one.code is None:
            call.screen.remark(f"{one.upstream}: answers")
        else:
            call.screen.fault(f"{one.upstream}: {one.detail} [{one.code}]")
            call.screen.fault(f"    {one.action}")
    return all(one.code is None for one in answers)


def report(call: Call, problems: tuple[Problem, ...]) -> None:
    """Tell every fault of the settings, each in a paragraph of its own, to standard error."""
    for problem in problems:
        call.screen.fault(f"{problem.place}: {problem.setting} {problem.wrong} [{problem.code}]")
        call.screen.fault(f"    {problem.action}")
    call.screen.fault(f"{len(problems)} problem(s) in the settings.")


@asking()
def version(call: Call) -> None:
    """Print the versions of the program and of Python, and the plug-ins that are installed."""
    plugins = installed()
    facts = {
        "version": distribution_version("pki-connector"),
        "python": platform.python_version(),
        "escrow": sorted(plugins.escrow),
        "targets": sorted(plugins.targets),
        "sources": sorted(plugins.sources),
        "broken": sorted(plugins.broken),
    }
    if call.screen.form is Format.JSON:
        call.screen.json(facts)
    else:
        show = call.screen.csv if call.screen.form is Format.CSV else call.screen.table
        show(
            ("what", "which"),
            [
                (name, ", ".join(which) or "none" if isinstance(which, list) else which)
                for name, which in facts.items()
            ],
        )
