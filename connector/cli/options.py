"""What all commands that ask the service have in common: output, socket, and who asks."""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Annotated, Any, NamedTuple, TypeVar

import typer
from pydantic import BaseModel

from connector.cli.output import Format, Screen
from connector.core.errors import Rejected
from connector.operators.client import AdminClient
from connector.operators.verbs.table import AnyVerb
from connector.operators.verbs.verb import LONGEST_NAME, Operator, Verb
from connector.settings.load import admin_socket

T = TypeVar("T")
Q = TypeVar("Q", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)

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
        readable=False,  # as above: a refusal has its own error code
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
    """One call of a command: where it prints, what it may ask, and in whose name."""

    world: World
    screen: Screen
    config: Path | None
    given_socket: Path | None
    name: str
    verbs: Sequence[AnyVerb] = ()

    @property
    def socket(self) -> Path:
        """The service's socket, asked for only by commands that need it.

        Raises:
            SettingsRefused: when it is to be found in a settings' file that cannot be read.
        """
        return self.given_socket or admin_socket(self.config, self.world.environment)

    @property
    def operator(self) -> str:
        """The operator, for the audit trail: the verified user id, and the name from ``--as``."""
        return Operator(uid=os.getuid(), name=self.name).by

    def client(self) -> AdminClient:
        """A client for the verbs of the command, not yet connected."""
        return AdminClient(self.socket, self.name, self.verbs)

    def ask(self, verb: Verb[Q, A], question: Q, key: str = "") -> A:
        """The service's answer to one question; raises as :meth:`talk`."""

        async def asking(client: AdminClient) -> A:
            return await client.ask(verb, question, key)

        return self.talk(asking)

    def talk(self, conversation: Callable[[AdminClient], Awaitable[T]]) -> T:
        """What several questions to the service lead to.

        Raises:
            ConnectorError: what the service raised; ``ADM-001`` when it does not answer.
        """

        async def talking() -> T:
            async with self.client() as client:
                return await conversation(client)

        return asyncio.run(talking())


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


def asking(*verbs: AnyVerb) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command that asks these verbs of the service, and no others.

    It gets the shared options: its first parameter becomes the :class:`Call`. A parameter whose
    type is a named tuple stands for its members, each an option of the command.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        _, *own = inspect.signature(command, eval_str=True).parameters.values()
        groups = {one.name: _members(one.annotation) for one in own if _is_group(one.annotation)}
        kinds = {one.name: one.annotation for one in own}
        shared = _members(_shared)

        def run(**given: Any) -> None:
            call = _shared(**{name: given.pop(name) for name in shared})._replace(verbs=verbs)
            for group, members in groups.items():
                given[group] = kinds[group](**{name: given.pop(name) for name in members})
            command(call, **given)

        named = [groups[one.name].values() if one.name in groups else [one] for one in own]
        parameters = [*chain.from_iterable(named), *shared.values()]
        run.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # read by inspect
            [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
        )
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.verbs = verbs  # type: ignore[attr-defined] # for the test of the table
        return run

    return decorate


def _members(kind: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(kind, eval_str=True).parameters


def _is_group(annotation: object) -> bool:
    return isinstance(annotation, type) and hasattr(annotation, "_fields")
