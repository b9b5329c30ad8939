"""What a hand-over process may open: what its plug-ins declared, and what every process needs.

Each part is used if the kernel supports it. The fork server finds out at start which parts are
supported, and the receipt says which were used.
"""

import ssl
import sys
from collections.abc import Callable, Collection, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from connector.core.errors import Permanent
from connector.core.reach import Reach, SandboxMode, SandboxPart
from connector.keys.handover import landlock, seccomp

SHARED_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
RESOLVER = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
)
ISSUERS = (
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)
"""Where distributions keep the certificates of the public authorities; links lead between them."""
DNS = 53
"""Long answers of a name server come by TCP."""
CHANCE = ("/dev/urandom", "/dev/random")


def available() -> tuple[SandboxPart, ...]:
    """The parts that this kernel can build."""
    version = landlock.version()
    there = {
        SandboxPart.FILES: version > 0,
        SandboxPart.NETWORK: version >= landlock.FIRST_WITH_NETWORK,
        SandboxPart.SYSTEM_CALLS: seccomp.available(),
    }
    return tuple(part for part, is_there in there.items() if is_there)


def prepare() -> tuple[SandboxPart, ...]:
    """Prepare once, before any fork, what is the same for all; return the supported parts."""
    common()
    if seccomp.available():
        seccomp.prepare()
    return available()


def require_sandbox(built: Collection[SandboxPart], mode: SandboxMode) -> None:
    """Check that the kernel supports every part that the settings require.

    Raises:
        Permanent: ``HND-010``.
    """
    missing = [part.value for part in SandboxPart if part not in built]
    if missing and mode is SandboxMode.REQUIRE:
        raise Permanent("HND-010", f"building the sandbox: no {', '.join(missing)}")


def enter(reach: Reach, mode: SandboxMode) -> tuple[SandboxPart, ...]:
    """Restrict this process to what it may reach; return the parts of the sandbox in force.

    Raises:
        Permanent: ``HND-010`` when the settings require a part that the kernel does not build.
    """
    wanted = () if mode is SandboxMode.OFF else available()
    built: list[SandboxPart] = []
    if SandboxPart.FILES in wanted and _takes(lambda: _restrict_files(reach)):
        built += [part for part in wanted if part is not SandboxPart.SYSTEM_CALLS]
    if SandboxPart.SYSTEM_CALLS in wanted and _takes(lambda: seccomp.restrict(_sockets(reach))):
        built.append(SandboxPart.SYSTEM_CALLS)
    require_sandbox(built, mode)
    return tuple(built)


def _takes(build: Callable[[], None]) -> bool:
    try:
        build()
    except OSError:
        return False
    return True


def _restrict_files(reach: Reach) -> None:
    read = (*common(), *reach.files, *reach.libraries)
    ports = {host.port for host in reach.hosts}
    if _sockets(reach).datagrams:
        ports.add(DNS)
    landlock.restrict(read, reach.sockets, ports)


def _sockets(reach: Reach) -> seccomp.Sockets:
    return seccomp.Sockets(
        datagrams=not all(_is_address(host.name) for host in reach.hosts),
        local=any(path.is_socket() for path in reach.sockets),
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@cache
def common() -> tuple[Path, ...]:
    """What every hand-over may read: its program, shared libraries, resolver, public issuers."""
    paths = [Path(name) for name in _common() if Path(name).exists()]
    folders = {path.resolve() for path in paths if path.is_dir()}
    outer = sorted(folder for folder in folders if not folders.intersection(folder.parents))
    return (*outer, *(path for path in paths if not path.is_dir()))


def _common() -> Iterator[str]:
    yield from (folder for folder in sys.path if folder)
    yield f"{sys.base_prefix}/lib"
    yield from (*SHARED_LIBRARIES, *RESOLVER, *ISSUERS, *CHANCE)
    store = ssl.get_default_verify_paths()
    yield from filter(None, (store.cafile, store.capath))
