"""The simulator as a program of its own, and its control interface as a whole."""

import asyncio
import signal
import sys

import orjson
import pytest
from pydantic import ValidationError

from connector_testkit.simulators.uem import UemControl, UemOptions, UemSimulator
from tests.testkit.simulators.uem.conftest import Api, Options
from tests.testkit.simulators.uem.keyring import MadePair, upload_body

PROGRAM = """
import asyncio, sys
from connector_testkit.simulators.uem import UemOptions, run
asyncio.run(run(UemOptions.model_validate_json(sys.argv[1])))
"""


async def test_it_says_where_it_is_and_ends_on_sigterm(options: Options) -> None:
    """One line of JSON when ready; exit code 0 on SIGTERM, also with a request left hanging."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        options().model_dump_json(),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    ready = orjson.loads(await process.stdout.readline())
    assert ready["ready"] == "uem"
    assert ready["api"].startswith("https://127.0.0.1:")
    assert ready["ca"].endswith("/ca.pem")
    async with UemControl(ready["control"]) as control:
        assert (await control.summary())["users"] == 0
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert await process.stdout.read() == b""


async def test_a_reset_forgets_everything(
    api: Api, control: UemControl, pairs: list[MadePair]
) -> None:
    """Users, devices, copies, ledger, markers, faults, switches and clock."""
    user = await control.add_user("ada")
    await control.enrol(user)
    await api.upload(user, upload_body(pairs[0]))
    await control.fault("error", count=None)
    await control.switch(upload_status=204)
    await control.advance_clock(500)
    await control.reset()
    summary = await control.summary()
    assert [summary[name] for name in ("users", "devices", "copies", "offset")] == [0, 0, 0, 0.0]
    assert await control.ledger() == []
    assert await control.markers() == []
    assert (await control.switch())["upload_status"] == 200
    assert (await api("GET", "/API/system/info")).status == 200
    assert await control.add_user("eve") != user


async def test_numbers_may_be_chosen(control: UemControl) -> None:
    """Given numbers are kept, and the next free one follows them."""
    assert await control.add_user("ada", id=40) == 40
    assert await control.add_user("bob") == 41
    assert await control.enrol(40, id=7) == 7


async def test_two_of_the_same_seed_make_up_the_same(options: Options) -> None:
    """UUIDs and serial numbers come from the seed."""
    made = []
    for _ in range(2):
        async with (
            UemSimulator(options(seed=5)) as simulator,
            UemControl(simulator.control_url) as control,
        ):
            device = await control.enrol(await control.add_user("ada"))
            made.append((await control.device(device))["uuid"])
    assert made[0] == made[1]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1"])  # noqa: S104 - refused here
def test_the_control_interface_stays_on_this_machine(options: Options, host: str) -> None:
    """It shows secrets, so any other address is refused."""
    with pytest.raises(ValidationError, match="loopback"):
        options(control_host=host)


def test_options_are_frozen_and_know_their_members(options: Options) -> None:
    """A wrong name is an error, not a silent default."""
    with pytest.raises(ValidationError):
        options(retentions=3)
    with pytest.raises(ValidationError):
        UemOptions.model_validate({**options().model_dump(), "password_file": "/nowhere"})
