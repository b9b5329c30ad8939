"""The stage of the end-to-end tests with the service in a container of the plain image."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_testkit.demo.pod import Pod, Programs
from connector_testkit.demo.process_tree import PROC
from connector_testkit.demo.process_tree import family as family_of
from connector_testkit.demo.settings_file import changed
from tests.e2e.world import World
from tests.image.engine import PLAIN, USER, Engine, started

HARDENED: dict[str, Any] = {
    "testing": {"memory_readable": False},
    "handover": {"accept_unlocked_memory": False},
}
"""As in service: keys are refused memory that could be swapped out."""
ZOMBIE = "Z"


class Contained(World):
    """Simulators in this process; the service sees its folder, its secrets and TLS files alone.

    ``options`` are given to podman. The network is this process's, which has loopback only.
    """

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        options: Mapping[str, str] | None = None,
        changes: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(folder, changed(HARDENED, changes or {}))
        self._engine = engine
        self._given = options or {}
        self._name = f"connector-{os.getpid()}-{folder.name}"

    def programs(self) -> Programs:
        podman = self._engine.podman
        mounts = [f"--volume={self.written}:{self.written}"]
        mounts += [f"--volume={one}:{one}:ro" for one in (self.secrets.folder, *self.tls)]
        serve = started({"--network": "host", "--name": self._name, **self._given})
        return Programs(
            serve=(*podman, *serve, *mounts, PLAIN),
            ask=(*podman, "exec", self._name, "pki-connector"),
        )

    async def connectors(self) -> list[Pod]:
        pods = await super().connectors()
        for folder in (self.written, self.secrets.folder, *self.tls):
            for path in (folder, *folder.rglob("*")):
                os.chown(path, USER, USER)
        return pods

    def family(self) -> list[int]:
        """The container's processes by the machine's ids, its first one first."""
        shown = self._engine.run("inspect", "--format", "{{.State.Pid}}", self._name)
        return family_of(int(shown))

    def zombies(self) -> list[str]:
        """The names of processes of the container that ended and were not reaped."""
        stats = [(PROC / str(pid) / "stat").read_text() for pid in self.family()]
        parts = [stat.partition("(")[2].rpartition(")") for stat in stats]
        return [name for name, _, rest in parts if rest.split()[0] == ZOMBIE]

    def group(self, controller: str) -> Path:
        """The control group of the container, for one controller (either version of cgroups)."""
        lines = (PROC / str(self.family()[0]) / "cgroup").read_text().splitlines()
        paths = {name: path for _, name, path in (line.split(":", 2) for line in lines)}
        mounted = Path("/sys/fs/cgroup")
        if controller in paths:
            return mounted / controller / paths[controller].lstrip("/")
        return mounted / paths[""].lstrip("/")
