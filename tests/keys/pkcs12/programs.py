"""Foreign programs that read and write what we write and read."""

import shutil

import pytest


def program(name: str) -> str:
    """The path of a foreign program; absent, the test is skipped, which fails in CI."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
