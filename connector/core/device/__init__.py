"""The device's own small state machine: whose device is it?

A notification is a hint. It names a device for certain, its user only perhaps, and neither its
order nor its time can be relied on. So each one leads to a look at the UEM, and only what a look
shows tells the holder that the device joined or left; a device that changed hands tells both.
"""

from connector.core.device.advance import advance
from connector.core.device.transitions import TRANSITIONS

__all__ = ["TRANSITIONS", "advance"]
