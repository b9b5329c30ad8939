"""Starts the real forkserver with the scripted plug-ins installed beside the real ones."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "plugins"))

from connector.keys.handover.__main__ import main

main()
