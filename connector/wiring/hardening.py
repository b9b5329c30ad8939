"""What the service does to its own process before it holds a credential."""

import os
import resource

from connector.keys.handover import hardening

PRIVATE = 0o077
OPEN_FILES = 65_536
"""Usual limits of 1,024 are below what the webhook listener may hold open by its own settings."""


def harden(*, memory_readable: bool) -> None:
    """Let no file, core dump or debugger of the same user show what this process holds.

    Args:
        memory_readable: leave its memory readable to its own user, for tests that search it.
    """
    os.umask(PRIVATE)
    hardening.forbid_gains()
    if not memory_readable:
        hardening.forbid_looking_in()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
