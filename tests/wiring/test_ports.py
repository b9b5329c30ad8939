"""Plug-ins that are opened again when credentials change."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pytest

from connector.core.errors import Permanent
from connector.core.handover import PluginReference
from connector.core.model import SECOND
from connector.wiring.ports import LONGEST_CALL, OpenPorts
from connector_testkit.simulators.tls import issue_tls
from tests.support.clocks import ManualClock

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
        self.clock = ManualClock()
        self.refuses = ""

    def make(self, reference: PluginReference) -> "Numbered":
        self.made += 1
        return Numbered(self, reference.name)

    def ports(
        self, references: Mapping[str, PluginReference] = REFERENCES
    ) -> "OpenPorts[Numbered]":
        return OpenPorts(self.make, references, self.clock)


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
        ledger.clock.advance(int(LONGEST_CALL + 1) * SECOND)
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


async def test_a_client_certificate_that_has_expired_is_not_taken_up(tmp_path: Path) -> None:
    """What was opened with the earlier one goes on; at a start there is nothing better."""
    ledger = Ledger()
    ends = datetime.fromtimestamp(ledger.clock.now() / SECOND, UTC)
    file = issue_tls(tmp_path, client="connector", ends=ends).client_certificate
    reference = PluginReference(
        plugin="p", name="a", settings={"client_certificate_file": str(file)}
    )
    async with ledger.ports({"a": reference}) as ports:
        outcome = await ports.reopen(frozenset({Path(str(file))}))
        assert (outcome.opened, outcome.refused["a"].code) == ([], "CRT-001")
        assert str(file) in outcome.refused["a"].detail
        assert ports["a"].name == "a1"
        assert ports.refusal("a") is outcome.refused["a"]
        issue_tls(tmp_path, client="connector")
        assert (await ports.reopen(frozenset())).opened == ["a"]
        assert ports.refusal("a") is None
