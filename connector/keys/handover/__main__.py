"""Start of the fork server: hardened first, everything else is loaded afterwards.

Its last arguments are the number of the control socket's descriptor, the service's process id, and
``readable`` or ``closed``: whether tests may search its memory.
"""

import gc
import os
import secrets
import sys
from collections.abc import Callable

from connector.keys.handover import hardening


def main(token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
    """Harden this process and become the fork server.

    Args:
        token_bytes: source of randomness for passwords; benchmarks use a fixed one.
    """
    control, service, memory = int(sys.argv[-3]), int(sys.argv[-2]), sys.argv[-1]
    hardening.end_with_parent(service)
    hardening.forbid_gains()
    if memory != "readable":
        hardening.forbid_looking_in()
        _refuse_a_tracer()
    hardening.close_all_but(control)
    gc.disable()  # until all is loaded: modules stay, looking through them again costs a fifth
    from connector.keys.handover import forkserver  # noqa: PLC0415 - not before all of the above

    forkserver.run(control, token_bytes)


def _refuse_a_tracer() -> None:
    """Refuse to start under a debugger: it would follow every fork and could read the keys."""
    if hardening.is_traced():
        sys.stderr.write("pki-connector: the fork server does not run under a debugger\n")
        sys.exit(os.EX_NOPERM)


if __name__ == "__main__":
    main()
