"""Run in a container of the plain image: one JSON object about what is in it."""

import importlib.util
import json
import os
import struct
import sysconfig
from pathlib import Path

INSTALLED = Path("/opt/connector/lib")
PSEUDO = ("/proc", "/sys", "/dev", "/tmp")  # noqa: S108 - mounts of the container
COMPILERS = {"as", "c++", "c99", "cc", "clang", "cpp", "g++", "gcc", "ld", "make", "rustc"}
INSTALLERS = ("pip", "ensurepip", "setuptools", "wheel", "uv", "hatchling")
SOURCE_STAMP = struct.Struct("<8xII")
"""Where a compiled module says when its source was changed, and how long it is."""


def stale(source: Path) -> bool:
    """Whether Python would have to compile this module."""
    compiled = Path(importlib.util.cache_from_source(str(source)))
    if not compiled.exists():
        return True
    changed, size = SOURCE_STAMP.unpack(compiled.read_bytes()[: SOURCE_STAMP.size])
    stat = source.stat()
    return (changed, size) != (int(stat.st_mtime), stat.st_size)


def files() -> list[Path]:
    """Every file of the image."""
    found = []
    for top, folders, names in os.walk("/"):
        folders[:] = [one for one in folders if os.path.join(top, one) not in PSEUDO]  # noqa: PTH118
        found += [Path(top, name) for name in names]
    return found


def main() -> None:
    """Look, and say it."""
    everything = files()
    stdlib = Path(sysconfig.get_path("stdlib"))
    modules = [*INSTALLED.rglob("*.py"), *stdlib.glob("*.py"), *stdlib.glob("asyncio/*.py")]
    named = [str(path) for path in everything]
    seen = {
        "compilers": [str(one) for one in everything if one.name in COMPILERS and one.is_file()],
        "installers": [name for name in INSTALLERS if importlib.util.find_spec(name)],
        "wheels": [name for name in named if name.endswith((".whl", "/bin/pip", "/bin/pip3"))],
        "testkit": [name for name in named if "testkit" in name],
        "modules": len(modules),
        "stale": [str(one) for one in modules if stale(one)],
    }
    print(json.dumps(seen))  # noqa: T201 - the answer


main()
