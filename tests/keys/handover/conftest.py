import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector.keys.handover.parent import HandOver
from tests.keys.handover.scene import Person

COMMAND = (sys.executable, "-I", "-B", str(Path(__file__).parent / "start_forkserver.py"))


@pytest.fixture(scope="session")
def keys() -> list[bytes]:
    """Two RSA keys of 2048 bits and one of 1024, PKCS#8."""
    made = [rsa.generate_private_key(65537, size) for size in (2048, 2048, 1024)]
    return [key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()) for key in made]


@pytest.fixture
def person(tmp_path: Path, keys: list[bytes]) -> Person:
    """Ada: a current generation for both uses, and an archived one, expired, with 1024 bits."""
    return Person.written(tmp_path, keys[0], keys[2])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hand_over() -> AsyncIterator[HandOver]:
    running = HandOver(accept_unlocked_memory=True, command=COMMAND)
    await running.start()
    yield running
    await running.stop()
