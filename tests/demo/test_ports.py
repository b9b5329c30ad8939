"""Ports of stages that are set up at the same time."""

import json
import subprocess
import sys

import pytest

from connector.demo.ports import free_ports

FEW = range(19_900, 19_960)
CHILD = f"""
import json, sys
from connector.demo.ports import free_ports
print(json.dumps(free_ports(25, {FEW!r})), flush=True)
sys.stdin.read()
"""


def test_two_processes_choose_different_ports() -> None:
    """Also while nobody listens on them yet; what one process had is free when it has ended."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = json.loads(other.stdout.readline())
        ours = free_ports(25, FEW)
        assert len({*theirs, *ours}) == 50
        with pytest.raises(OSError, match="fewer than 25"):
            free_ports(25, FEW)
    assert len(free_ports(20, FEW)) == 20
