"""What the service does to its own process before it holds a credential."""

import os
import resource

import structlog

from connector.keys.handover import hardening

PRIVATE = 0o077
OPEN_FILES = 65_536
"""Usual limits of 1,024 are below what the webhook listener may hold open by its own settings."""
FILES_BESIDE = 256
"""Journal, upstreams, probes, operators, and the pipes of hand-overs."""

log = structlog.get_logger("connector.wiring.hardening")


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


def warn_of_few_files(connections: int) -> None:
    """Say at start if the limit of open files is below what the settings allow to be open.

    Args:
        connections: maximum number of connections of the webhook listener.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + FILES_BESIDE
    if limit != resource.RLIM_INFINITY and limit < needed:
        text = f"{limit} files may be open (RLIMIT_NOFILE), the settings need {needed}"
        log.warning("process.few_files", message=text)
