"""Every test of the cluster shares one node, which has both images."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from release import image
from tests.cluster import binaries, configuration
from tests.cluster.node import Node
from tests.image import engine as engines
from tests.image.engine import Engine
from tests.image.loopback import alone


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """In a network namespace of its own; skipped where it cannot be."""
    if reason := engines.missing() or binaries.missing() or configuration.missing():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="node-") as name:
        folder = Path(name)
        archives = images(folder)
        with alone(), Node(folder, archives) as node:
            yield node


def images(folder: Path) -> tuple[Path, ...]:
    """Archives of the images that pods are made of."""
    archive = folder / "images.tar"
    engine = Engine(Path(tempfile.mkdtemp(prefix="image-")))
    try:
        engine.build()
        pause = binaries.made() / "pause"
        container = image.buildah("from", "scratch", storage=engine.environment)
        image.buildah("copy", container, str(pause), "/pause", storage=engine.environment)
        start = ("config", "--entrypoint", '["/pause"]', container)
        image.buildah(*start, storage=engine.environment)
        made = ("commit", "--quiet", "--rm", container, configuration.PAUSE)
        image.buildah(*made, storage=engine.environment)
        names = (engines.PLAIN, engines.DEMO, configuration.PAUSE)
        engine.run("save", "--quiet", "--multi-image-archive", "--output", str(archive), *names)
    finally:
        engine.close()
    return (archive,)
