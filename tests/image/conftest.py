"""Every test of the image gets it built here, once, and the engine to run it with."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.engine import Engine, missing
from tests.image.loopback import alone


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """With both images; skipped where they cannot be built."""
    if reason := missing():
        pytest.skip(reason)
    engine = Engine(Path(tempfile.mkdtemp(prefix="image-")))
    try:
        engine.build()
        with alone():
            yield engine
    finally:
        engine.close()
