"""A container engine with images, settings and locks of its own, so that two runs never meet."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from release import debian_base, image
from tests.patience import PATIENCE
from tests.support.environments import ROOT

PROGRAMS = ("buildah", "podman", "runc", "debootstrap")
BASE = "localhost/base"
PLAIN = "localhost/pki-connector:plain"
DEMO = "localhost/pki-connector:demo"
USER = 10001
SIZE = "4g"
LONGEST = "900"
"""Seconds after which a container is ended even if nothing is left that would."""

STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/images"
runroot = "{folder}/run"
"""
SETTINGS = """\
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "runc"
tmp_dir = "{folder}/engine"
[network]
network_config_dir = "{folder}/networks"
"""
RESTRICTED = (
    *("--user", f"{USER}:{USER}"),
    "--read-only",
    "--read-only-tmpfs=false",
    *("--tmpfs", "/tmp:rw,nosuid,nodev,size=64m"),  # noqa: S108 - the container's own
    *("--cap-drop", "all"),
    *("--security-opt", "no-new-privileges"),
    *("--pids-limit", "128"),
    *("--ulimit", "nofile=1024:4096"),
    *("--ulimit", "nproc=4096:4096"),
)
"""As in a pod of the chart: nothing can be written but /tmp, and no right is left."""


def missing() -> str:
    """Why no image can be built and run here; nothing when it can."""
    if os.geteuid() != 0:
        return "containers are started as root here"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@dataclass
class Engine:
    """Builds and runs the images.

    ``folder`` holds everything, in memory, which takes seconds where a disk takes a minute;
    :meth:`close` removes it. Its path has to be short: podman waits in vain for the end of a
    container whose files have long names.
    """

    folder: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.folder)]
        subprocess.run(mounting, check=True)
        files = {"STORAGE_CONF": STORAGE, "CONF": SETTINGS}
        self.environment = {}
        for name, text in files.items():
            path = self.folder / name.lower()
            path.write_text(text.format(folder=self.folder))
            self.environment[f"CONTAINERS_{name}"] = str(path)

    @property
    def podman(self) -> tuple[str, ...]:
        """The command, for those who start it themselves."""
        return ("env", *(f"{name}={value}" for name, value in self.environment.items()), "podman")

    def build(self) -> None:
        """Build the plain image, and that with the test kit."""
        base = debian_base.archive(debian_base.cache())
        image.take(base, BASE, self.environment)
        options = (*image.BUILDAH[1:], *image.options(BASE, "0123abcd"))
        for tag, target in ((DEMO, ("--target", "demo")), (PLAIN, ())):
            arguments = (*options, *target, "--tag", tag, str(ROOT))
            image.buildah(*arguments, storage=self.environment)

    def run(self, *arguments: str, within: float | None = None) -> str:
        """A command of podman's that has to succeed; what it printed."""
        done = self.tried(*arguments, within=within)
        assert done.returncode == 0, f"podman {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def tried(
        self, *arguments: str, within: float | None = None, said: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command of podman's, with ``said`` on its standard input."""
        return subprocess.run(
            [*self.podman, *arguments],
            check=False,
            capture_output=True,
            text=True,
            timeout=within or PATIENCE,
            **({"stdin": subprocess.DEVNULL} if said is None else {"input": said}),
        )

    def close(self) -> None:
        """End all containers and remove all images."""
        self.tried("rm", "--all", "--force", "--time", "0")
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        for place in reversed([line.split()[1] for line in mounts]):
            if Path(place).is_relative_to(self.folder):
                subprocess.run(["umount", "--lazy", place], check=False)
        self.folder.rmdir()


def started(options: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """``podman run`` as in a pod, but for where the network comes from."""
    given = [word for pair in (options or {}).items() for word in pair]
    return ("run", "--rm", "--timeout", LONGEST, *RESTRICTED, *given)
