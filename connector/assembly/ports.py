"""The plug-ins of the service, opened, and opened anew when their credentials change.

Parent and hand-over processes construct them alike, from the plug-in's own settings; a hand-over
reads its credentials itself.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Generic, Protocol, Self, TypeVar

from connector.core.handover import PluginReference
from connector.core.ports import EscrowBackend, Target
from connector.handover.plugins import open_escrow, open_target
from connector.settings.model import Settings


class _Port(Protocol):
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...


P = TypeVar("P", bound=_Port)


class OpenPorts(Mapping[str, P], Generic[P]):
    """Plug-ins of one kind by the upstream's name; each is there while this is open.

    ``make`` constructs a plug-in, ``references`` says which.
    """

    def __init__(
        self, make: Callable[[PluginReference], P], references: Mapping[str, PluginReference]
    ) -> None:
        """Nothing is open yet."""
        self._make = make
        self._references = references
        self._open: dict[str, P] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Construct and open all."""
        for name in self._references:
            await self._enter(name)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all, the replaced ones too."""
        await self._stack.aclose()

    async def reopen(self) -> None:
        """Take new credentials up. What was opened before is closed at the end, calls run on."""
        for name in self._references:
            await self._enter(name)

    async def _enter(self, name: str) -> None:
        plugin = self._make(self._references[name])
        self._open[name] = await plugin.__aenter__()
        self._stack.push_async_exit(plugin.__aexit__)

    def __getitem__(self, name: str) -> P:
        """The open plug-in of an upstream."""
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        """The upstreams' names."""
        return iter(self._open)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)


def backends(settings: Settings) -> OpenPorts[EscrowBackend]:
    """The escrow backends of all CAs."""
    references = {name: ca.reference(name) for name, ca in settings.cas.items()}
    return OpenPorts(open_escrow, references)


def targets(settings: Settings) -> OpenPorts[Target]:
    """The targets of all UEMs."""
    references = {name: uem.reference(name) for name, uem in settings.uems.items()}
    return OpenPorts(open_target, references)


def references(settings: Settings) -> dict[str, PluginReference]:
    """How a hand-over process constructs the same plug-ins, by ``ca:NAME`` and ``uem:NAME``."""
    cas = {f"ca:{name}": ca.reference(name) for name, ca in settings.cas.items()}
    uems = {f"uem:{name}": uem.reference(name) for name, uem in settings.uems.items()}
    return cas | uems
