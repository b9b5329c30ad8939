"""The plug-ins of the service, opened, and opened again when their credentials change.

Parent and hand-over processes construct them alike, from the plug-in's own settings; a hand-over
reads its credentials itself, and is not begun while they are refused here.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

from connector.core.errors import ConnectorError, Permanent
from connector.core.handover import PluginReference
from connector.core.model import millis_of
from connector.core.ports import Clock, EscrowBackend, RequestPermits, Target
from connector.keys.handover.plugins import open_escrow, open_target
from connector.settings.model import Settings
from connector.settings.reload import mounted_files
from connector.tls_files import first_certificate


class _Port(Protocol):
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...


P = TypeVar("P", bound=_Port)
LONGEST_CALL = 3600.0
"""Seconds after which a replaced plug-in is no longer in use."""


class Reopened(NamedTuple):
    """Which upstreams were opened again, and which could not be."""

    opened: list[str]
    refused: dict[str, ConnectorError]


class OpenPorts(Mapping[str, P], Generic[P]):
    """Plug-ins of one kind by the upstream's name; each is there while this is open.

    ``make`` constructs a plug-in, ``references`` says which; ``clock`` shows whether a client
    certificate has expired.
    """

    def __init__(
        self,
        make: Callable[[PluginReference], P],
        references: Mapping[str, PluginReference],
        clock: Clock,
    ) -> None:
        self._make = make
        self._references = references
        self._clock = clock
        self._open: dict[str, P] = {}
        self._replaced: deque[tuple[float, P]] = deque()
        self._refused: dict[str, ConnectorError] = {}

    async def __aenter__(self) -> Self:
        """Construct and open all."""
        async with AsyncExitStack() as undo:
            undo.push_async_exit(self.__aexit__)
            for name in self._references:
                await self._enter(name)
            undo.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close all, the replaced ones too."""
        async with AsyncExitStack() as stack:
            for plugin in (*self._open.values(), *(plugin for _, plugin in self._replaced)):
                stack.push_async_exit(plugin.__aexit__)
            self._open.clear()
            self._replaced.clear()

    async def reopen(self, changed: frozenset[Path]) -> Reopened:
        """Take changed files up. What was opened before is closed much later: calls run on.

        Opened again are those whose settings name one of the files, and those that could not be
        before; one that cannot be stays as it was and keeps no other waiting. A client certificate
        past its end is refused here (CRT-001), where there is one that may serve longer.
        """
        while self._replaced and self._replaced[0][0] + LONGEST_CALL < self._clock.monotonic():
            _, plugin = self._replaced.popleft()
            await plugin.__aexit__(None, None, None)
        due = self._refused.keys() | {
            name
            for name, reference in self._references.items()
            if not changed.isdisjoint(mounted_files(reference.settings))
        }
        refused: dict[str, ConnectorError] = {}
        for name in sorted(due):
            try:
                self._refuse_expired(self._references[name])
                await self._enter(name)
            except ConnectorError as error:
                refused[name] = error
        self._refused = refused
        return Reopened(sorted(due - refused.keys()), refused)

    def refusal(self, name: str) -> ConnectorError | None:
        """Why the mounted files of an upstream are not those that it was opened with, if so."""
        return self._refused.get(name)

    def _refuse_expired(self, reference: PluginReference) -> None:
        file = reference.settings.get("client_certificate_file")
        if file is None:
            return
        leaf = first_certificate(Path(str(file)))
        if millis_of(leaf.not_valid_after_utc) <= self._clock.now():
            raise Permanent("CRT-001", f"reading {file}: the client certificate is past its end")

    async def _enter(self, name: str) -> None:
        plugin = await self._make(self._references[name]).__aenter__()
        if name in self._open:
            self._replaced.append((self._clock.monotonic(), self._open[name]))
        self._open[name] = plugin

    def __getitem__(self, name: str) -> P:
        """The open plug-in of an upstream."""
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        """The upstreams' names."""
        return iter(self._open)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)


Permits = Callable[[str], RequestPermits]
"""The limit of the requests to an upstream, by ``ca:NAME`` and ``uem:NAME``."""


def backends(settings: Settings, permits: Permits, clock: Clock) -> OpenPorts[EscrowBackend]:
    """The escrow backends of all CAs."""
    references = {name: ca.reference(name) for name, ca in settings.cas.items()}
    return OpenPorts(lambda one: open_escrow(one, permits(f"ca:{one.name}")), references, clock)


def targets(settings: Settings, permits: Permits, clock: Clock) -> OpenPorts[Target]:
    """The targets of all UEMs."""
    references = {name: uem.reference(name) for name, uem in settings.uems.items()}
    return OpenPorts(lambda one: open_target(one, permits(f"uem:{one.name}")), references, clock)


def references(settings: Settings) -> dict[str, PluginReference]:
    """How a hand-over process constructs the same plug-ins, by ``ca:NAME`` and ``uem:NAME``."""
    cas = {f"ca:{name}": ca.reference(name) for name, ca in settings.cas.items()}
    uems = {f"uem:{name}": uem.reference(name) for name, uem in settings.uems.items()}
    return cas | uems
