"""Ports of stages that are set up at the same time."""

import json
import subprocess
import sys

import pytest

from connector_testkit.demo.ports import free_ports

CHILD = """
import json, sys
from connector_testkit.demo.ports import free_ports
print(json.dumps(free_ports(25)), flush=True)
sys.stdin.read()
"""


def test_two_processes_choose_different_ports() -> None:
    """Also while nothing listens on them yet; a port is free again when its process has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = json.loads(other.stdout.readline())
        ours = free_ports(25)
        assert len({*theirs, *ours}) == 50
        for chosen in (theirs, ours):
            with pytest.raises(OSError, match="fewer than 1"):
                free_ports(1, chosen)
    assert free_ports(1, theirs)
