"""All that one simulated tenant is, in one place; the modules beside this one act on it."""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from connector_testkit.simulators.uem.clock import TurnableClock
from connector_testkit.simulators.uem.dates import DateWriter
from connector_testkit.simulators.uem.ledger import Ledger
from connector_testkit.simulators.uem.markers import Markers
from connector_testkit.simulators.uem.options import Behaviour, UemOptions, read_secret
from connector_testkit.simulators.uem.records import CertificateSet, Device, LogLine, User
from connector_testkit.simulators.uem.timetable import Timetable

FIRST_USER, FIRST_DEVICE = 12, 15
PROFILE, PROFILE_NAME = 4711, "Mail S/MIME"


class Tenant:
    """Users, devices and copies, with clock, dice, timetable, ledger and markers.

    Args:
        options: what the simulator was started with; the two secret files are read here.
        real: the machine's clock.

    Raises:
        OSError: a secret file cannot be read.
    """

    def __init__(self, options: UemOptions, real: Callable[[], datetime]) -> None:
        self.options = options
        self.password = read_secret(options.password_file)
        self.tenant_code = read_secret(options.tenant_code_file)
        self.behaviour: Behaviour = options.behaviour()
        self.dice = random.Random(options.seed)
        self.clock = TurnableClock(real)
        self.timetable = Timetable(self.clock.now)
        self.clock.when_turned(self.timetable.turned)
        self.ledger = Ledger(self.clock.now, self.clock.real, options.ledger_limit)
        self.markers = Markers()
        self.dates = DateWriter(self.dice, lambda: self.behaviour.date_format == "random")
        self.users: dict[int, User] = {}
        self.devices: dict[int, Device] = {}
        self._owned: dict[int, dict[int, Device]] = {}
        self.copies: dict[int, CertificateSet] = {}
        self.profiles: dict[int, str] = {PROFILE: PROFILE_NAME}
        self.uploads = 0
        self._next_user, self._next_device, self._log_lines = FIRST_USER, FIRST_DEVICE, 0

    def reset(self) -> None:
        """Forget users, devices, ledger, markers; undo all switches and clock offsets.

        Numbers that were given out are not given out again.
        """
        self.behaviour = self.options.behaviour()
        for holdings in (self.users, self.devices, self._owned):
            holdings.clear()
        self.timetable.clear()
        self.ledger.clear()
        self.markers.clear()
        self.clock.set_offset(self.clock.offset * 0)

    def new_uuid(self) -> str:
        """A random UUID from the tenant's dice."""
        return str(uuid.UUID(int=self.dice.getrandbits(128), version=4))

    def new_user_id(self, wanted: int | None) -> int:
        """The wanted number, or the next free one."""
        number = self._next_user if wanted is None else wanted
        self._next_user = max(self._next_user, number + 1)
        return number

    def new_device_id(self, wanted: int | None) -> int:
        """The wanted number, or the next free one."""
        number = self._next_device if wanted is None else wanted
        self._next_device = max(self._next_device, number + 1)
        return number

    def new_upload(self) -> int:
        """The number of the next accepted upload."""
        self.uploads += 1
        return self.uploads

    def devices_of(self, user: int) -> Iterator[Device]:
        """The enrolled devices of a user."""
        return (each for each in self._owned.get(user, {}).values() if each.enrolled)

    def shown(self, device: Device) -> Device | None:
        """A device as the interface shows it; None while it does not show it yet."""
        if self.clock.now() >= device.enrolled_at + self.behaviour.interface_lag:
            return device
        is_there = self.behaviour.lag_shows == "registered"
        return replace(device, status="Registered") if is_there else None

    def own(self, device: Device, user: int | None) -> None:
        """Note whose a device is from now on; None: it is gone."""
        self._owned.get(device.user, {}).pop(device.id, None)
        self.devices.pop(device.id, None)
        if user is not None:
            device.user = user
            self.devices[device.id] = device
            self._owned.setdefault(user, {})[device.id] = device

    def log(self, device: Device, event: str, at: datetime, **facts: str) -> None:
        """Add a line to a device's event log."""
        self._log_lines += 1
        device.log.append(LogLine(self._log_lines, at, event, facts))
