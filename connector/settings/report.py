"""Everything that is wrong with the settings, as one report."""

from collections.abc import Iterable, Sequence

from connector.core.errors import Permanent
from connector.core.model import Record

Path = tuple[str | int, ...]


class Problem(Record):
    """One fault: which setting, where it was given, what is wrong, and what to do.

    ``setting`` is a path like ``routes.corp.retention``; ``place`` a file with its line, or a
    variable of the environment. The value itself never appears: it may be a secret.
    """

    setting: str
    place: str
    code: str
    wrong: str
    action: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.setting} ({self.place}): {self.wrong} [{self.code}] → {self.action}"


class Answer(Record):
    """How an upstream (``ca:NAME``, ``uem:NAME``) answered a check; ``code`` None: as it should."""

    upstream: str
    code: str | None = None
    detail: str = ""
    action: str = ""


class SettingsRefused(Permanent):
    """The settings cannot be used. ``problems`` holds every fault that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Take all faults; the error's own code is that of the first."""
        self.problems = tuple(problems)
        first, more = self.problems[0], len(self.problems) - 1
        text = f"{first.place}: {first.setting} {first.wrong}"
        super().__init__(first.code, f"{text}, and {more} more" if more else text)


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: ``uems.corp.webhook.credentials[0].user``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".") or "the settings"
