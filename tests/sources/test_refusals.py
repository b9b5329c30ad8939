"""What was refused lately, as ``status`` shows it."""

from connector.core.conditions import Severity
from connector.operators.conditions import of_refused
from connector.sources.refusals import Refusals, Refused
from tests.sources.world import CA, JSON, NOW, UEM, World, basic, signed
from tests.support.clocks import ManualClock

HOUR = 3600_000


async def status(world: World, path: str, body: bytes, headers: dict[str, str]) -> int:
    async with world.client.post(world.url(path), data=body, headers=headers) as answer:
        return answer.status


async def test_refusals_are_counted_by_sender_and_code(world: World) -> None:
    """Wrong credentials and malformed bodies; strangers' names as one; not who sent none."""
    assert await status(world, UEM, b"{}", JSON | basic("uem", "wrong")) == 401
    assert await status(world, UEM, b"{}", JSON | basic("uem", "worse")) == 401
    assert await status(world, UEM, b"{", JSON | basic()) == 400
    assert await status(world, CA, b"{}", JSON | signed(b"[]")) == 401
    for name in ("nobody", "somebody"):
        assert await status(world, f"/hooks/ca/{name}", b"{}", JSON | signed(b"{}")) == 401
    assert await status(world, UEM, b"{}", JSON) == 401
    assert set(world.server.refused()) == {
        Refused("acme", "AUTH-001", 2, NOW),
        Refused("acme", "EVT-001", 1, NOW),
        Refused("main", "AUTH-002", 1, NOW),
        Refused("", "AUTH-002", 2, NOW),
    }


def test_refusals_are_forgotten_after_an_hour() -> None:
    """Minute by minute, so that the number is that of the last hour."""
    clock = ManualClock(wall=NOW)
    refusals = Refusals(clock, ["acme"])
    for _ in range(3):
        refusals.note("acme", "AUTH-001")
    clock.advance(HOUR // 2)
    refusals.note("acme", "AUTH-001")
    assert refusals.standing() == [Refused("acme", "AUTH-001", 4, NOW)]
    clock.advance(HOUR // 2)
    assert refusals.standing() == [Refused("acme", "AUTH-001", 1, NOW + HOUR // 2)]
    clock.advance(HOUR // 2)
    assert refusals.standing() == []


def test_refusals_are_conditions() -> None:
    """Those of unknown senders are only a notice: any peer can cause them."""
    refused = [Refused("acme", "AUTH-001", 4, NOW), Refused("", "AUTH-002", 2, NOW)]
    ours, strangers = of_refused(refused)
    assert (ours.severity, ours.code, ours.since) == (Severity.WARNING, "AUTH-001", NOW)
    assert ours.text == "4 webhook(s) for acme refused within the last hour"
    assert (strangers.severity, strangers.code) == (Severity.NOTICE, "AUTH-002")
