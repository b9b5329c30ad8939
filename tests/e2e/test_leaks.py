"""The search for secrets finds what was planted, so that its silence means something."""

import base64
from pathlib import Path

import pytest

from connector_testkit.demo.secret_scan import Searcher
from tests.e2e.leaks import leaks
from tests.e2e.world import World

pytestmark = pytest.mark.slow


async def test_planted_secret_is_found(tmp_path: Path) -> None:
    """A password that the UEM puts into a device's name is found in file, answer and memory."""
    async with World(tmp_path / "stage") as world:
        alice = await world.person("alice")
        await world.enrol(alice)
        await world.completed(alice)
        planted = (await world.ca.markers()).text[0]
        await world.uem.enrol(alice.user, name=f"phone {planted}")
        await world.sees(alice, "knows it", lambda state: planted in repr(state.devices))
        found = await leaks(world)
    places = " ".join(found)
    for place in ("memory of the service", "/v1/subject?", "journal.sqlite-wal while open"):
        assert place in places
    assert "forkserver" not in places


async def test_planted_key_is_found_in_every_form(tmp_path: Path) -> None:
    """A piece of a private key is found as bytes, in hexadecimal and in base64, in any log."""
    async with World(tmp_path / "stage") as world:
        await world.person("alice", mails=False)
        piece = bytes.fromhex((await world.ca.markers()).binary[0])
        for name, text in forms(piece).items():
            (world.written / name).write_bytes(text)
        found = await leaks(world)
    assert {place for place in found if "open" not in place} == set(forms(piece))


def forms(piece: bytes) -> dict[str, bytes]:
    return {
        "plain.log": b"x" * 100_000 + piece,
        "hex.log": piece.hex().encode(),
        "base64.log": base64.b64encode(b"q" + piece + b"qq"),
    }


def test_short_marker_is_refused() -> None:
    """What is shorter than 16 bytes could stand somewhere by chance, and is no marker."""
    with pytest.raises(ValueError, match="16 bytes"):
        Searcher([b"fifteen bytes .."[:15]])
