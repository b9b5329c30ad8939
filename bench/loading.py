"""The load, from the side of the benchmark: every request it orders has a number of its own."""

from contextlib import ExitStack
from pathlib import Path

from bench.block import VoidFigure
from bench.load import FIRST
from bench.machine import load_core
from bench.measured_process import Side

CONNECTIONS = 64


class Loading:
    """Starts the load on its core, and counts on through all its requests.

    Args:
        stack: ends it.
        ca: PEM file of who issued the servers' certificates.
        nice: added to its niceness.
    """

    def __init__(self, stack: ExitStack, ca: Path, nice: int = 0) -> None:
        """Start it."""
        self._ca = str(ca)
        self._next = FIRST
        self._load = stack.enter_context(Side("bench.load", cores=load_core(), nice=nice))

    def turn(self, port: int, seconds: float, *, close: bool = False) -> dict[str, float]:
        """Load a server for so long; with ``close`` the connections do not stay open.

        Raises:
            VoidFigure: a request was not answered 2xx.
        """
        answer: dict[str, float] = self._load.ask(
            port=port,
            seconds=seconds,
            connections=CONNECTIONS,
            first=self._next,
            ca=self._ca,
            close=close,
        )
        self._next += int(answer["good"] + answer["bad"]) + CONNECTIONS
        if answer["bad"]:
            raise VoidFigure(f"{answer['bad']} requests were refused")
        return answer
