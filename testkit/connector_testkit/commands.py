"""The commands of the test kit: ``demo``, and ``simulate`` with a CA and a UEM.

They load what they run only when called, so that every other command stays quick.
"""

import asyncio
from collections.abc import Coroutine, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml
from pydantic import BaseModel, ValidationError
from rich.console import Console

from connector.cli.exits import Exit
from connector.core.values import parse_duration

M = TypeVar("M", bound=BaseModel)

Directory = Annotated[
    Path, typer.Option("--directory", help="Directory to write the clients' TLS files to.")
]
Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Port of the API; 0: any free port.")
]
ControlPort = Annotated[
    int, typer.Option("--control-port", min=0, max=65535, help="Port of /_sim/; 0: any free port.")
]
Switches = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other option of docs/simulators.md; may be repeated.",
    ),
]


class Kind(StrEnum):
    """The journal of the demo."""

    SQLITE = "sqlite"
    KAFKA = "kafka"


def demo(
    journal: Annotated[
        Kind,
        typer.Option(
            help="kafka: three connectors and a real broker, which needs Java 17 and Maven."
        ),
    ] = Kind.SQLITE,
) -> None:
    """Watch old mail become readable on a new phone, with real processes on loopback ports."""
    from connector_testkit.demo import Cluster, Stage, run  # noqa: PLC0415 - loads simulators

    kind = Cluster if journal is Kind.KAFKA else Stage
    raise typer.Exit(asyncio.run(run(Console(), kind)))


simulate = typer.Typer(no_args_is_help=True, help="Run a simulated CA or UEM.")


@simulate.command("ca")
def simulate_ca(
    directory: Directory,
    port: Port = 0,
    control_port: ControlPort = 0,
    approval: Annotated[
        bool, typer.Option("--approval", help="Recovery requests require an approval.")
    ] = False,
    switches: Switches = None,
) -> None:
    """Run a certificate authority with key escrow; prints one line of JSON when it is ready."""
    from connector_testkit.simulators.ca import CaOptions, run  # noqa: PLC0415 - loads cryptography

    given = {
        "directory": directory,
        "listen_port": port,
        "control_port": control_port,
        "approval": approval,
    }
    _until_stopped(run(_options(CaOptions, given, switches or ())))


@simulate.command("uem")
def simulate_uem(
    directory: Directory,
    password_file: Annotated[
        Path, typer.Option("--password-file", exists=True, help="Password of the API account.")
    ],
    tenant_code_file: Annotated[
        Path, typer.Option("--tenant-code-file", exists=True, help="The API's tenant code.")
    ],
    port: Port = 0,
    control_port: ControlPort = 0,
    retention: Annotated[
        str, typer.Option("--retention", help="Retention of uploaded sets.")
    ] = "1h",
    install_delay: Annotated[
        str, typer.Option("--install-delay", help="Time from the push to the installed profile.")
    ] = "500ms",
    switches: Switches = None,
) -> None:
    """Run a device management service; prints one line of JSON when it is ready."""
    from connector_testkit.simulators.uem import UemOptions, run  # noqa: PLC0415 - loads cryptography

    given = {
        "directory": directory,
        "password_file": password_file,
        "tenant_code_file": tenant_code_file,
        "port": port,
        "control_port": control_port,
        "retention": _value(retention),
        "install_delay": _value(install_delay),
    }
    _until_stopped(run(_options(UemOptions, given, switches or ())))


@simulate.command("secrets")
def simulate_secrets(
    directory: Annotated[
        Path, typer.Option("--directory", help="Directory to write the files to.")
    ],
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--host", help="Address of the connector, for its certificate; may be repeated."
        ),
    ] = None,
) -> None:
    """Write throw-away secrets and a server certificate for a connector and its simulators."""
    from connector_testkit.simulators.secrets import write_secrets  # noqa: PLC0415 - as above

    try:
        write_secrets(directory, tuple(hosts or ("127.0.0.1", "localhost")))
    except OSError as error:
        _fail(error)


def _until_stopped(simulator: Coroutine[Any, Any, None]) -> None:
    """Run it; an address or folder that cannot be used is reported in one line."""
    try:
        asyncio.run(simulator)
    except OSError as error:
        _fail(error)


def _fail(error: OSError) -> None:
    typer.echo(f"pki-connector simulate: {error.strerror or error}", err=True)
    raise typer.Exit(Exit.FAILED) from None


def _options(model: type[M], given: dict[str, Any], switches: Iterable[str]) -> M:
    """The simulator's options: those given by name, and ``NAME=VALUE`` with dots for levels."""
    for switch in switches:
        name, equals, text = switch.partition("=")
        if not equals:
            raise typer.BadParameter("--set takes NAME=VALUE")
        *levels, last = name.split(".")
        branch = given
        for level in levels:
            branch = branch.setdefault(level, {})
        branch[last] = _value(text)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_context=False, include_url=False)
        text = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults)
        raise typer.BadParameter(text) from None


def _value(text: str) -> object:
    """A duration, or a YAML scalar."""
    try:
        return parse_duration(text)
    except ValueError:
        return yaml.safe_load(text)
