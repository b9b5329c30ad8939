"""Loopback ports for programs that are started later, reserved until then.

Several stages may be set up at the same time, each by a process of its own. Therefore a process
that chooses a port binds the UDP port of that number, which nothing here uses, until it ends.
"""

import socket
from collections.abc import Iterator, Sequence
from itertools import islice
from random import SystemRandom

HOST = "127.0.0.1"
RANGE = range(20_000, 32_000)
"""Below the range from which the kernel gives ports to outgoing connections: a port that a killed
program leaves is still free when it comes back."""


def free_port() -> int:
    """A port that is free now, and not reserved by another process."""
    (port,) = free_ports(1)
    return port


def free_ports(count: int, among: Sequence[int] = RANGE) -> list[int]:
    """Different ports that are free now, and not reserved by another process.

    Raises:
        OSError: there are not enough.
    """
    chosen = list(islice(filter(_chosen, _shuffled(among)), count))
    if len(chosen) < count:
        raise OSError(f"fewer than {count} loopback ports are free")
    return chosen


def _shuffled(among: Sequence[int]) -> Iterator[int]:
    """All of them in random order, drawn one at a time: mostly the first ones will do."""
    dice, left = SystemRandom(), list(among)
    while left:
        drawn = dice.randrange(len(left))
        left[drawn], left[-1] = left[-1], left[drawn]
        yield left.pop()


def _chosen(port: int) -> bool:
    keeper = socket.socket(type=socket.SOCK_DGRAM)
    with keeper, socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            keeper.bind((HOST, port))
            probe.bind((HOST, port))
        except OSError:
            return False
        keeper.detach()  # stays open until this process ends
    return True
