"""Plug-ins that are opened again when credentials change."""

from pathlib import Path
from typing import Self

import pytest

from connector.core.errors import Permanent
from connector.core.handover import PluginReference
from connector.wiring.ports import LONGEST_CALL, OpenPorts

REFERENCES = {
    name: PluginReference(plugin="p", name=name, settings={"key_file": f"/{name}"})
    for name in ("a", "b")
}
A, B = Path("/a"), Path("/b")
BOTH = frozenset({A, B})


class Ledger:
    """Numbers the plug-ins, knows which are open, and how late it is."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.made = 0
        self.seconds = 0.0
        self.refuses = ""

    def make(self, reference: PluginReference) -> "Numbered":
        self.made += 1
        return Numbered(self, reference.name)

    def ports(self) -> "OpenPorts[Numbered]":
        return OpenPorts(self.make, REFERENCES, lambda: self.seconds)


class Numbered:
    """A plug-in that says so when it is opened and closed."""

    def __init__(self, ledger: Ledger, upstream: str) -> None:
        self.ledger, self.upstream = ledger, upstream
        self.name = f"{upstream}{ledger.made}"

    async def __aenter__(self) -> Self:
        if self.upstream == self.ledger.refuses:
            raise Permanent("CFG-003")
        self.ledger.open.append(self.name)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ledger.open.remove(self.name)


async def test_replaced_plug_ins_end_when_nobody_uses_them() -> None:
    """A call that runs goes on with what it began with; nothing piles up over many changes."""
    ledger = Ledger()
    async with ledger.ports() as ports:
        await ports.reopen(BOTH)
        assert ledger.open == ["a1", "b2", "a3", "b4"]
        assert (ports["a"].name, ports["b"].name) == ("a3", "b4")
        ledger.seconds = LONGEST_CALL + 1
        await ports.reopen(BOTH)
        assert ledger.open == ["a3", "b4", "a5", "b6"]
    assert ledger.open == []


async def test_what_was_opened_is_closed_when_another_cannot_be() -> None:
    """Neither at the start nor at a change is anything left open or taken away."""
    ledger = Ledger()
    ledger.refuses = "b"
    with pytest.raises(Permanent):
        await ledger.ports().__aenter__()
    assert ledger.open == []


async def test_each_upstream_takes_its_files_up_by_itself() -> None:
    """One that cannot stays as it was, is tried again with any change, and holds no other up."""
    ledger = Ledger()
    async with ledger.ports() as ports:
        ledger.refuses = "a"
        outcome = await ports.reopen(BOTH)
        assert (outcome.opened, list(outcome.refused)) == (["b"], ["a"])
        assert (ports["a"].name, ports["b"].upstream) == ("a1", "b")
        second = ports["b"].name
        ledger.refuses = ""
        outcome = await ports.reopen(frozenset({A}))
        assert (outcome.opened, outcome.refused) == (["a"], {})
        assert ports["b"].name == second, "nothing of it has changed"
        assert (await ports.reopen(frozenset())).opened == []
    assert ledger.open == []
