"""Key material exists in a hand-over process only."""

import subprocess
import sys

MAKING = """
from connector.core.errors import Permanent
from connector.core.key_material import KeyMaterial, allow_key_material
try:
    KeyMaterial(b"key")
except Permanent as error:
    print(error.code)
allow_key_material()
with KeyMaterial(b"key") as key:
    print(len(key), bytes(key.reveal()).decode())
print(len(key))
"""


def test_a_process_has_to_allow_it_first() -> None:
    """In a process of its own: another test may have allowed it in this one."""
    done = subprocess.run(
        [sys.executable, "-c", MAKING], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["KEY-900", "3", "key", "0"]
