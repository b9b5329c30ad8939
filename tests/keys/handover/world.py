"""A process with a simulated CA and a simulated UEM; prints where they are as one line of JSON.

Keys are made here and nowhere else, so that the test's own process never holds one.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from connector_testkit.simulators.ca import CaOptions, CaSimulator
from connector_testkit.simulators.uem import UemOptions, UemSimulator
from connector_testkit.simulators.upstream_settings import escrow_settings, target_settings


async def main(folder: Path, more: dict[str, Any]) -> None:
    password, code = folder / "password", folder / "tenant-code"
    password.write_text("marker-uem-password")
    code.write_text("marker-tenant-code")
    check_uploads = more.pop("check_uploads", "full")
    ca_options = CaOptions.model_validate({"directory": folder / "ca", **more})
    uem_options = UemOptions(
        directory=folder / "uem",
        password_file=password,
        tenant_code_file=code,
        check_uploads=check_uploads,
    )
    async with CaSimulator(ca_options) as ca, UemSimulator(uem_options) as uem:
        escrow, target = escrow_settings(ca), target_settings(uem, uem_options)
        told = {
            "escrow": escrow,
            "target": target,
            "ca_control": ca.control_url,
            "uem_control": uem.control_url,
            "issuers": str(folder / "ca" / "issuers.pem"),
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
