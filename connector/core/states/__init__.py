"""The states of the three subjects, as stored in the journal. The JSON is in `schemas/state`.

A state contains what it waits for: ``wants`` lists effects and when they are due. All that a
crash may interrupt is stored here (``running``, ``copy``, ``requests``), never in memory only.
"""

from typing import Annotated

from pydantic import Field

from connector.core.states.brakes import Brakes, StandingPause, standing
from connector.core.states.delivery import (
    ENDED,
    Delivery,
    DeviceInDelivery,
    DevicePhase,
    Phase,
    Trigger,
)
from connector.core.states.device import DeviceState, DeviceStatus
from connector.core.states.holder import (
    COPY_OVERDUE,
    Check,
    DeliveredGeneration,
    Dropped,
    HolderState,
    Identity,
    InstalledSet,
    KnownDevice,
)
from connector.core.states.person import PersonState
from connector.core.states.running import Running
from connector.core.states.uem_copy import Copy, CopyState
from connector.core.states.wants import ACTS, ASKS_CA, ASKS_UEM, ONLY_CA, Effect, Looks, Want

State = Annotated[HolderState | DeviceState | PersonState, Field(discriminator="kind")]

__all__ = [
    "ACTS",
    "ASKS_CA",
    "ASKS_UEM",
    "COPY_OVERDUE",
    "ENDED",
    "ONLY_CA",
    "Brakes",
    "Check",
    "Copy",
    "CopyState",
    "DeliveredGeneration",
    "Delivery",
    "DeviceInDelivery",
    "DevicePhase",
    "DeviceState",
    "DeviceStatus",
    "Dropped",
    "Effect",
    "HolderState",
    "Identity",
    "InstalledSet",
    "KnownDevice",
    "Looks",
    "PersonState",
    "Phase",
    "Running",
    "StandingPause",
    "State",
    "Trigger",
    "Want",
    "standing",
]
