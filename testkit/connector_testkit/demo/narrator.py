"""What the demo says while it runs: live on a terminal, plain lines otherwise."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class CheckFailedError(Exception):
    """Something that the demo checked from the outside was not so."""


class Narrator:
    """Tells one step after the other, and counts what was checked."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._started = time.monotonic()
        self.checked = 0

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """A step that takes a while; a spinner turns on a terminal."""
        if self.console.is_terminal:
            with self.console.status(Text(text)):
                yield
        else:
            yield
        self.say(text)

    def say(self, text: str) -> None:
        """One line with the seconds since the start."""
        elapsed = time.monotonic() - self._started
        self.console.print(Text(f"{elapsed:6.1f} s  {text}"), soft_wrap=True)

    def check(self, text: str, holds: object) -> None:
        """One thing looked at from the outside.

        Raises:
            CheckFailedError: when it does not hold.
        """
        if not holds:
            raise CheckFailedError(text)
        self.checked += 1
        self.say(f"  ✔ {text}")
