"""``support-bundle``: one file for those who help from outside, without names and secrets."""

import io
import os
import platform
import tarfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from sqlite3 import sqlite_version
from typing import Annotated, Any

import orjson
import typer

from connector.catalogue import catalogue
from connector.cli.exits import Exit
from connector.cli.options import Call, asking
from connector.cli.output import Format
from connector.core.errors import ConnectorError, Permanent, Rejected
from connector.core.model import SECOND
from connector.operators.verbs.support import SUPPORT, Support
from connector.operators.verbs.verb import Nothing
from connector.settings.effective import MASK, effective
from connector.settings.load import check
from connector.settings.plugins import installed
from connector.wiring.clock import MachineClock

FOLDER = "pki-connector-support"
ACCOUNTS = frozenset({"user", "username", "user_name"})
"""Settings with the name of an account, which may be a person's."""
OF_SERVICE = ("status.json", "metrics.prom", "log.ndjson")


@asking(SUPPORT)
def support_bundle(
    call: Call,
    file: Annotated[Path, typer.Argument(help="New file (tar.gz) for the bundle.")],
) -> None:
    """Write versions, masked settings, metrics, counts, last log lines and audit heads to a file.

    It names no person and no device and holds no secret. What a service that does not run cannot
    tell is left out and listed (exit code 7).
    """
    members = {"versions.json": _json(_versions()), "settings.json": _json(_settings(call))}
    missing: dict[str, str] = {}
    try:
        members |= _of_service(call.ask(SUPPORT, Nothing()))
    except ConnectorError as error:
        entry = catalogue().get(error.code)
        missing = dict.fromkeys(OF_SERVICE, f"{error.code} {entry.title if entry else ''}".strip())
    members["missing.json"] = _json(missing)
    _write(file, members)
    _show(call, file, sorted(members), missing)
    if missing:
        raise typer.Exit(Exit.PARTLY)


def _versions() -> dict[str, Any]:
    plugins = installed()
    return {
        "pki-connector": version("pki-connector"),
        "python": platform.python_version(),
        "sqlite": sqlite_version,
        "kernel": platform.release(),
        "machine": platform.machine(),
        "escrow": sorted(plugins.escrow),
        "targets": sorted(plugins.targets),
        "sources": sorted(plugins.sources),
        "broken": sorted(plugins.broken),
    }


def _settings(call: Call) -> dict[str, Any]:
    """The effective settings, or what is wrong with them; never the value of a secret."""
    checked = check(call.config, call.world.environment, installed())
    values = [
        one.model_copy(update={"value": MASK}) if _names_account(one.setting) else one
        for one in effective(checked)
    ]
    return {
        "problems": [one.model_dump() for one in checked.problems],
        "warnings": [one.model_dump() for one in checked.warnings],
        "settings": [one.model_dump() for one in values],
    }


def _names_account(setting: str) -> bool:
    return setting.rpartition(".")[2] in ACCOUNTS


def _of_service(told: Support) -> dict[str, bytes]:
    log = "".join(f"{line}\n" for line in told.process.log)
    status = told.model_dump(mode="json", exclude={"process"})
    contents = (_json(status), told.process.metrics.encode(), log.encode())
    return dict(zip(OF_SERVICE, contents, strict=True))


def _json(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


def _write(file: Path, members: Mapping[str, bytes]) -> None:
    """A new file that only its owner may read.

    Raises:
        Rejected: ``EVT-007`` when there is a file already.
        Permanent: ``CFG-007`` when it cannot be written.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with (
            os.fdopen(descriptor, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w:gz") as archive,
        ):
            for name, data in sorted(members.items()):
                entry = tarfile.TarInfo(f"{FOLDER}/{name}")
                entry.size, entry.mode = len(data), 0o600
                entry.mtime = MachineClock().now() // SECOND
                archive.addfile(entry, io.BytesIO(data))
    except FileExistsError:
        raise Rejected("EVT-007", f"{file} is there already") from None
    except OSError as error:
        raise Permanent("CFG-007", f"writing {file}: {error.strerror}") from error


def _show(call: Call, file: Path, members: list[str], missing: Mapping[str, str]) -> None:
    if call.screen.form is Format.JSON:
        call.screen.json({"bundle": str(file), "members": members, "missing": missing})
        return
    call.screen.line(f"{file} holds {', '.join(members)}.")
    for name, why in missing.items():
        call.screen.fault(f"missing: {name} ({why})")
