"""``make demo-kafka``: what its command does where there is a broker to be had, and where not."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from connector_testkit.demo.processes import COMMAND, environment
from tests.patience import PATIENCE

WHOLE_DEMO = 6 * PATIENCE


async def played(**changes: str) -> tuple[int, str]:
    """Exit code and words of the demo, with these changes to its environment."""
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, "demo", "--journal", "kafka"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment() | changes,
    )
    async with asyncio.timeout(WHOLE_DEMO):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_old_mail_becomes_readable_though_a_pod_is_killed(
    needs: Callable[[str], str],
) -> None:
    """Three connectors share a broker, one is killed; all that is seen from outside is right."""
    needs("java")
    needs("mvn")
    code, words = await played()
    assert code == 0, words
    for expected in (
        "kill -9 of pod-",
        "the upload contains all 4 encryption generations",
        "pod-3 shows the same state of all users",
        "0 hits in every file of the broker",
        "checks passed",
    ):
        assert expected in words


async def test_it_says_what_is_missing(tmp_path: Path) -> None:
    """Without Java it ends at once, and names what to install."""
    code, words = await played(PATH=str(tmp_path))
    assert code == 1
    assert "Java 17 is not installed" in words
    assert "Traceback" not in words
