"""A base image from Debian packages, for building and testing where no registry is reached.

It stands in for the base image that the Dockerfile names: Python with ``venv``, trusted
authorities, nothing else. What is built on it is for tests, not for service. It is made once and
kept as an archive, because that takes a minute and forty megabytes of downloads.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
LEFT_OUT = (
    "./usr/share/doc", "./usr/share/locale", "./usr/share/man", "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
)  # fmt: skip
AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")
"""What this machine trusts, a proxy in front of the package index among it, is trusted as well."""
TRIES = 3
PATIENCE = 900


def cache() -> Path:
    """The folder that keeps what is expensive to make."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pki-connector"


def archive(folder: Path) -> Path:
    """The base image's root file system as an archive, made if the folder does not have it.

    Processes that ask at the same time wait for the first one.

    Raises:
        SystemExit: it cannot be made here; why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"debian-base-{_key()}.tar"
    with _alone(folder / "debian-base.lock"):
        if not made.exists():
            _make(made)
    return made


def _key() -> str:
    """Changes with everything that the archive is made of, but for what Debian updates."""
    facts = (SUITE, *PACKAGES, *LEFT_OUT, platform.machine())
    digest = hashlib.sha256("\n".join(facts).encode())
    digest.update(_trusted())
    return digest.hexdigest()[:16]


def _trusted() -> bytes:
    here = Path("/") / AUTHORITIES
    return here.read_bytes() if here.exists() else b""


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(target: Path) -> None:
    program = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None or os.geteuid() != 0:
        raise SystemExit("debian base: needs debootstrap (a package of that name), and root")
    with tempfile.TemporaryDirectory(prefix="debian-base-", dir=target.parent) as folder:
        root = _bootstrapped(program, Path(folder))
        (root / "usr/bin/python").symlink_to("python3")
        if trusted := _trusted():
            (root / AUTHORITIES).write_bytes(trusted)
        packed = Path(folder) / "root.tar"
        without = [f"--exclude={name}" for name in LEFT_OUT]
        _run("tar", "--numeric-owner", *without, "-C", str(root), "-cf", str(packed), ".")
        packed.rename(target)


def _bootstrapped(program: str, folder: Path) -> Path:
    """A root file system. Mounts that debootstrap makes end with its own namespace."""
    include = f"--include={','.join(PACKAGES)}"
    reasons = ""
    for attempt in range(TRIES):
        root = folder / f"root-{attempt}"
        command = ("unshare", "--mount", program, "--variant=minbase", include, SUITE, str(root))
        try:
            _run(*command)
        except subprocess.CalledProcessError as error:
            reasons = f"{error.stdout}{error.stderr}"
        except subprocess.TimeoutExpired:
            reasons = f"not within {PATIENCE} s"
        else:
            return root
    last = "\n".join(reasons.splitlines()[-5:])
    raise SystemExit(f"debian base: debootstrap failed {TRIES} times:\n{last}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)
