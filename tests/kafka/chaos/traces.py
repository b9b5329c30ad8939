"""The search for keys, passwords and credentials in what a chaos run left on disks."""

import os
from collections.abc import Iterator
from pathlib import Path

from connector_testkit.demo.secret_scan import LEAST, PIECE, Searcher
from tests.kafka.chaos.world import ChaosWorld

INTERNAL = ("__transaction_state-", "__consumer_offsets-")


async def secrets(world: ChaosWorld) -> list[bytes]:
    """Pieces of all keys, bundles and passwords, and the service's own credentials."""
    found = await world.planted()
    found += [value.encode() for value in world.secrets.values.values()]
    for file in (world.secrets.tls.key, world.tls[0] / "client.key"):
        lines = file.read_bytes().splitlines()[1:-1]
        found += [line for line in lines if len(line) >= LEAST]
    return found


def in_topics(world: ChaosWorld, searcher: Searcher) -> dict[str, int]:
    """Hits by file in all that the brokers keep of our topics, groups and transactions."""
    found = {}
    for node in world.brokers.nodes:
        for folder in sorted(node.data.iterdir()):
            if folder.name.startswith((f"{world.names.prefix}.", *INTERNAL)):
                for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                    found[f"{node.number}/{folder.name}/{path.name}"] = searcher.hits(pieces(path))
    return {place: count for place, count in found.items() if count}


def pieces(path: Path) -> Iterator[bytes]:
    """What is in a file, without its holes: indexes are made large and stay empty."""
    end = path.stat().st_size
    with path.open("rb", buffering=0) as stream:
        position = 0
        while (position := _data(stream.fileno(), position, end)) < end:
            stop = os.lseek(stream.fileno(), position, os.SEEK_HOLE)
            stream.seek(position)
            while position < stop and (piece := stream.read(min(PIECE, stop - position))):
                position += len(piece)
                yield piece


def _data(file: int, position: int, end: int) -> int:
    """Where data begins behind a position; the end when there is none."""
    try:
        return os.lseek(file, position, os.SEEK_DATA)
    except OSError:
        return end
