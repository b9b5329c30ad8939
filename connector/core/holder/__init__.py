"""The holder's state machine: one set on its way, the devices that wait for it, the copy behind it.

The upload replaces the whole set of the *user* and reaches all their devices; so every decision but
"whose device is this" is made here.
"""

from connector.core.holder.advance import advance
from connector.core.holder.transitions import TRANSITIONS

__all__ = ["TRANSITIONS", "advance"]
