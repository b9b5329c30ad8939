"""After journal time stepped back: times in a device's state that a wrong clock wrote."""

from connector.core.device.looks import SETTLING
from connector.core.device.schedule import waits
from connector.core.no_later import no_later
from connector.core.states import DeviceState, Effect
from connector.core.step import Step


def correct(step: Step[DeviceState]) -> None:
    """What has happened, happened before now; what is awaited takes no longer than from now on."""
    state, now = step.state, step.now
    enrolled_last = (state.enrolled_at or 0) > (state.unenrolled_at or 0)
    state = no_later(state, now - enrolled_last, "unenrolled_at")
    state = no_later(state, now, "enrolled_at", "announced_at", "ended_at")
    state = no_later(state, now + SETTLING, "settles_at")
    step.state = no_later(state, now + step.rules.device_deadline, "deadline")
    wanted = (want for want in state.wants if want.effect is not Effect.WAIT)
    looks = tuple(no_later(want, now, "due") for want in wanted)
    step.set(
        looks=state.looks and no_later(state.looks, now, "since"), wants=(*looks, *waits(step))
    )
