"""One connector of a stage: its settings, its process, and the commands that ask it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connector_testkit.demo.processes import COMMAND, Process, run_command
from connector_testkit.demo.settings_file import changed, write_settings


class Programs(NamedTuple):
    """What our commands are given to: one program ``serve``, one program every other command."""

    serve: tuple[str, ...] = COMMAND
    ask: tuple[str, ...] = COMMAND


OURS = Programs()
"""Our commands themselves."""


class Pod(Process):
    """Writes into a folder of its own: settings, journal or local tables, log, answers.

    Args:
        name: how it is spoken of.
        folder: where it writes; made here.
        settings: all of its settings, which :meth:`configure` writes with changes.
        programs: what it is started and asked with.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        settings: Mapping[str, Any],
        programs: Programs = OURS,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.settings_file = folder / "settings.yaml"
        (folder / "journal").mkdir(parents=True)
        serve = ("serve", "--config", str(self.settings_file))
        super().__init__(name, serve, folder / "serve.log", programs.serve)
        self._ask = programs.ask

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Write the settings with ``changes`` laid over them; they hold from the next start."""
        write_settings(self.settings_file, changed(self.settings, changes))

    def url(self, path: str) -> str:
        """Where it takes webhooks."""
        port = self.settings["service"]["intake"]["listen"]["port"]
        return f"https://127.0.0.1:{port}/hooks/{path}"

    async def ready(self) -> None:
        """Wait until it says that it serves; raises as :meth:`line`."""
        await self.line(lambda line: line.get("event") == "service.ready")

    async def ask(self, *arguments: str) -> Any:
        """A command of ours against this running connector; its JSON answer.

        Raises:
            RuntimeError: when it ends with another exit code than 0.
        """
        code, out = await self.tell(*arguments, "--output", "json")
        if code:
            raise RuntimeError(f"{arguments[0]} ended with exit code {code}")
        return json.loads(out)

    async def tell(self, *arguments: str, columns: int | None = None) -> tuple[int, str]:
        """A command of ours against this running connector; exit code and what it printed."""
        return await run_command(
            *(*arguments, "--config", str(self.settings_file)),
            log=self.folder / "commands.log",
            columns=columns,
            command=self._ask,
        )
