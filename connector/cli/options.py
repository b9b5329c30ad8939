"""What all commands that ask the service have in common: output, socket, and who asks."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Annotated, Any, NamedTuple, TypeVar

import typer

from connector.cli.output import Format, Screen
from connector.core.errors import Rejected
from connector.operators.client import AdminClient
from connector.operators.records import LONGEST_NAME, Operator
from connector.settings.load import admin_socket

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="PKI_CONNECTOR_CONFIG",
        readable=False,  # not asked here: the report on settings says it better
        help="The settings file (YAML).",
    ),
]
OutputOption = Annotated[
    Format, typer.Option("--output", "-o", help="Output format: table, json or csv.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no notes.")]
SocketOption = Annotated[
    Path | None,
    typer.Option(
        "--socket",
        envvar="PKI_CONNECTOR_SOCKET",
        readable=False,  # as above: whoever may not use it is told so, with a code
        help="The service's operator socket; default: the one in the settings.",
    ),
]
AsOption = Annotated[
    str,
    typer.Option("--as", help="Your name for the audit log, in addition to your verified user id."),
]


class World(NamedTuple):
    """What the process hands to the command line.

    Its environment, ids that come once, and a way to wait some seconds.
    """

    environment: Mapping[str, str]
    unique: Callable[[], str]
    wait: Callable[[float], object] = Event().wait


class Call(NamedTuple):
    """One call of a command: where it prints, what it asks, and in whose name."""

    world: World
    screen: Screen
    config: Path | None
    given_socket: Path | None
    name: str

    @property
    def socket(self) -> Path:
        """The service's socket, asked for only by commands that need it.

        Raises:
            SettingsRefused: when it is to be found in a settings' file that cannot be read.
        """
        return self.given_socket or admin_socket(self.config, self.world.environment)

    @property
    def operator(self) -> str:
        """Who works here, for the audit trail: his user id, and the name he gives himself."""
        return Operator(uid=os.getuid(), name=self.name).by

    def ask(self, question: Callable[[AdminClient], Awaitable[T]]) -> T:
        """The service's answer.

        Raises:
            ConnectorError: what the service raised; ``ADM-001`` when it does not answer.
        """

        async def asking() -> T:
            async with AdminClient(self.socket, self.name) as client:
                return await question(client)

        return asyncio.run(asking())


def _shared(
    ctx: typer.Context,
    output: OutputOption = Format.TABLE,
    quiet: QuietOption = False,
    config: ConfigOption = None,
    socket: SocketOption = None,
    as_name: AsOption = "",
) -> Call:
    if len(as_name) > LONGEST_NAME or not as_name.isprintable():
        what = f"--as is one printable line of at most {LONGEST_NAME} characters"
        raise Rejected("EVT-007", what)
    world: World = ctx.find_object(World) or World({}, str)
    screen = Screen(output, world.environment, quiet=quiet)
    return Call(world, screen, config, socket, as_name)


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the shared options; its first parameter becomes the :class:`Call`."""
    _, *own = inspect.signature(command, eval_str=True).parameters.values()
    shared = inspect.signature(_shared, eval_str=True).parameters

    def run(**given: Any) -> None:
        call = _shared(**{name: given.pop(name) for name in shared})
        command(call, **given)

    parameters = [*own, *shared.values()]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # read by inspect
        [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    )
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run
