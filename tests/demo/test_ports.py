"""Ports of stages that are set up at the same time."""

import json
import subprocess
import sys

import pytest

from connector.demo import ports

FEW = range(31_900, 31_960)
CHILD = f"""
import json, sys
from connector.demo import ports
ports.RANGE = {FEW!r}
print(json.dumps(ports.free_ports(25)), flush=True)
sys.stdin.read()
"""


def test_two_processes_choose_different_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while nobody listens on them yet; what one process had is free when it has ended."""
    monkeypatch.setattr(ports, "RANGE", FEW)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = json.loads(other.stdout.readline())
        ours = ports.free_ports(25)
        assert len({*theirs, *ours}) == 50
        with pytest.raises(OSError, match="fewer than 25"):
            ports.free_ports(25)
    assert len(ports.free_ports(25)) == 25
