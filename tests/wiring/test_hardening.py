"""What a process is after it hardened itself, asked of the kernel by a process of its own."""

import asyncio
import json
import sys
from typing import Any

import pytest

PROBE = """
import ctypes, json, os, resource, stat, sys, tempfile
from pathlib import Path
from connector.wiring.hardening import harden

resource.setrlimit(resource.RLIMIT_NOFILE, (256, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
harden(memory_readable=sys.argv[1] == "readable")
with tempfile.TemporaryDirectory() as folder:
    made = Path(folder) / "made"
    made.touch()
    mode = stat.S_IMODE(made.stat().st_mode)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
print(json.dumps({
    "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "no_new_privileges": "NoNewPrivs:\\t1" in Path("/proc/self/status").read_text(),
    "mode": mode,
    "files": soft > 256 or soft == hard,
}))
"""


async def hardened(how: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROBE, how, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(("how", "dumpable"), [("closed", 0), ("readable", 1)])
async def test_process_that_holds_credentials_shows_and_leaves_nothing(
    how: str, dumpable: int
) -> None:
    """No core, no new privileges, private files; its memory is readable only where tests ask."""
    assert await hardened(how) == {
        "dumpable": dumpable,
        "core": [0, 0],
        "no_new_privileges": True,
        "mode": 0o600,
        "files": True,
    }


FEW = """
import resource
from connector.wiring.hardening import FILES_BESIDE, warn_of_few_files

resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
warn_of_few_files(300 - FILES_BESIDE)
print("enough")
warn_of_few_files(301 - FILES_BESIDE)
"""


async def test_a_limit_of_open_files_below_the_settings_is_told() -> None:
    """Not when it is just enough."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FEW, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    before, after = out.decode().split("enough")
    assert before == ""
    assert "300 files may be open (RLIMIT_NOFILE), the settings need 301" in after
