"""The real forkserver, whose children take their passwords from no chance.

So the simulated CA needs to encode each bundle only once.
"""

import base64

from connector.keys.handover.__main__ import main
from connector.keys.pkcs12.write import PASSWORD_BYTES


def constant(size: int) -> bytes:
    """Bytes that are no chance at all."""
    return b"\x5a" * size


PASSWORD = base64.b32encode(constant(PASSWORD_BYTES)).decode()

if __name__ == "__main__":
    main(constant)
