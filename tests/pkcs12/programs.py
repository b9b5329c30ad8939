"""Foreign programs that read and write what we write and read."""

import os
import shutil

import pytest


def program(name: str) -> str:
    """The path of a foreign program; absent, it skips at home and fails on CI."""
    found = shutil.which(name)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed on the CI machine")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
