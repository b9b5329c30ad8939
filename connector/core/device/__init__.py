"""The state machine of a device: who is its user?

A notification is a hint. It always names a device, not always its user, and neither its
order nor its time is reliable. So each one leads to a look at the UEM, and only what a look
shows tells the holder that the device joined or left; a device that changed hands tells both.
"""

from connector.core.device.advance import advance
from connector.core.device.transitions import TRANSITIONS

__all__ = ["TRANSITIONS", "advance"]
